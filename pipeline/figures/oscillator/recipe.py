"""O7: the recipe that tracks unknown frequencies, what each ingredient does, how far it carries."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.oscillator.rollouts import Rollouts, draw_error, draw_states
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig


def horizons(quantities: Iterable[str]) -> list[str]:
    """Return the rollout errors among the quantities: r50, r200."""
    return [name for name in quantities if name[0] == "r" and name[1:].isdigit()]


def tracked(
    config: StyleConfig,
    rollouts: Rollouts,
    metrics: Mapping[str, Any],
    dt: float,
) -> Figure:
    """Draw the four panels of every model, beside the oracle's error."""
    shown = [name for name in rollouts.names if name != "dmd"]
    n = max(found["n"] for found in metrics.values())
    title = (
        "O7  Attention that tracks a trajectory of unknown frequency: rollouts after a window\n"
        f"error: median over test trajectories, then over {n} seeds with its interval"
    )
    figure, axes = style.panels(config, len(shown), 4, title)
    for row, name in zip(axes, shown, strict=True):
        found = metrics[name]
        draw_states(row[:3], rollouts, {name: "model"}, dt)
        row[0].set_title(f"{name}: {found['parameters']} parameters", loc="left")
        errors = "   ".join(f"{name} {found[name]:.1e}" for name in horizons(found))
        row[1].set_title(errors, loc="left")
        draw_error(row[3], rollouts, {name: "model", "dmd": "in-context DMD (oracle)"}, dt)
    style.legend_below(figure, axes[0][1], axes[0][3])
    return figure


def ablation(config: StyleConfig, table: pd.DataFrame, steps: int) -> Figure:
    """Draw r50 and r200 of the recipe and of every variant (rows of the table)."""
    names = list(dict.fromkeys(table.condition))
    n = int(table.n.max())
    title = (
        f"O7  The recipe with one ingredient changed, {steps} iterations each\n"
        f"median over {n} seeds with its interval"
    )
    figure = style.canvas(config, 3.0, 1.5, title)
    axis = figure.add_subplot()
    for k, quantity in enumerate(horizons(table.quantity.unique())):
        part = table[table.quantity == quantity]
        where = np.array([names.index(name) for name in part.condition]) + 0.2 * (k - 0.5)
        style.intervals(axis, part, where, COLOURS[k], f"rollout error over {quantity[1:]} steps")
    axis.set_yticks(range(len(names)), names)
    axis.set(xscale="log", xlabel="rms(error) / rms(true)", ylim=(len(names) - 0.5, -0.5))
    style.legend_below(figure, axis)
    return figure


def generality(config: StyleConfig, table: pd.DataFrame, trained: tuple[float, float]) -> Figure:
    """Draw the error against noise, and against the band of frequencies, for the shown models."""
    steps = str(table.quantity.iloc[0]).split("_")[0].removeprefix("r")
    title = (
        "O7  Noise in the window, and frequencies outside the training range\n"
        f"rollout error over {steps} steps: median over {int(table.n.max())} seeds, with interval"
    )
    figure = style.canvas(config, 3.6, 1.6, title)
    noise, frequency = (figure.add_subplot(1, 2, k) for k in (1, 2))
    draw_conditions(noise, table[table.experiment == "noise"])
    noise.set(xlabel="noise on x and p (rms)", ylabel="rms(error) / rms(true)")
    draw_conditions(frequency, table[table.experiment == "frequency"])
    frequency.set(xlabel=r"$\omega_0$ (rad/s)")
    frequency.set_title(f"trained on {trained[0]:g} to {trained[1]:g} rad/s", loc="left")
    style.legend_below(figure, noise)
    return figure


def draw_conditions(axis: Axes, table: pd.DataFrame) -> None:
    """Draw one line a model over the conditions, evenly spaced, in the table's order."""
    conditions = list(dict.fromkeys(table.quantity))
    for k, (name, part) in enumerate(table.groupby("condition", sort=False)):
        colour = TRUTH if name in ("dmd", "likelihood") else COLOURS[k % len(COLOURS)]
        line = style.LINES[(k // len(COLOURS) + (name == "likelihood")) % len(style.LINES)]
        x = np.array([conditions.index(quantity) for quantity in part.quantity], dtype=float)
        band = np.stack([part["median"], part["low"], part["high"]]).clip(style.FLOOR)
        style.banded(axis, x, band, colour, label=str(name), line=line)
    labels = [" to ".join(condition.split("_")[1:]) for condition in conditions]
    axis.set_xticks(range(len(conditions)), labels)
    axis.set_yscale("log")
