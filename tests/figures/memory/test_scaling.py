import numpy as np
import pandas as pd
import pytest

from pipeline.figures.memory import scaling


def points(experiment="P1", d=(3, 4), n_heads=(1, 6, 11), published=True, **other):
    rows = [
        {
            "experiment": experiment, "model": f"d{k}_h{H}", "engine": "full_batch",
            "eval_distribution": evaluated, "N": 50, "d": k, "d_head": k, "n_heads": H,
            "mlp_width": 0, "n_layers": 1, "parameters": 100 * H, "accuracy": 0.01 * H * k,
            "accuracy_low": 0.009 * H * k, "accuracy_high": 0.011 * H * k, "n": 5,
            "published": 0.01 * H * k if published else np.nan, "bound": 0.02,
            "earlier_bound": 0.01,
        }
        | other
        for k in d
        for H in n_heads
        for evaluated in ("uniform", "train")
    ]  # fmt: skip
    return pd.DataFrame(rows)


SLOPE = ("slope", "slope_low", "slope_high", "r2")
FITS = {
    **{
        f"P1.linear_d{d}": dict(
            zip(SLOPE, (1e-3 * d**2, 9e-4 * d**2, 1.1e-3 * d**2, 1 - d / 100), strict=True)
        )
        for d in (3, 4, 5)
    },
    "P4.slope_growth": {"exponent": 2.0, "exponent_low": 1.9, "exponent_high": 2.1, "n": 3},
    "P2.quadratic_mapped": {
        "constant": 0.0, "linear": 0.0, "quadratic": 0.01, "r2": 0.99, "r2_of_a_line": 0.9,
    },
    "P3.piecewise_mapped": {
        "breakpoint": 9.5, "breakpoint_low": 9.0, "breakpoint_high": 10.0,
        "value_at_breakpoint": 0.8, "slope_before": 0.1, "slope_after": 0.02,
    },
}  # fmt: skip


def test_the_published_points_are_drawn_in_every_panel(style, assert_labelled):
    figure = scaling.heads(style, points(), FITS)
    shown = figure.axes
    assert len(shown) == 2
    for axes in shown:
        published = [line for line in axes.lines if "published (" in str(line.get_label())]
        assert published[0].get_ydata().tolist() == pytest.approx(
            [0.01 * H * (3 if axes is shown[0] else 4) for H in (1, 6, 11)]
        )
        assert sum("bound" in str(line.get_label()) for line in axes.lines) == 2
    assert_labelled(figure)


def test_the_band_is_the_interval_over_seeds(style, bands):
    figure = scaling.heads(style, points(d=(3,)), FITS)
    outline = bands(figure.axes[0])[0]
    assert outline[:, 1].max() == pytest.approx(0.011 * 11 * 3)
    assert outline[:, 1].min() == pytest.approx(0.009 * 3)


def test_the_title_of_p1_tells_the_fits_the_engine_and_the_seeds(style):
    title = scaling.heads(style, points(), FITS).get_suptitle()
    assert "trained on full batches (5 seeds)" in title
    assert "explains 95% to 97% of its variance" in title
    assert "too few points rise" in scaling.heads(style, points(), {}).get_suptitle()


def test_the_protocol_run_again_is_drawn_over_the_sampled_contexts(style):
    again = points("P1_published", d=(4,), n_heads=(11,))
    figure = scaling.heads(style, pd.concat([points(), again]), FITS)
    crosses = [axes.lines[-1].get_xydata().tolist() for axes in figure.axes]
    assert crosses == [[], [[11, pytest.approx(0.44)]]]


def test_p7_is_drawn_by_tokens_layers_and_widths(style, assert_labelled):
    deep = points("P7", d=(4,), N=70, n_layers=3, published=False)
    figure = scaling.large(style, pd.concat([points("P7", d=(3,), published=False), deep]))
    assert {line.get_label(): line.get_ydata().tolist() for line in figure.axes[0].lines} == {
        "N = 50, d = 3, 1 layer": pytest.approx([0.03, 0.18, 0.33]),
        "N = 70, d = 4, 3 layers": pytest.approx([0.04, 0.24, 0.44]),
    }
    assert "over all contexts alike; 5 seeds" in figure.get_suptitle()
    assert_labelled(figure)


