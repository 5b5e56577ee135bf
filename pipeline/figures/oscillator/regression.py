"""O1: the line with its bands, likelihood against squares, and two engineered features."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

Arrays = Mapping[str, Float[np.ndarray, "..."]]


def regression(config: StyleConfig, data: Arrays, metrics: Mapping[str, Any]) -> Figure:
    """Draw the four panels from one draw's arrays and the metrics over all draws."""
    spring, car, housing = (metrics[name] for name in ("spring", "car", "housing"))
    title = (
        "O1  Linear regression on made data of known truth (one draw shown)\n"
        f"numbers: medians over {car['n']} draws; coverage: mean"
    )
    figure, axes = style.panels(config, 1, 4, title)
    line, profile, speed, price = axes[0]

    centre, narrow, wide = data["spring_fit"]
    x = data["spring_grid"]
    line.plot(data["spring_x"], data["spring_y"], "o", color=TRUTH, markersize=3)
    line.plot(x, centre, color=COLOURS[0])
    line.fill_between(x, centre - wide, centre + wide, color=COLOURS[0], alpha=0.15, linewidth=0)
    line.fill_between(x, centre - narrow, centre + narrow, color=COLOURS[0], alpha=0.4, linewidth=0)
    line.set(xlabel="position (m)", ylabel="weight (N)")
    line.set_title(
        f"bands cover {spring['coverage_line']:.1%} of the line,\n"
        f"{spring['coverage_new']:.1%} of new measurements",
        loc="left",
    )

    slopes = data["spring_slopes"]
    for k, (name, label) in enumerate(
        (("spring_likelihood", "$-\\log L$"), ("spring_squares", "squared error"))
    ):
        curve = data[name] - data[name].min()
        profile.plot(slopes, curve / curve.max(), color=COLOURS[k], linestyle=style.LINES[k],
                     label=label)  # fmt: skip
    profile.set(xlabel="slope (N/m)", ylabel="above the minimum (relative)")
    profile.set_title(f"optima differ by {spring['likelihood_gap']:.0e}", loc="left")
    profile.legend(loc="upper center")

    truth, plain, engineered = data["car_curves"]
    speed.plot(data["car_v"], data["car_y"], "o", color=TRUTH, markersize=2.5, alpha=0.6)
    speed.plot(data["car_grid"], truth, color=TRUTH, label="truth")
    speed.plot(data["car_grid"], plain, color=COLOURS[1], linestyle="--", label="$v$")
    speed.plot(data["car_grid"], engineered, color=COLOURS[0], linestyle="-.", label="$v$, $1/v^2$")
    speed.set(xlabel="speed (km/h)", ylabel="range (km)")
    speed.set_title(f"the feature divides the error by {car['gain']:.1f}", loc="left")
    speed.legend(loc="upper right")

    true, without, joint = data["housing_prices"]
    price.plot(true, without, "s", color=COLOURS[1], markersize=3, label="without interaction")
    price.plot(true, joint, "o", color=COLOURS[0], markersize=3, label="with")
    ends = [true.min(), true.max()]
    price.plot(ends, ends, color=TRUTH, linewidth=0.8)
    price.set(xlabel="true price (thousands)", ylabel="predicted price (thousands)")
    price.set_title(f"the term divides the error by {housing['gain']:.1f}", loc="left")
    price.legend(loc="upper left")
    return figure
