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
    "P1.curvature": {"share_of_lines": 2 / 3, "n": 3},
    "P2.forms_mapped": {
        "error_line": 0.03, "error_line_low": 0.02, "error_line_high": 0.04,
        "error_quadratic": 0.01, "error_quadratic_low": 0.01, "error_quadratic_high": 0.01,
    },
    "P3.piecewise_mapped": {
        "breakpoint": 9.5, "breakpoint_low": 9.0, "breakpoint_high": 10.0,
        "value_at_breakpoint": 0.8, "slope_before": 0.1, "slope_after": 0.02,
    },
}  # fmt: skip
GAPS = {
    f"published_gap_h{H}": {"gap_train": 0.1, "gap_train_low": 0.0, "gap_train_high": 0.2, "n": 2}
    for H in (11, 1)
} | {"all": {}}


def test_the_published_points_are_drawn_in_every_panel(style, assert_labelled):
    figure = scaling.heads(style, points(), FITS, GAPS)
    *shown, gaps = figure.axes
    assert gaps.lines[0].get_xydata().tolist() == [[1, 0.1], [11, 0.1]]
    assert len(shown) == 2
    for axes in shown:
        published = [line for line in axes.lines if "published (" in str(line.get_label())]
        assert published[0].get_ydata().tolist() == pytest.approx(
            [0.01 * H * (3 if axes is shown[0] else 4) for H in (1, 6, 11)]
        )
        assert sum("bound" in str(line.get_label()) for line in axes.lines) == 2
    assert_labelled(figure)


def test_the_band_is_the_interval_over_seeds(style, bands):
    figure = scaling.heads(style, points(d=(3,)), FITS, {})
    outline = bands(figure.axes[0])[0]
    assert outline[:, 1].max() == pytest.approx(0.011 * 11 * 3)
    assert outline[:, 1].min() == pytest.approx(0.009 * 3)


def test_the_title_of_p1_tells_the_fits_the_engine_and_the_seeds(style):
    title = scaling.heads(style, points(), FITS, GAPS).get_suptitle()
    assert "trained on full batches (5 seeds)" in title
    assert "a line at 2 of 3 d" in title
    assert "too few points rise" in scaling.heads(style, points(), {}, {}).get_suptitle()


def test_the_protocol_run_again_is_drawn_over_the_sampled_contexts(style):
    again = points("P1_published", d=(4,), n_heads=(11,))
    figure = scaling.heads(style, pd.concat([points(), again]), FITS, {})
    crosses = [axes.lines[-1].get_xydata().tolist() for axes in figure.axes[:2]]
    assert crosses == [[], [[11, pytest.approx(0.44)]]]


def test_every_figure_is_the_same_bytes_again(style, assert_same_bytes):
    table = pd.concat([points("P2"), points("P3")])
    assert_same_bytes(lambda: scaling.widths(style, table, FITS))
    assert_same_bytes(lambda: scaling.slopes(style, FITS))


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
    left, right, forms, _ = figure.axes
    # The least error stands last, that is highest.
    assert [label.get_text() for label in forms.get_yticklabels()] == ["line", "quadratic"]
    assert "(H = 20; 5 seeds)" in figure.get_suptitle()
    assert left.get_xlabel() == "head dimension d_h (d = 3, 4)"
    assert right.get_xlabel() == "embedding dimension d (d_h = 12)"
    assert "break at 9.5 [9.0, 10.0]" in right.get_title(loc="left")
    quadratic, lines = (
        next(line for line in axes.lines if line.get_label() == "fit for d_h ≠ d")
        for axes in (left, right)
    )
    assert quadratic.get_ydata() == pytest.approx(0.01 * quadratic.get_xdata() ** 2)
    assert lines.get_xydata() == pytest.approx(np.array([[5, 0.35], [9.5, 0.8], [15, 0.91]]))


def test_the_slopes_say_whether_one_power_does(style):
    halves = {"exponent_lower_half": 2.8, "exponent_upper_half": 2.2, "middle": 8.0, "is_power": 0}
    fits = FITS | {"P4.slope_growth": FITS["P4.slope_growth"] | halves}
    title = scaling.slopes(style, fits).get_suptitle()
    assert "not one power:\n2.80 up to d = 8, 2.20 from there" in title