def test_p7_that_was_not_run_is_said_in_words_without_an_axis(style):
    figure = scaling.large(style, points("P6"))
    assert figure.axes == []
    assert scaling.OFF in [text.get_text() for text in figure.texts]


ADVANTAGE = {"mlp_advantage": 0.04, "mlp_advantage_low": 0.03, "mlp_advantage_high": 0.05}


def test_every_figure_is_the_same_bytes_again(style, assert_same_bytes):
    table = pd.concat([points("P2"), points("P3"), points("P5"), points("P6")])
    assert_same_bytes(lambda: scaling.widths(style, table, FITS))
    assert_same_bytes(lambda: scaling.slopes(style, FITS))
    assert_same_bytes(lambda: scaling.mlp(style, table, ADVANTAGE))
    assert_same_bytes(lambda: scaling.small(style, table))


def test_both_memories_of_p5_are_drawn_over_their_parameters(style, assert_labelled):
    mlp = points("P5", n_heads=(1,), mlp_width=30, parameters=650, accuracy=0.9)
    table = pd.concat([points("P5"), mlp])
    figure = scaling.mlp(style, table, ADVANTAGE)
    attention, with_mlp = figure.axes[0].lines
    assert attention.get_xydata().tolist() == [
        [100, pytest.approx(0.03)], [600, pytest.approx(0.18)], [1100, pytest.approx(0.33)],
    ]  # fmt: skip
    # One head has no MLP to stand for: it is the first of both.
    assert with_mlp.get_xydata().tolist() == [[100, pytest.approx(0.03)], [650, 0.9]]
    assert "0.040 [0.030, 0.050]" in figure.get_suptitle()
    assert "no points in common" in scaling.mlp(style, table, {}).get_suptitle()
    assert_labelled(figure)


def test_p6_tells_its_sizes_and_how_often_it_is_above_the_bound(style):
    table = points("P6", d=(2,), d_head=2, N=10, n=20)
    title = scaling.small(style, table).get_suptitle()
    assert "d = 2, d_h = 2, N = 10 (20 seeds)" in title
    # Lower ends are 0.018, 0.108 and 0.198; the bound is 0.02.
    assert "above the lower bound at 2 of 3 points" in title


def test_the_slopes_are_drawn_with_their_intervals_and_exponent(style):
    figure = scaling.slopes(style, FITS)
    (axes,) = figure.axes
    assert axes.lines[0].get_xydata().tolist() == [[d, 1e-3 * d**2] for d in (3, 4, 5)]
    guide = axes.lines[1]
    assert guide.get_label() == "d^2"
    assert guide.get_ydata().tolist() == pytest.approx([9e-3, 16e-3, 25e-3])
    assert "exponent 2.00 [1.90, 2.10] over 3 dimensions" in figure.get_suptitle()
    few = {name: fit for name, fit in FITS.items() if not name.startswith("P4")}
    assert "too few of them rise" in scaling.slopes(style, few).get_suptitle()


def test_the_fits_of_the_widths_pass_through_what_was_fitted(style):
    table = pd.concat(
        [points("P2", n_heads=(20,)), points("P3", n_heads=(20,), d=(5, 10, 15), d_head=12)]
    )
    figure = scaling.widths(style, table, FITS)
    left, right = figure.axes
    assert "(H = 20; 5 seeds)" in figure.get_suptitle()
    assert left.get_xlabel() == "head dimension d_h (d = 3, 4)"
    assert right.get_xlabel() == "embedding dimension d (d_h = 12)"
    assert "breakpoint at d = 9.5 [9.0, 10.0]" in right.get_title(loc="left")
    quadratic, lines = (
        next(line for line in axes.lines if line.get_label() == "fit for d_h ≠ d")
        for axes in (left, right)
    )
    assert quadratic.get_ydata() == pytest.approx(0.01 * quadratic.get_xdata() ** 2)
    assert lines.get_xydata() == pytest.approx(np.array([[5, 0.35], [9.5, 0.8], [15, 0.91]]))
