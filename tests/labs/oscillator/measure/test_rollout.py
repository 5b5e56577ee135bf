import pytest
import torch

from labs.oscillator.data.test_time import DT, data
from pipeline.core.nn.linear import fit_linear_window
from pipeline.core.nn.mlp import MLP, MLPConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.data.task import propagator
from pipeline.labs.oscillator.measure.rollout import (
    RolloutCell,
    predict_rollouts,
    roll_out,
    rollout,
    time_rollouts,
)


def test_a_linear_map_rolled_out_is_its_powers():
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, 3, generator=generator, dtype=torch.float64)
    maps = maps / torch.linalg.matrix_norm(maps, ord=2)[:, None, None]
    window = torch.randn(2, 4, 5, 3, generator=generator, dtype=torch.float64)
    found = rollout(lambda x: x[:, :, -1] @ maps.mT, window, 20)
    assert found.shape == (2, 4, 20, 3)
    for step in range(20):
        powers = torch.linalg.matrix_power(maps, step + 1)
        # A map of norm one amplifies no rounding: 3 terms a step, 20 steps, 20 * 3 * 2.2e-16 * 3.
        torch.testing.assert_close(
            found[:, :, step], window[:, :, -1] @ powers.mT, rtol=0, atol=1e-13
        )


@pytest.mark.parametrize("steps", [1, 3, 4, 11])
def test_each_prediction_replaces_the_oldest_state(steps):
    window = torch.arange(4.0).double().view(1, 1, 4, 1)
    found = rollout(lambda x: x[:, :, 0], window, steps)
    # Repeating the oldest of four states makes the window itself go round.
    assert found.flatten().tolist() == [k % 4 for k in range(steps)]


def test_a_rollout_keeps_no_graph_and_leaves_the_window_alone():
    window = torch.ones(1, 2, 3, 1, dtype=torch.float64)
    weight = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    found = rollout(lambda x: weight * x[:, :, -1], window, 3)
    assert not found.requires_grad
    assert bool((window == 1).all())
    assert found[0, 0].flatten().tolist() == [2, 4, 8]


def test_predicted_rollouts_are_those_of_every_member_in_float64():
    generator = torch.Generator().manual_seed(0)
    windows = torch.randn(60, 3, 2, generator=generator, dtype=torch.float64)
    maps = torch.tensor([[[0.0, 1.0], [-1.0, 0.0]], [[0.5, 0.0], [0.0, 0.5]]]).double()
    model = fit_linear_window(windows, windows[:, -1] @ maps.mT)
    found = predict_rollouts(model.float(), windows[:4], 8)
    assert found.dtype == torch.float64
    assert found.shape == (2, 4, 8, 2)
    for step in range(8):
        power = torch.linalg.matrix_power(maps, step + 1)
        expected = windows[:4, -1] @ power.mT
        # float32 of numbers below 4, seven terms, eight steps of norm one.
        torch.testing.assert_close(found[:, :, step], expected, rtol=0, atol=8 * 7 * 4 * 1.2e-7)
    assert torch.equal(roll_out(RolloutCell(model, windows[:4], 8)), found)


SHAPE = MLPConfig(d_in=3, widths=(6, 5), d_out=2, activation="tanh")


class Exact(MLP):
    """A network that has found the motion."""

    def forward(self, x):
        t = x[0, :, 2]
        k = propagator(torch.full_like(t, 2.0), torch.full_like(t, 0.1), t)
        return (k @ x[:, :, :2, None])[..., 0]


def test_rollouts_are_of_every_later_state_from_the_first_alone():
    _, test = data()
    exact = Exact(SHAPE, generators([0, 1])).double()
    found = time_rollouts(exact, test.states, DT)
    assert found.shape == (2, 6, 30, 2)
    # Six doublings of states below four.
    expected = test.states[:, 1:].expand(2, -1, -1, -1)
    torch.testing.assert_close(found, expected, rtol=0, atol=100 * 2.2e-16 * 4)
    spoilt = test.states.clone()
    spoilt[:, 1:] = torch.nan
    assert torch.equal(time_rollouts(exact, spoilt, DT), found)


def test_rollouts_of_a_float32_network_are_float64():
    model = MLP(SHAPE, generators([0, 1]))
    _, test = data()
    assert time_rollouts(model.float(), test.states, DT).dtype == torch.float64
