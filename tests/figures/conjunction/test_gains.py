import numpy as np
import pytest

from pipeline.figures.conjunction.gains import gains
from pipeline.labs.conjunction.measure.gains import GainGrid


@pytest.fixture
def grid():
    generator = np.random.default_rng(0)
    z = np.linspace(1, 9, 5)
    weights = generator.dirichlet(np.ones(8), size=(5, 5))
    x, q = generator.normal(size=8), generator.dirichlet(np.ones(8), size=2)
    spread = 1 + 7 * generator.random((5, 5))
    return GainGrid(x=x, q=q, z=z, weights=weights, output=weights @ x, effective_positions=spread)


def test_the_title_says_how_far_attention_narrows(style, grid):
    title = gains(style, grid).get_suptitle()
    assert "both gains at 9 " in title
    assert f"attends to {grid.effective_positions[-1, -1]:.1f} of 8 positions" in title


def test_signal_patterns_and_weights_are_those_given(style, grid):
    axes = gains(style, grid).axes
    assert axes[0].lines[0].get_ydata().tolist() == grid.x.tolist()
    assert [line.get_ydata().tolist() for line in axes[3].lines] == grid.q.tolist()
    for axis, pairs in ((axes[1], [(0, 0), (2, 0), (4, 0)]), (axes[4], [(4, 0), (4, 2), (4, 4)])):
        for line, (i, j) in zip(axis.lines, pairs, strict=True):
            assert line.get_ydata().tolist() == grid.weights[i, j].tolist()
            assert line.get_label() == f"$z_1$ = {grid.z[i]:g}, $z_2$ = {grid.z[j]:g}"


def test_outputs_and_effective_positions_are_drawn_over_both_gains(style, grid):
    axes = gains(style, grid).axes
    for axis, values in ((axes[2], grid.output), (axes[5], grid.effective_positions)):
        [image] = axis.images
        assert np.array_equal(image.get_array(), values.T)
        assert tuple(image.get_extent()) == (1, 9, 1, 9)


def test_every_axis_is_named(style, grid, assert_named):
    assert_named(gains(style, grid))
