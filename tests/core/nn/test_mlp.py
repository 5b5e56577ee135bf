import pytest
import torch
from pydantic import ValidationError
from torch import nn

from pipeline.core.nn.mlp import MLP, MLPConfig
from pipeline.core.training.sampling import generators

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}
SIZES = (3, 5, 4, 2)


def config(activation="tanh", **changes):
    shape = {"d_in": 3, "widths": (5, 4), "d_out": 2, "activation": activation}
    return MLPConfig(**{**shape, **changes})


def inputs(members):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(members, 7, 3, generator=generator, dtype=torch.float64)


@torch.no_grad()
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_member_is_torch_s_sequence_of_linear_maps_and_activations(activation):
    model, x = MLP(config(activation), generators([4, 9])).double(), inputs(2)
    for k in range(2):
        parts = []
        for layer, d_in, d_out in zip(model.layers, SIZES, SIZES[1:], strict=False):
            linear = nn.Linear(d_in, d_out, dtype=torch.float64)
            linear.weight.copy_(layer.W[k].T)
            linear.bias.copy_(layer.b[k])
            parts += [linear, ACTIVATIONS[activation]()]
        expected = nn.Sequential(*parts[:-1])(x[k])
        # Three sums of at most six products of numbers below five.
        torch.testing.assert_close(model(x)[k], expected, rtol=0, atol=3 * 6 * 25 * 2.2e-16)


def test_a_member_starts_as_its_seed_does_alone():
    together = MLP(config(), generators([4, 9, 2]))
    alone = MLP(config(), generators([9]))
    for name, value in alone.state_dict().items():
        assert torch.equal(together.state_dict()[name][1], value[0])


def test_the_number_of_parameters_counts_weights_and_biases_of_one_member():
    assert MLP(config(), generators([0, 1])).parameters_per_member == 3 * 5 + 5 + 5 * 4 + 4 + 10


@pytest.mark.parametrize(
    "change", [{"widths": ()}, {"widths": (5, 0)}, {"d_in": 0}, {"activation": "sine"}]
)
def test_a_network_that_cannot_be_built_is_refused(change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        config(**change)
