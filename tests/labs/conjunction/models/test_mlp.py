import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.models.mlp import BinaryMLP, BinaryMLPRecipe, config_for

RECIPE = BinaryMLPRecipe(widths=(512,), dropout=0.1, init_std=0.02)


def made(seeds, **changes):
    config = config_for(RECIPE.model_copy(update=changes), 17)
    return BinaryMLP(config, generators(seeds)).double()


def test_the_tutorials_mlp_has_9729_parameters():
    assert made([0]).parameters_per_member == 9729


def test_hidden_layers_start_as_the_tutorials():
    hidden = made([0], widths=(512, 64)).layers[:-1]
    for layer in hidden:
        # The relative error of a deviation of 8,704 draws or more is 0.0076: five of it.
        assert abs(float(layer.W.detach().std()) / 0.02 - 1) < 0.04
        assert not bool(layer.b.any())


def test_without_generators_nothing_is_dropped():
    model, x = made([0]), torch.ones(1, 3, 17, dtype=torch.float64)
    assert torch.equal(model(x), model(x))
    assert not torch.equal(model(x), model(x, generators([5])))
