import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from pydantic import ValidationError

from pipeline.figures import style as styles
from pipeline.figures.style import (
    FLOOR,
    StyleConfig,
    banded,
    decades,
    intervals,
    legend_below,
    panels,
)
from pipeline.figures.style import until_out_of_sight as cut


def axes():
    return Figure().subplots()


def test_the_style_holds_inside_its_block_alone():
    config = StyleConfig(dpi=77, font_size=5.0, panel_width=2.0, panel_height=2.0)
    before = dict(mpl.rcParams)
    with styles.applied(config):
        assert mpl.rcParams["savefig.dpi"] == 77
        assert mpl.rcParams["font.size"] == 5.0
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 4)])
def test_panels_come_as_rows_of_columns_of_the_configured_size(style, rows, columns):
    figure, found = panels(style, rows, columns, "a title")
    assert [len(row) for row in found] == [columns] * rows
    assert figure.get_suptitle() == "a title"
    assert figure.get_figwidth() == pytest.approx(1.6 * columns)
    taller, _ = panels(style, rows + 1, columns, "a title")
    assert taller.get_figheight() - figure.get_figheight() == pytest.approx(1.3)


def test_widths_are_in_panels(style):
    figure, _ = panels(style, 1, 2, "a title", width=0.5)
    assert figure.get_figwidth() == pytest.approx(1.6 * 1)


def test_a_band_is_the_median_and_the_interval_around_it(bands):
    panel, x = axes(), np.arange(3.0)
    band = np.array([[1.0, 2.0, 3.0], [0.5, 1.5, 2.5], [1.5, 2.5, 4.0]])
    banded(panel, x, band, "#000000", label="model")
    (line,) = panel.lines
    assert line.get_ydata().tolist() == [1.0, 2.0, 3.0]
    (outline,) = bands(panel)
    drawn = {tuple(point) for point in outline.tolist()}
    assert drawn == {(t, value) for t in range(3) for value in band[1:, t]}
    assert panel.get_legend_handles_labels()[1] == ["model"]


def test_a_row_is_a_dot_with_its_interval():
    panel = axes()
    table = pd.DataFrame({"median": [2.0, 0.0], "low": [1.0, 0.0], "high": [5.0, 1.0]})
    intervals(panel, table, np.array([0.0, 1.0]), "#000000", "model")
    (container,) = panel.containers
    dots, _, (bars,) = container.lines
    assert dots.get_xdata().tolist() == [2.0, FLOOR]
    ends = [segment[:, 0].tolist() for segment in bars.get_segments()]
    assert ends[0] == [1.0, 5.0]
    assert ends[1] == pytest.approx([FLOOR, 1.0])


def test_one_legend_names_everything_once(style):
    figure, (row,) = panels(style, 1, 2, "a title")
    for panel in row:
        panel.plot([0, 1], label="both")
    row[1].plot([1, 0], label="second")
    legend_below(figure, *row)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["both", "second"]


@pytest.mark.parametrize(("length", "columns"), [(2, {6}), (25, {2, 3, 4, 5}), (200, {1})])
def test_a_legend_has_the_columns_that_its_figure_s_width_holds(length, columns):
    figure = Figure(figsize=(8, 2), layout="constrained")
    row = figure.subplots()
    for k in range(6):
        row.plot([0, 1], label=f"{k}" * length)
    legend_below(figure, row)
    (legend,) = figure.legends
    assert legend._ncols in columns
    assert (legend.get_window_extent().width <= figure.bbox.width) == (length < 200)
    assert len(legend.get_texts()) == 6


def test_a_path_is_blank_from_where_it_leaves_for_good():
    path = np.array([[0.0, 0.0], [2.9, -2.9], [3.1, 0.0], [0.0, 0.0]])
    found = cut(path, np.array([1.0, 1.0]))
    assert found[:2].tolist() == path[:2].tolist()
    assert bool(np.isnan(found[2:]).all())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_path_that_is_no_longer_finite_is_out_of_sight(bad):
    found = cut(np.array([[0.0, 0.0], [0.0, bad], [0.0, 0.0]]), np.array([1.0, 1.0]))
    assert np.isnan(found).all(axis=1).tolist() == [False, True, True]


def test_each_channel_has_its_own_reach():
    path = np.array([[5.0, 0.0], [0.0, 5.0]])
    found = cut(path, np.array([2.0, 1.0]))
    assert np.isnan(found).all(axis=1).tolist() == [False, True]


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        ([2e-5, 3e-1], (1e-5, 1.0)),
        ([1e-5, 1e-2], (1e-5, 1e-2)),
        ([3e-4, 5e-4], (1e-5, 1e-3)),
        ([0.0, 5.0], (FLOOR, 10.0)),
        ([1.0, 1.0], (1e-2, 1.0)),
    ],
    ids=["inside", "on the edge", "too narrow", "zero", "one value"],
)
def test_a_logarithmic_axis_spans_whole_decades_at_least_two(values, limits):
    panel = axes()
    decades(panel, np.array(values))
    assert panel.get_yscale() == "log"
    assert panel.get_ylim() == pytest.approx(limits)


def test_decades_span_all_the_arrays():
    panel = axes()
    decades(panel, np.array([1e-3]), np.array([[20.0, 1.0]]))
    assert panel.get_ylim() == pytest.approx((1e-3, 1e2))


def test_the_colours_are_distinct_and_none_is_the_truth_s():
    assert len({*styles.COLOURS, styles.TRUTH}) == len(styles.COLOURS) + 1


@pytest.mark.parametrize("change", [{"dpi": 49}, {"font_size": 3.0}, {"panel_width": 0.5}])
def test_sizes_that_nobody_could_read_are_refused(change):
    sizes = {"dpi": 50, "font_size": 6.0, "panel_width": 1.6, "panel_height": 1.3}
    with pytest.raises(ValidationError):
        StyleConfig(**{**sizes, **change})
