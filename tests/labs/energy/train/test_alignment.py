import pytest
import torch

from labs.energy.models.test_heads import KINDS, at_work
from pipeline.labs.energy.measure import descent
from pipeline.labs.energy.train.alignment import (
    SMALL,
    alignment,
    mean_alignment,
    mean_energy,
)


@pytest.mark.parametrize("changes", [k for k in KINDS if not k.get("norm")])
def test_the_closed_form_alignment_is_the_instruments_cosine(changes):
    model, x, layers = at_work(changes)
    cache = {}
    model(x, cache=cache)
    measured = descent.measure(layers, torch.Generator())
    for k in range(2):
        square = layers[k].update.square().sum(-1).unsqueeze(2)
        square = square * layers[k].gradient().square().sum(-1)
        error = (alignment(model, cache, k) - measured[k]["real"].cosine).abs()
        # What keeps it finite is added to these squared norms; the rest is rounding.
        assert bool((error <= SMALL / square + 1e-12).all())
        other = measured[k]["other_sequence"].cosine
        error = (alignment(model, cache, k, shift=1) - other).abs()
        # Another update's length is its own here, and the real one's there: the cosine is the same.
        rolled = layers[k].update.roll(1, dims=1).square().sum(-1).unsqueeze(2)
        square = rolled * layers[k].gradient().square().sum(-1)
        assert bool((error <= SMALL / square + 1e-12).all())
    assert mean_alignment(model, cache).shape == (2,)


def test_the_mean_energy_is_the_instruments():
    model, x, layers = at_work({})
    cache = {}
    model(x, cache=cache)
    expected = torch.stack([x.energy(x.stream)[..., 1:].mean((1, 2, 3)) for x in layers]).mean(0)
    # The same sums of numbers of order 1.
    torch.testing.assert_close(mean_energy(model, cache), expected, rtol=0, atol=1e-12)


def test_alignment_of_a_model_with_norms_is_refused():
    model, _, _ = at_work({"norm": True})
    with pytest.raises(ValueError, match="without norms"):
        alignment(model, {}, 0)
