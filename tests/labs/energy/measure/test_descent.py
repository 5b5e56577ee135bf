import dataclasses

import pytest
import torch

from labs.energy.models.test_heads import at_work
from pipeline.labs.energy.measure import descent

EVERY = slice(None)


def test_all_controls_have_the_norm_of_the_real_update():
    _, _, layers = at_work({})
    directions = descent.directions(layers[0].update, layers[0].gradient(), torch.Generator())
    norm = layers[0].update.norm(dim=-1).unsqueeze(2).expand(-1, -1, 2, -1)
    assert directions.keys() == set(descent.DIRECTIONS)
    for name, u in directions.items():
        torch.testing.assert_close(u.norm(dim=-1), norm, rtol=0, atol=1e-12, msg=name)
    assert torch.equal(directions["real"][:, :, 0], layers[0].update)


def test_small_steps_along_minus_the_gradient_always_lower_the_energy():
    _, _, layers = at_work({})
    small = [dataclasses.replace(layer, update=1e-4 * layer.update) for layer in layers]
    for changes in descent.measure(small, torch.Generator().manual_seed(0)):
        assert (changes["minus_gradient"].lowered(EVERY) == 1).all()
        # So small a step falls exactly when its cosine says so.
        real = changes["real"]
        clear = real.cosine.abs() > 1e-2
        assert torch.equal((real.change < 0)[clear], (real.cosine > 0)[clear])


def test_the_line_search_gains_most_along_minus_the_gradient_of_a_long_update():
    _, _, layers = at_work({})
    long = [dataclasses.replace(layer, update=30 * layer.update) for layer in layers]
    for changes in descent.measure(long, torch.Generator().manual_seed(0)):
        steepest = changes["minus_gradient"]
        # The full step overshoots everywhere; some part of it never does.
        assert (steepest.lowered(EVERY) < 0.5).all()
        assert (steepest.gain > 0).double().mean() > 0.9
        assert (changes["real"].gain >= 0).all()


def test_more_controls_are_rescaled_and_measured_like_the_others():
    _, _, layers = at_work({})
    more = [{"twice": 2 * layer.update} for layer in layers]
    for changes in descent.measure(layers, torch.Generator().manual_seed(0), more):
        torch.testing.assert_close(
            changes["twice"].change, changes["real"].change, rtol=0, atol=1e-12
        )


def test_a_single_sequence_has_no_control():
    _, _, layers = at_work({})
    one = layers[0].update[:, :1]
    with pytest.raises(ValueError, match="at least 2 sequences, got 1"):
        descent.directions(one, layers[0].gradient()[:, :1], torch.Generator())


def test_a_member_is_measured_as_it_would_be_alone():
    _, _, both = at_work({})
    _, _, alone = at_work({}, seeds=(1,))
    first = descent.measure(both, torch.Generator().manual_seed(0))[1]
    second = descent.measure(alone, torch.Generator().manual_seed(0))[1]
    for name in descent.DIRECTIONS:
        torch.testing.assert_close(first[name].change[1:], second[name].change, rtol=0, atol=1e-12)
