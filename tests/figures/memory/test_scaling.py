import numpy as np
import pandas as pd
import pytest

from pipeline.figures.memory import scaling as memory_scaling


def points(experiment="P1", d=(3, 4), n_heads=(1, 6, 11), published=True):
    rows = [
        {
            "experiment": experiment, "model": f"d{k}_h{H}", "engine": "exact",
            "eval_distribution": eval_distribution, "N": 50, "d": k, "d_head": k, "n_heads": H, "width": 0,
            "n_layers": 1, "parameters": 100 * H, "accuracy": 0.01 * H * k, "accuracy_low": 0.009 * H * k,
            "accuracy_high": 0.011 * H * k, "n": 5, "published": 0.01 * H * k if published else np.nan,
            "bound": 0.02, "earlier_bound": 0.01,
        }
        for k in d
        for H in n_heads
        for eval_distribution in ("uniform", "train")
    ]  # fmt: skip
    return pd.DataFrame(rows)


SLOPE = ("slope", "slope_low", "slope_high")
FITS = {
    **{
        f"P1.linear_d{d}": dict(zip(SLOPE, (1e-3 * d**2, 9e-4 * d**2, 1.1e-3 * d**2), strict=True))
        for d in (3, 4, 5)
    },
    "P4.slope_growth": {"exponent": 2.0, "exponent_low": 1.9, "exponent_high": 2.1},
    "P2.quadratic_mapped": {
        "constant": 0.0, "linear": 0.0, "quadratic": 0.01, "r2": 0.99, "r2_of_a_line": 0.9,
    },
    "P3.piecewise_mapped": {
        "break": 9.5, "break_low": 9.0, "break_high": 10.0, "at_break": 0.8, "slope_before": 0.1,
        "slope_after": 0.02,
    },
}  # fmt: skip


def test_the_published_points_are_drawn_in_every_panel(style, assert_labelled):
    figure = memory_scaling.heads(style, points(), FITS)
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
    figure = memory_scaling.heads(style, points(d=(3,)), FITS)
    outline = bands(figure.axes[0])[0]
    assert outline[:, 1].max() == pytest.approx(0.011 * 11 * 3)
    assert outline[:, 1].min() == pytest.approx(0.009 * 3)


@pytest.mark.parametrize("rows", [points("P7", published=False), points("P6")])
def test_without_rows_it_says_how_to_switch_it_on(style, rows):
    figure = memory_scaling.large(style, rows)
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert ("off: set memory.train_large.run" in said) == ("P7" not in set(rows.experiment))


def test_every_figure_is_the_same_bytes_again(style, assert_same_bytes):
    table = pd.concat([points("P2"), points("P3"), points("P5"), points("P6")])
    assert_same_bytes(lambda: memory_scaling.widths(style, table, FITS))
    assert_same_bytes(lambda: memory_scaling.slopes(style, FITS))
    assert_same_bytes(lambda: memory_scaling.mlp(style, table))
    assert_same_bytes(lambda: memory_scaling.small(style, table))


def test_the_fits_of_the_widths_pass_through_what_was_fitted(style):
    table = pd.concat([points(experiment="P2"), points(experiment="P3", d=(5, 10, 15))])
    left, right = memory_scaling.widths(style, table, FITS).axes
    quadratic, hinge = (
        next(line for line in axes.lines if line.get_label() == "fit for d_h ≠ d")
        for axes in (left, right)
    )
    assert quadratic.get_ydata() == pytest.approx(0.01 * quadratic.get_xdata() ** 2)
    assert hinge.get_xydata() == pytest.approx(np.array([[5, 0.35], [9.5, 0.8], [15, 0.91]]))


def test_fits_come_back_from_their_long_table():
    rows = [{"fit": n, "quantity": q, "value": v} for n, f in FITS.items() for q, v in f.items()]
    assert memory_scaling.as_fits(pd.DataFrame(rows)) == FITS
