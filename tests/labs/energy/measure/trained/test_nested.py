import dataclasses

import pytest
import torch

from labs.energy.models.test_heads import at_work
from pipeline.labs.energy.measure.trained import nested

LAST = slice(-1, None)


def test_layers_that_descend_their_own_energies_are_seen_to():
    _, _, layers = at_work({"d_head": 8})
    down = [dataclasses.replace(x, update=-0.01 * x.gradient()[:, :, 0]) for x in layers]
    up = [dataclasses.replace(x, update=0.01 * x.gradient()[:, :, 0]) for x in layers]
    found, against = nested.shares(down), nested.shares(up)
    for name in ("own_small", "own_full", "every_own_small", "every_own_full"):
        assert found[name].tolist() == [1.0, 1.0]
        assert against[name].tolist() == [0.0, 0.0]


def test_a_reordered_model_has_the_same_layers_and_another_order():
    model, x, _ = at_work({})
    swapped = nested.reordered(model, [1, 0])
    assert torch.equal(swapped.layers[0].W_Q, model.layers[1].W_Q)
    assert not torch.equal(swapped(x), model(x))
    assert torch.equal(nested.reordered(swapped, [1, 0])(x), model(x))


def test_orders_are_distinct_and_never_the_models_own():
    drawn = nested.orders(3, torch.Generator().manual_seed(0))
    assert sorted(drawn) == [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    assert nested.orders(2, torch.Generator().manual_seed(0)) == [[1, 0]]
    assert len(nested.orders(8, torch.Generator().manual_seed(0))) == nested.ORDERS


def test_the_excess_is_the_models_order_less_the_shuffled_one():
    model, x, _ = at_work({})
    found = nested.nested(model, x, LAST, torch.Generator().manual_seed(0))
    for name in ("own_small", "every_joint_full", "through"):
        assert torch.equal(found[f"{name}_excess"], found[name] - found[f"{name}_shuffled"])


def test_one_layer_is_no_hierarchy():
    model, x, _ = at_work({"n_layers": 1})
    with pytest.raises(ValueError, match="at least 2 layers, got 1"):
        nested.nested(model, x, LAST, torch.Generator())
