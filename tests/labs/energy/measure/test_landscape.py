import pytest
import torch

from pipeline.labs.energy.measure import landscape
from pipeline.labs.energy.measure.landscape import LandscapeConfig

LANDSCAPE = LandscapeConfig(
    patterns=((1.0, 0.0), (-1.0, 0.0)), betas=(0.5, 4.0), window=(-1.5, 1.5), grid=12,
    path_starts=2, gamma=0.3, path_steps=5, tolerance=1e-10, max_steps=5000, merge_distance=1e-3,
)  # fmt: skip


def test_two_patterns_have_one_basin_when_hot_and_two_halves_when_cold():
    hot, cold = (landscape.landscape(LANDSCAPE, beta) for beta in LANDSCAPE.betas)
    assert len(hot.attractors) == 1
    assert hot.attractors.abs().max() < 1e-6
    assert len(cold.attractors) == 2
    left, right = cold.basin[:, :6], cold.basin[:, 6:]
    assert left.unique().numel() == right.unique().numel() == 1
    assert left[0, 0] != right[0, 0]
    # x = tanh(4 x) has its root at 0.9993.
    assert cold.attractors[:, 0].abs() == pytest.approx(torch.full((2,), 0.99933), abs=1e-4)
    assert hot.paths.shape == (6, 4, 2)
