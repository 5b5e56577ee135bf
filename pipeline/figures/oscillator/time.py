"""O2: the network of time."""

import numpy as np
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.oscillator import names
from pipeline.figures.oscillator.rollouts import draw_states, shown_seed
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.oscillator.report.energy import EnergyInTime
from pipeline.labs.oscillator.report.rollouts import Rollouts


def network(
    config: StyleConfig, rollouts: Rollouts, energy: EnergyInTime, dt: float, n: int
) -> Figure:
    """Draw the network's trajectory (post 4's figure) and ln E / E_exact against time."""
    over = names.count([n], "seed")
    title = (
        "O2  A network of time, (x0, p0, t) → (x, p): is its energy conserved?\n"
        "trajectory: one example, by the seed of median error; "
        f"energy: median over test trajectories, then over {over} with its interval"
    )
    (name,) = rollouts.model
    figure, axes = style.panels(config, 1, 4, title)
    draw_states(axes[0][:3], rollouts, {name: "network"}, dt)
    axes[0][2].set_title(shown_seed(rollouts, name), loc="left")
    time = dt * np.arange(1, energy.ratio.shape[1] + 1)
    style.banded(axes[0][3], time, energy.ratio, COLOURS[0])
    axes[0][3].axhline(0, color=TRUTH, linewidth=0.8)
    axes[0][3].set(xlabel="time (s)", ylabel=r"$\ln\, E / E_{exact}$")
    style.legend_below(figure, axes[0][1])
    return figure
