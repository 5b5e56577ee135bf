import numpy as np
import pandas as pd
import pytest

from pipeline.figures.energy.likelihood import MODELS, likelihood
from pipeline.labs.energy.report.likelihood import Examples

G = np.random.default_rng(0)
EXAMPLES = Examples(
    sets=("ring", "shifted_ring"),
    models=("energy", "energy_origin", "em"),
    seed=np.array([3, 5]),
    points=G.standard_normal((2, 20, 2)),
    means=G.standard_normal((2, 3, 4, 2)),
)
COSTS = {"ring": -0.01, "shifted_ring": 4.58}
RESULTS = {
    name: {"tied_weights_cost": cost, "tied_weights_cost_low": cost - 0.1,
           "tied_weights_cost_high": cost + 0.1, "n": 8}
    for name, cost in COSTS.items()
}  # fmt: skip


def losses():
    rows = [
        {"set": name, "model": model, "loss": 4 + k + j, "low": 3.5 + k + j, "high": 5 + k + j,
         "n": 8}
        for j, name in enumerate(EXAMPLES.sets)
        for k, model in enumerate(reversed(MODELS))  # in another order than they are drawn
    ]  # fmt: skip
    return pd.DataFrame(rows)


def drawn(style):
    return likelihood(style, losses(), EXAMPLES, RESULTS)


def test_a_panel_shows_the_median_seeds_points_and_says_so(style):
    figure = drawn(style)
    for k, axes in enumerate(figure.axes[:2]):
        points, *means = axes.lines
        np.testing.assert_array_equal(points.get_xydata(), EXAMPLES.points[k])
        for line, expected in zip(means, EXAMPLES.means[k], strict=True):
            np.testing.assert_array_equal(line.get_xydata(), expected)
    assert [axes.get_title() for axes in figure.axes[:2]] == [
        "ring\nseed 3, of median cost", "shifted ring\nseed 5, of median cost",
    ]  # fmt: skip


def test_every_models_loss_is_a_row_with_its_interval(style):
    figure = drawn(style)
    for j, axes in enumerate(figure.axes[2:]):
        for k, container in enumerate(axes.containers):
            middle, _, (bars,) = container.lines
            expected = 4 + (len(MODELS) - 1 - k) + j
            assert middle.get_xydata().tolist() == [[expected, -k]]
            assert bars.get_segments()[0][:, 0].tolist() == [expected - 0.5, expected + 1]
    labels = [label.get_text() for label in figure.axes[2].get_yticklabels()]
    assert labels[0] == "energy model (weights tied)"
    assert len(labels) == len(MODELS)


def test_the_cost_of_the_ties_and_the_seeds_are_quoted(style):
    titles = [axes.get_title() for axes in drawn(style).axes[2:]]
    assert titles == [
        "tied weights cost -0.01\n[-0.11, 0.09], 8 seeds",
        "tied weights cost 4.58\n[4.48, 4.68], 8 seeds",
    ]


def test_a_model_without_its_loss_is_an_error(style):
    with pytest.raises(KeyError):
        likelihood(style, losses()[lambda t: t["model"] != "em"], EXAMPLES, RESULTS)


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: drawn(style))
