"""O7: rollout errors of every model against noise, and against the band of frequencies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.oscillator import names
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.oscillator.measure.robustness import RobustnessConfig
from pipeline.labs.oscillator.models.oracles import ORACLES


@dataclass(frozen=True)
class Group:
    """Models that share a row, and the ranges of frequencies (rad/s) that they were trained on."""

    title: str
    models: Sequence[str]
    trained: Sequence[tuple[float, float]]


def robustness(
    config: StyleConfig,
    table: pd.DataFrame,
    tested: RobustnessConfig,
    groups: Sequence[Group],
    words: Callable[[str], str],
) -> Figure:
    """Draw a row a group, noise on the left, frequencies on the right, the oracles in each panel.

    The rows are those of the robustness table (QuantityRow).
    """
    learned = table[~table.condition.isin(ORACLES)]
    title = (
        "O7  Noise in the window, and frequencies outside the training range\n"
        f"rollout error over {tested.steps} steps: "
        f"median over {names.count(learned.n, 'seed')} with its interval"
    )
    figure, axes = style.panels(config, len(groups), 2, title, width=1.5)
    noise = {tested.noise_quantity(level): f"{level:g}" for level in tested.noise}
    bands = {tested.band_quantity(b): f"{b[0]:g} to {b[1]:g}" for b in tested.bands}
    for (left, right), group in zip(axes, groups, strict=True):
        draw_conditions(left, table[table.experiment == "noise"], noise, group, words)
        left.set(xlabel="noise on x and p (rms)", ylabel="rms(error) / rms(true)")
        left.set_title(group.title, loc="left")
        draw_conditions(right, table[table.experiment == "frequency"], bands, group, words)
        right.set(xlabel=r"$\omega_0$ (rad/s)", ylabel="rms(error) / rms(true)")
        ranges = [names.frequencies(omega0) for omega0 in dict.fromkeys(group.trained)]
        right.set_title(f"trained on {' or '.join(ranges)}", loc="left")
        for axis in (left, right):  # one scale, so that rows can be compared
            style.decades(axis, table[["median", "low", "high"]].to_numpy())
        right.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def draw_conditions(
    axis: Axes,
    table: pd.DataFrame,
    conditions: dict[str, str],
    group: Group,
    words: Callable[[str], str],
) -> None:
    """Draw a line a model over the conditions, evenly spaced; the oracles are black."""
    lines = [(name, COLOURS[k % len(COLOURS)], "-") for k, name in enumerate(group.models)]
    lines += [(name, TRUTH, style.LINES[1 + k]) for k, name in enumerate(ORACLES)]
    for name, colour, line in lines:
        part = table[table.condition == name].set_index("quantity").loc[list(conditions)]
        band = np.stack([part["median"], part["low"], part["high"]]).clip(style.FLOOR)
        x = np.arange(len(conditions), dtype=float)
        style.banded(axis, x, band, colour, label=words(name), line=line)
    axis.set_xticks(range(len(conditions)), list(conditions.values()))
