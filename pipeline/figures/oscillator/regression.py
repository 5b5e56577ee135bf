"""O1: the line with its bands, likelihood against squares, and two engineered features."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.oscillator.report.regression_examples import RegressionExamples


def regression(
    config: StyleConfig, data: RegressionExamples, results: Mapping[str, Any], seed: int
) -> Figure:
    """Draw the four panels from the draw of one seed and the results over all draws."""
    spring, car, housing = (results[name] for name in ("spring", "car", "housing"))
    title = (
        f"O1  Linear regression on made data of known truth (shown: the draw of seed {seed})\n"
        f"numbers: medians over {car['n']} draws; coverage: mean"
    )
    figure, axes = style.panels(config, 1, 4, title)
    draw_spring(axes[0][0], data)
    axes[0][0].set_title(
        f"bands cover {spring['coverage_line']:.1%} of the line,\n"
        f"{spring['coverage_new']:.1%} of new measurements",
        loc="left",
    )
    draw_likelihood(axes[0][1], data)
    axes[0][1].set_title(f"optima differ by {spring['likelihood_gap']:.0e}", loc="left")
    draw_car(axes[0][2], data)
    axes[0][2].set_title(f"the feature divides the error by {car['gain']:.1f}", loc="left")
    draw_housing(axes[0][3], data)
    axes[0][3].set_title(f"the term divides the error by {housing['gain']:.1f}", loc="left")
    return figure


def draw_spring(axis: Axes, data: RegressionExamples) -> None:
    """Draw the measurements, the line, its confidence band and its prediction band."""
    centre, narrow, wide = data.spring_fit
    x = data.spring_grid
    axis.plot(data.spring_x, data.spring_y, "o", color=TRUTH, markersize=3)
    axis.plot(x, centre, color=COLOURS[0])
    axis.fill_between(x, centre - wide, centre + wide, color=COLOURS[0], alpha=0.15, linewidth=0)
    axis.fill_between(x, centre - narrow, centre + narrow, color=COLOURS[0], alpha=0.4, linewidth=0)
    axis.set(xlabel="position (m)", ylabel="weight (N)")


def draw_likelihood(axis: Axes, data: RegressionExamples) -> None:
    """Draw likelihood and squared error over the slope, above their minima and to one scale."""
    curves = {"$-\\log L$": data.spring_likelihood, "squared error": data.spring_squares}
    for k, (label, values) in enumerate(curves.items()):
        above = values - values.min()
        axis.plot(data.spring_slopes, above / above.max(), color=COLOURS[k],
                  linestyle=style.LINES[k], label=label)  # fmt: skip
    axis.set(xlabel="slope (N/m)", ylabel="above the minimum (relative)")
    axis.legend(loc="upper center")


def draw_car(axis: Axes, data: RegressionExamples) -> None:
    """Draw the measured ranges, the truth, and the fits with one feature and with two."""
    truth, plain, engineered = data.car_curves
    axis.plot(data.car_v, data.car_y, "o", color=TRUTH, markersize=2.5, alpha=0.6)
    axis.plot(data.car_grid, truth, color=TRUTH, label="truth")
    axis.plot(data.car_grid, plain, color=COLOURS[1], linestyle="--", label="$v$")
    axis.plot(data.car_grid, engineered, color=COLOURS[0], linestyle="-.", label="$v$, $1/v^2$")
    axis.set(xlabel="speed (km/h)", ylabel="range (km)")
    axis.legend(loc="upper right")


def draw_housing(axis: Axes, data: RegressionExamples) -> None:
    """Draw predicted against true prices, without and with the interaction."""
    true, without, joint = data.housing_prices
    axis.plot(true, without, "s", color=COLOURS[1], markersize=3, label="without interaction")
    axis.plot(true, joint, "o", color=COLOURS[0], markersize=3, label="with")
    ends = [true.min(), true.max()]
    axis.plot(ends, ends, color=TRUTH, linewidth=0.8)
    axis.set(xlabel="true price (thousands)", ylabel="predicted price (thousands)")
    axis.legend(loc="upper left")
