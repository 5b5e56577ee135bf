import numpy as np
import pandas as pd
import pytest

from pipeline.figures.learning_curves import learning_curves
from pipeline.figures.style import FLOOR

QUANTITIES = (("loss", "training loss"), ("validation_last", "validation"))
MODELS, SEEDS, STEPS = ("small", "big"), (0, 1, 2), (10, 20, 30)


def history():
    rows = [
        (model, seed, step, 1.0 / step + seed, 0.0 if step == 30 else 2.0 / step)
        for model in MODELS
        for seed in SEEDS
        for step in STEPS
    ]
    return pd.DataFrame(rows, columns=["model", "seed", "step", "loss", "validation_last"])


@pytest.fixture
def draw(style):
    def drawn():
        histories = {"O3": history(), "O5": history()}
        return learning_curves(style, histories, "Learning", QUANTITIES, "squared error")

    return drawn


def test_a_row_is_a_history_and_a_column_a_quantity(draw, assert_labelled):
    figure = draw()
    assert len(figure.axes) == 4
    assert_labelled(figure)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [f"{row}: {label}" for row in ("O3", "O5") for _, label in QUANTITIES]
    assert {axes.get_yscale() for axes in figure.axes} == {"log"}


def test_every_seed_has_its_line_and_every_model_its_name_once(draw):
    for axes in draw().axes:
        assert len(axes.lines) == len(MODELS) * len(SEEDS)
        assert axes.get_legend_handles_labels()[1] == list(MODELS)
        colours = [line.get_color() for line in axes.lines]
        assert len(set(colours)) == len(MODELS)
        assert len(set(colours[: len(SEEDS)])) == 1


def test_the_lines_are_the_recorded_losses_and_zero_stays_on_the_axis(draw):
    first, second = draw().axes[:2]
    np.testing.assert_array_equal(first.lines[1].get_ydata(), [1.1, 1.05, 1 + 1 / 30])
    np.testing.assert_array_equal(second.lines[1].get_ydata(), [0.2, 0.1, FLOOR**2])
    np.testing.assert_array_equal(first.lines[1].get_xdata(), STEPS)


def test_more_models_than_colours_differ_in_their_dashes(style):
    table = pd.concat([history().assign(model=f"model {k}") for k in range(9)])
    figure = learning_curves(style, {"O5": table}, "Learning", QUANTITIES[:1], "squared error")
    looks = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
    assert len(looks) == 9


def test_the_same_numbers_are_the_same_bytes(draw, assert_same_bytes):
    assert_same_bytes(draw)


def test_a_model_is_called_by_the_words_that_are_given(style):
    figure = learning_curves(
        style,
        {"O3": history()},
        "Learning",
        QUANTITIES,
        "squared error",
        lambda name: f"the {name}",
    )
    for axes in figure.axes:
        assert axes.get_legend_handles_labels()[1] == ["the small", "the big"]


def test_more_models_than_looks_begin_again(style):
    table = pd.concat([history().assign(model=f"model {k}") for k in range(30)])
    figure = learning_curves(style, {"O5": table}, "Learning", QUANTITIES[:1], "squared error")
    assert len(figure.axes[0].lines) == 30 * len(SEEDS)
