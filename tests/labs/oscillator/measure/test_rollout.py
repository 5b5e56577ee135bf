import pytest
import torch

from pipeline.labs.oscillator.rollout import rollout


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
