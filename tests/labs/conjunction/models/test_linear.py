import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.models.linear import Linear, LinearConfig


def test_the_linear_model_is_a_weighted_sum():
    model = Linear(LinearConfig(positions=3), generators([0])).double()
    with torch.no_grad():
        model.w.copy_(torch.tensor([[[1.0], [2.0], [4.0]]]))
        model.b.fill_(-3)
    bits = torch.tensor([[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]]).double()
    assert model(bits).tolist() == [[2.0, -1.0]]


def test_every_member_starts_from_zero():
    state = Linear(LinearConfig(positions=3), generators([3, 4])).state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == {
        "w": (2, 3, 1),
        "b": (2, 1),
    }
    assert not any(bool(value.any()) for value in state.values())
