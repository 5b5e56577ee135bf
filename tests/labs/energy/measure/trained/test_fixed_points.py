import dataclasses

import pytest
import torch

from labs.energy.measure.test_phases import PHASES as SIZES
from labs.energy.models.test_heads import at_work
from pipeline.labs.energy.measure.phases import PhaseConfig
from pipeline.labs.energy.measure.trained import fixed_points

PHASES = PhaseConfig(**SIZES)

EVERY = slice(None)
SEEN = torch.ones(2, 3, dtype=torch.bool)
KEYS = torch.eye(3, dtype=torch.float64)


def test_cold_states_end_at_the_nearest_key_and_hot_ones_at_the_average():
    states = torch.tensor([[1.0, 0.2, 0.0], [0.0, 0.3, 0.9]], dtype=torch.float64)
    cold = fixed_points.settle(states, KEYS, SEEN, beta=50.0)
    assert cold.argmax(-1).tolist() == [0, 2]
    assert (cold.amax(-1) > 1 - 1e-6).all()
    hot = fixed_points.settle(states, KEYS, SEEN, beta=0.1)
    torch.testing.assert_close(hot, torch.full_like(hot, 1 / 3), rtol=0, atol=1e-3)


def test_keys_that_are_not_seen_are_never_retrieved():
    seen = torch.tensor([[False, True, True]])
    state = torch.tensor([[1.0, 0.2, 0.0]], dtype=torch.float64)
    assert fixed_points.settle(state, KEYS, seen, beta=50.0)[0, 0] == 0


def test_the_kinds_are_told_by_the_part_of_the_seen_keys():
    one, two, all_four = ([1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4)
    weights = torch.tensor([one, two, all_four, all_four], dtype=torch.float64).view(1, 1, 1, 4, 4)
    seen = torch.full((4,), 4.0, dtype=torch.float64)
    found = fixed_points.shares(weights, seen, PHASES)
    assert [found[k].item() for k in ("global", "metastable", "single")] == [0.5, 0.25, 0.25]


def test_a_layers_own_attention_is_its_first_update():
    model, x, layers = at_work({})
    cache = {}
    model(x, cache=cache)
    found = fixed_points.weights(layers[1], EVERY, repeated=False)
    torch.testing.assert_close(found, cache["layer_1.pattern"], rtol=0, atol=1e-12)
    shares = fixed_points.kinds(layers[1], slice(-1, None), PHASES)
    total = shares["global"] + shares["metastable"] + shares["single"]
    torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=1e-12)


def test_linear_attention_has_no_kinds():
    _, _, layers = at_work({})
    linear = dataclasses.replace(layers[0], kind="linear")
    with pytest.raises(ValueError, match="softmax attention, got linear"):
        fixed_points.weights(linear, EVERY, repeated=True)
