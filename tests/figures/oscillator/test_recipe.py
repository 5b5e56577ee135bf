import numpy as np
import pandas as pd
import pytest

from figures.oscillator.test_rollouts import DT, rollouts
from pipeline.figures.oscillator import recipe as drawing
from pipeline.figures.style import TRUTH

METRICS = {
    "linear": {"parameters": 4192, "r50": 3.6e-4, "r200": 1.4e-3, "r50_low": 1e-4, "n": 3},
    "small": {"parameters": 1072, "r50": 2.8e-4, "r200": 1.2e-3, "n": 3},
    "dmd": {"r50": 1e-15, "r200": 1e-14, "n": 1},
}
VARIANTS = ["recipe", "no_muon", "not_aged"]
NOISE = ["r50_0", "r50_0.001", "r50_0.01"]
BANDS = ["r50_0.5_1", "r50_1_4", "r50_4_6"]
MODELS = ["linear", "small", "dmd", "likelihood"]


def rows(experiment, conditions, quantities):
    return [
        {"experiment": experiment, "condition": c, "quantity": q, "median": m, "low": m / 2,
         "high": 2 * m, "n": 3}
        for k, c in enumerate(conditions)
        for j, q in enumerate(quantities)
        for m in [10.0 ** (k + j - 4)]
    ]  # fmt: skip


def ablated():
    return pd.DataFrame(rows("O7_ablation", VARIANTS, ["one_step", "r50", "r200", "energy_drift"]))


def general():
    return pd.DataFrame(rows("noise", MODELS, NOISE) + rows("frequency", MODELS, BANDS))


@pytest.fixture
def draws(style):
    return {
        "tracked": lambda: drawing.tracked(style, rollouts(list(METRICS)), METRICS, DT),
        "ablation": lambda: drawing.ablation(style, ablated(), 2000),
        "generality": lambda: drawing.generality(style, general(), (1.0, 4.0)),
    }


@pytest.mark.parametrize("name", ["tracked", "ablation", "generality"])
def test_the_same_numbers_are_the_same_bytes(draws, assert_same_bytes, name):
    assert_same_bytes(draws[name])


@pytest.mark.parametrize("name", ["tracked", "ablation", "generality"])
def test_it_has_a_legend_and_says_its_seeds(draws, name):
    figure = draws[name]()
    assert len(figure.legends) == 1
    assert "3 seeds" in figure.get_suptitle()


def test_horizons_are_the_rollout_errors_among_the_quantities():
    names = ["one_step", "r50", "r50_low", "r200", "horizon", "r2_increment", "ratio"]
    assert drawing.horizons(names) == ["r50", "r200"]


def test_every_model_has_a_row_with_its_size_and_errors_beside_the_oracle_s(
    draws, assert_labelled, bands
):
    figure = draws["tracked"]()
    assert len(figure.axes) == 2 * 4, "the oracle has no row of its own"
    assert_labelled(figure)
    titles = [figure.axes[k].get_title(loc="left") for k in (0, 4)]
    assert titles == ["linear: 4192 parameters", "small: 1072 parameters"]
    assert figure.axes[1].get_title(loc="left") == "r50 3.6e-04   r200 1.4e-03"
    for k in (3, 7):
        assert figure.axes[k].get_legend_handles_labels()[1] == [
            "model",
            "in-context DMD (oracle)",
        ]
        assert len(bands(figure.axes[k])) == 2


def test_the_ablation_has_a_row_for_each_variant_and_a_dot_for_each_horizon(draws):
    figure = draws["ablation"]()
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == VARIANTS
    assert axis.get_xlabel()
    near, far = axis.containers
    np.testing.assert_allclose(near.lines[0].get_xdata(), [1e-3, 1e-2, 1e-1])
    np.testing.assert_allclose(far.lines[0].get_xdata(), [1e-2, 1e-1, 1.0])
    assert np.all(np.round(near.lines[0].get_ydata()) == [0, 1, 2])
    assert "2000 iterations" in figure.get_suptitle()


def test_the_conditions_are_evenly_spaced_and_named_by_noise_and_band(draws):
    noise, frequency = draws["generality"]().axes
    assert [label.get_text() for label in noise.get_xticklabels()] == ["0", "0.001", "0.01"]
    assert [label.get_text() for label in frequency.get_xticklabels()] == [
        "0.5 to 1",
        "1 to 4",
        "4 to 6",
    ]
    assert noise.get_yscale() == frequency.get_yscale() == "log"
    assert "trained on 1 to 4 rad/s" in frequency.get_title(loc="left")


def test_every_model_is_a_line_with_its_band_and_the_oracles_are_black(draws, bands):
    for axis in draws["generality"]().axes:
        assert axis.get_legend_handles_labels()[1] == MODELS
        assert len(bands(axis)) == len(MODELS)
        for k, line in enumerate(axis.lines):
            np.testing.assert_allclose(line.get_ydata(), 10.0 ** (np.arange(3) + k - 4))
            assert (line.get_color() == TRUTH) == (k >= 2)
        looks = [(line.get_color(), line.get_linestyle()) for line in axis.lines]
        assert len(set(looks)) == len(MODELS)
