import numpy as np
import pandas as pd
import pytest

from figures.oscillator.made import left_titles, rows
from pipeline.figures.oscillator import names
from pipeline.figures.oscillator.robustness import Group, robustness
from pipeline.figures.style import COLOURS, TRUTH
from pipeline.labs.oscillator.measure.robustness import RobustnessConfig

TESTED = RobustnessConfig(
    noise=(0.0, 0.001, 0.01), omega0=(1.0, 4.0), bands=((0.5, 1.0), (1.0, 4.0), (4.0, 6.0)),
    gamma=0.1, age=(0.0, 6.0), initial=(0.0, 1.0), search=(0.1, 10.0), window=23, steps=60,
    trajectories=4, seed=0,
)  # fmt: skip
MODELS = ["linear", "linear_gradient", "my_model", "dmd", "likelihood"]
NOISE = ["r60_0", "r60_0.001", "r60_0.01"]
BANDS = ["r60_0.5_1", "r60_1_4", "r60_4_6"]
GROUPS = [
    Group("linear models", ("linear", "linear_gradient"), [(1.0, 4.0)]),
    Group("mine", ("my_model",), [(1.0, 4.0), (2.0, 2.0), (1.0, 4.0)]),
]


def table():
    made = pd.concat([rows("noise", MODELS, NOISE), rows("frequency", MODELS, BANDS)])
    made.loc[made.condition == "linear", "n"] = 1
    return made.sample(frac=1, random_state=0)  # the order of the rows says nothing


@pytest.fixture
def draw(style):
    return lambda: robustness(style, table(), TESTED, GROUPS, names.words)


def test_a_row_is_a_group_with_noise_on_the_left_and_frequencies_on_the_right(
    draw, assert_labelled
):
    figure = draw()
    assert_labelled(figure)
    assert left_titles(figure) == [
        "linear models", r"trained on $\omega_0$ from 1 to 4 rad/s",
        "mine", r"trained on $\omega_0$ from 1 to 4 rad/s or $\omega_0$ = 2 rad/s",
    ]  # fmt: skip
    ticks = [[label.get_text() for label in axis.get_xticklabels()] for axis in figure.axes]
    assert ticks == [["0", "0.001", "0.01"], ["0.5 to 1", "1 to 4", "4 to 6"]] * 2


def test_the_title_counts_steps_and_seeds_of_what_was_trained(draw):
    title = draw().get_suptitle()
    assert "over 60 steps" in title
    assert "1 to 3 seeds" in title


def test_every_model_of_the_group_and_both_oracles_are_lines_with_bands(draw, bands):
    for axis, group in zip(draw().axes, np.repeat([0, 1], 2), strict=True):
        drawn = [*GROUPS[group].models, "dmd", "likelihood"]
        assert axis.get_legend_handles_labels()[1] == [names.words(name) for name in drawn]
        assert len(bands(axis)) == len(drawn)
        for line, name in zip(axis.lines, drawn, strict=True):
            expected = 10.0 ** (np.arange(3) + MODELS.index(name) - 4)
            np.testing.assert_allclose(line.get_ydata(), expected)
            assert (line.get_color() == TRUTH) == (name in ("dmd", "likelihood"))
        looks = [(line.get_color(), line.get_linestyle()) for line in axis.lines]
        assert len(set(looks)) == len(drawn)
        assert axis.lines[0].get_color() == COLOURS[0]


def test_all_panels_have_one_scale(draw):
    figure = draw()
    assert {axis.get_yscale() for axis in figure.axes} == {"log"}
    # The data reach from 10^-4 / 2 to 2 10^2.
    assert {axis.get_ylim() for axis in figure.axes} == {(1e-5, 1e3)}


def test_the_same_numbers_are_the_same_bytes(draw, assert_same_bytes):
    assert_same_bytes(draw)
