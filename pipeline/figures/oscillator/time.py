"""O2: the network of time, and the energy of every model's trajectories."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.oscillator.rollouts import Rollouts, draw_states
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

CONSERVED = 0.01  # the line drawn at a change of one per cent


def network(
    config: StyleConfig, rollouts: Rollouts, ratio: Float[np.ndarray, "3 step"], dt: float, n: int
) -> Figure:
    """Draw the network's trajectory (post 4's figure) and ln E / E_exact against time."""
    title = (
        "O2  A network of time, (x0, p0, t) → (x, p): is its energy conserved?\n"
        f"energy: median over test trajectories, then over {n} seeds with its interval"
    )
    figure, axes = style.panels(config, 1, 4, title)
    draw_states(axes[0][:3], rollouts, {"time_network": "network"}, dt)
    time = dt * np.arange(1, ratio.shape[1] + 1)
    style.banded(axes[0][3], time, ratio, COLOURS[0])
    axes[0][3].axhline(0, color=TRUTH, linewidth=0.8)
    axes[0][3].set(xlabel="time (s)", ylabel=r"$\ln\, E / E_{exact}$")
    style.legend_below(figure, axes[0][1])
    return figure


def energies(config: StyleConfig, table: pd.DataFrame) -> Figure:
    """Draw energy's drift and spread of every model of the lab (rows of the energy table)."""
    labels = list(dict.fromkeys(table.experiment + "  " + table.condition))
    rows = len(labels)
    title = "O2  Does energy decay as it should? Median over seeds with its interval"
    figure = style.canvas(config, 3.2, max(1.0, rows / 9), title)
    axis = figure.add_subplot()
    for k, (quantity, name) in enumerate(
        (("energy_drift", "drift at the end"), ("energy_spread", "spread over time"))
    ):
        part = table[table.quantity == quantity]
        where = [labels.index(label) for label in part.experiment + "  " + part.condition]
        style.intervals(axis, part, np.array(where) + 0.2 * (k - 0.5), COLOURS[k], name)
    axis.axvline(CONSERVED, color=TRUTH, linewidth=0.8, linestyle=":", label="1 %")
    axis.set_yticks(range(rows), labels)
    axis.set(xscale="log", xlabel=r"$|\ln\, E / E_{exact}|$", ylim=(rows - 0.5, -0.5))
    style.legend_below(figure, axis)
    return figure
