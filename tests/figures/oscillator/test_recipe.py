import numpy as np
import pytest

from figures.oscillator.made import DT, left_titles, rollouts, rows, training, windows
from pipeline.figures.oscillator import recipe as drawing
from pipeline.labs.oscillator.train.recipe import RecipeConfig, RecipesConfig

RESULTS = {
    "linear_attention": {
        "parameters": 4192,
        "r50": 3.6e-4,
        "r200": 1.4e-3,
        "r50_low": 1e-4,
        "n": 3,
    },
    "small_polished": {"parameters": 1072, "r50": 2.8e-4, "r200": 1.2e-3, "n": 3},
    "dmd": {"r50": 1e-15, "r200": 1e-14, "n": 1},
}
VARIANTS = ["recipe", "no_muon", "my_own_change"]


def recipes(*steps):
    models = {
        f"model_{k}": RecipeConfig(
            attention="linear", d_model=4, d_head=2, n_layers=2, previous_token=True, bias=False,
            scale_normalised=True, loss="energy", data="aged", muon=None,
            training=training(steps=count),
        )
        for k, count in enumerate(steps)
    }  # fmt: skip
    return RecipesConfig(seeds=(0, 1, 2), members_per_cell=1, models=models)


def ablated():
    return rows("O7_ablation", VARIANTS, ["one_step", "r50", "r200", "energy_drift"])


@pytest.fixture
def draws(style):
    return {
        "tracked": lambda: drawing.tracked(style, rollouts(RESULTS), RESULTS, windows(), DT),
        "ablation": lambda: drawing.ablation(style, ablated(), recipes(2000, 2000)),
    }


@pytest.mark.parametrize("name", ["tracked", "ablation"])
def test_the_same_numbers_are_the_same_bytes(draws, assert_same_bytes, name):
    assert_same_bytes(draws[name])


@pytest.mark.parametrize("name", ["tracked", "ablation"])
def test_it_has_a_legend_and_says_its_seeds(draws, name):
    figure = draws[name]()
    assert len(figure.legends) == 1
    assert "over 3 seeds" in figure.get_suptitle()


def test_rollout_errors_are_told_from_the_other_quantities():
    names = ["one_step", "r50", "r50_low", "r200", "r2_score", "r2_score_increment", "ratio"]
    assert drawing.rollout_errors(names) == ["r50", "r200"]


def test_every_model_has_a_row_with_its_size_seed_and_errors_beside_the_oracle_s(
    draws, assert_labelled, bands
):
    figure, data = draws["tracked"](), rollouts(RESULTS)
    assert len(figure.axes) == 2 * 4, "the oracle has no row of its own"
    assert_labelled(figure)
    titles = left_titles(figure)
    assert titles[0] == "linear attention: 4192 parameters"
    assert titles[4] == "small linear attention, polished: 1072 parameters"
    assert [titles[k] for k in (2, 6)] == ["seed 10", "seed 11"]
    assert titles[3] == "r50 3.6e-04   r200 1.4e-03"
    for k in (0, 1):
        panel = figure.axes[4 * k + 3]
        assert panel.get_legend_handles_labels()[1] == ["model", "in-context DMD (oracle)"]
        assert len(bands(panel)) == 2
        np.testing.assert_array_equal(panel.lines[0].get_ydata(), data.error[k, 0])
        np.testing.assert_array_equal(panel.lines[1].get_ydata(), data.error[2, 0])
    for words in ("from 1.5 to 3.5 rad/s", "window of 23 states"):
        assert words in figure.get_suptitle()


def test_the_ablation_has_a_row_for_each_variant_and_a_dot_for_each_length(draws):
    figure = draws["ablation"]()
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == [
        "the recipe", "without Muon", "my own change",
    ]  # fmt: skip
    assert axis.get_xlabel()
    near, far = axis.containers
    np.testing.assert_allclose(near.lines[0].get_xdata(), [1e-3, 1e-2, 1e-1])
    np.testing.assert_allclose(far.lines[0].get_xdata(), [1e-2, 1e-1, 1.0])
    assert np.all(np.round(near.lines[0].get_ydata()) == [0, 1, 2])
    assert axis.get_legend_handles_labels()[1] == [
        "rollout error over 50 steps", "rollout error over 200 steps",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "expected"), [((2000,), "2000 iter"), ((300, 100), "100 or 300 iter")]
)
def test_the_ablation_tells_how_long_its_variants_were_trained(style, steps, expected):
    assert expected in drawing.ablation(style, ablated(), recipes(*steps)).get_suptitle()
