"""The conjunction lab's figures show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest

from pipeline.figures.conjunction import attention as attention
from pipeline.figures.conjunction.comparison import comparison
from pipeline.figures.conjunction.gains import gains
from pipeline.figures.conjunction.samples import Samples, samples
from pipeline.figures.conjunction.scaling import ablation, scaling

GENERATOR = np.random.default_rng(0)
TARGETS = np.array([[0, 2], [1, 4]])


def draw_gains(style):
    z = np.linspace(0, 10, 5)
    weights = GENERATOR.dirichlet(np.ones(8), size=(5, 5))
    x, q = GENERATOR.normal(size=8), GENERATOR.dirichlet(np.ones(8), size=2)
    return gains(style, x, q, z, weights, weights @ x, np.exp(weights.mean(-1)))


def draw_samples(style):
    bits = (GENERATOR.random((6, 7)) < 0.6).astype(float)
    shown = Samples(bits=bits, labels=bits[:, 0], targets=TARGETS, positive=0.5, expected=0.5)
    return samples(style, {"one": shown, "two": shown})


def scores():
    rows = [(t, m, s) for t in ("s2", "s4") for m in ("attention", "mlp") for s in range(4)]
    table = pd.DataFrame(rows, columns=["task", "model", "seed"])
    return table.assign(accuracy=0.9 + 0.02 * table.seed, loss=0.1 / (1 + table.seed))


def summary():
    rows = [(t, m) for t in ("s2", "s4") for m in ("attention", "mlp")]
    table = pd.DataFrame(rows, columns=["task", "model"])
    for name in ("accuracy", "loss"):
        table = table.assign(**{name: 0.5, f"{name}_low": 0.4, f"{name}_high": 0.7})
    printed = {"tutorial_accuracy": [0.99, 0.98, np.nan, np.nan], "tutorial_loss": 0.1}
    return table.assign(parameters=65, p_accuracy=0.031, **printed)


def needs(learners):
    rows = [(n, t, 4 * t**0.5, 3 * t**0.5, 5 * t**0.5) for n in learners for t in (16, 32, 64)]
    return pd.DataFrame(rows, columns=["learner", "positions", "samples", "low", "high"])


def laws(learners):
    rows = [(n, 0.5, 0.4, 0.6, 0.1, 8.0, 0.2) for n in learners]
    names = ["learner", "exponent", "exponent_low", "exponent_high"]
    return pd.DataFrame(rows, columns=[*names, "power_error", "per_doubling", "logarithm_error"])


def draw_scaling(style):
    return scaling(style, needs(["head", "mlp"]), laws(["head", "mlp"]), "99 %")


def draw_ablation(style):
    names = [f"ablated_{k}" for k in range(9)]
    return ablation(style, needs(names), laws(names), "99 %")


def draw_weights(style):
    found = GENERATOR.dirichlet(np.ones(6), size=20)
    labels, rules = np.arange(20.0) % 2, np.arange(20.0) // 10
    return attention.weights(style, found, labels, rules, GENERATOR.random((2, 2, 6)), TARGETS)


def draw_graph(style):
    methods = list(attention.METHODS)
    influence = GENERATOR.normal(size=(len(methods), 2, 6))
    return attention.graph(style, methods, influence, TARGETS, dict.fromkeys(methods, 0.25))


DRAW = {
    "gains": draw_gains,
    "samples": draw_samples,
    "comparison": lambda style: comparison(style, scores(), summary()),
    "scaling": draw_scaling,
    "ablation": draw_ablation,
    "weights": draw_weights,
}


@pytest.mark.parametrize("name", DRAW)
def test_every_axis_of_data_is_named(style, name):
    figure = DRAW[name](style)
    for axes in figure.axes:
        if axes.get_label() == "<colorbar>" or not axes.has_data():
            continue
        named_by_ticks = any(t.get_text() for t in axes.get_xticklabels())
        assert axes.get_xlabel() or named_by_ticks, name
        assert axes.get_ylabel() or name == "ablation", name


def test_drawing_twice_gives_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: comparison(style, scores(), summary()))


def test_each_seed_is_a_line_between_its_two_models(style):
    figure = comparison(style, scores(), summary())
    first = figure.axes[0]
    pairs = [line for line in first.lines if len(line.get_xdata()) == 2]
    assert len(pairs) == 4
    assert [line.get_ydata().tolist() for line in pairs] == [[0.9 + 0.02 * s] * 2 for s in range(4)]
    assert "p = 0.031" in first.get_title(loc="left")
    assert [t.get_text() for t in first.get_xticklabels()] == [
        "attention\n65 parameters",
        "MLP\n65 parameters",
    ]


def test_the_tutorials_run_is_a_star_only_where_it_was_printed(style):
    figure = comparison(style, scores(), summary())
    stars = [[line for line in axes.lines if line.get_marker() == "*"] for axes in figure.axes]
    assert [len(found) for found in stars] == [2, 0, 2, 2]


def test_curves_carry_their_exponents_and_points(style):
    figure = draw_scaling(style)
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert any("T^{0.50}" in label and "[0.40, 0.60]" in label for label in labels)
    # Only the head of the slow learners was given, and it is drawn on the linear axis too.
    drawn = [c for c in figure.axes[1].containers if len(c[0].get_xdata())]
    assert [list(c[0].get_xdata()) for c in drawn] == [[16, 32, 64]]
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[1].get_yscale() == "linear"


def test_without_any_points_the_axes_stay_empty(style):
    empty = needs([])
    figure = scaling(style, empty, laws([]), "99 %")
    assert figure.axes[0].get_xlabel()
    figure.draw_without_rendering()
    names = [f"ablated_{k}" for k in range(3)]
    nothing = laws(names).assign(exponent=np.nan, exponent_low=np.nan, exponent_high=np.nan)
    ablation(style, empty, nothing, "99 %").draw_without_rendering()


def test_every_variant_has_its_curve_and_its_exponent(style):
    figure = draw_ablation(style)
    assert len(figure.axes[0].containers) == 9
    assert [t.get_text() for t in figure.axes[1].get_yticklabels()] == [str(k) for k in range(9)]


def test_a_graph_has_a_line_a_token_as_wide_as_its_influence(style):
    influence = np.zeros((1, 2, 6))
    influence[0, :, 2], influence[0, :, 4] = 4.0, -2.0
    figure = attention.graph(style, ["bit_flip"], influence, TARGETS, {"bit_flip": 0.975})
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    widths = [line.get_linewidth() for line in lines]
    assert widths == pytest.approx([0.3, 0.3, 5.3, 0.3, 2.8, 0.3])
    assert lines[2].get_color() != lines[4].get_color()
    assert "hits: 0.97" in figure.axes[0].get_title(loc="left") or "0.98" in (
        figure.axes[0].get_title(loc="left")
    )


def test_a_graph_is_drawn_for_every_method_and_rule(style):
    figure = draw_graph(style)
    assert len(figure.axes) == 2 * len(attention.METHODS)


def test_weights_are_split_by_rule_and_label(style):
    figure = draw_weights(style)
    points = [line.get_ydata().size for line in figure.axes[0].lines]
    assert points == [5 * 6, 5 * 6]
