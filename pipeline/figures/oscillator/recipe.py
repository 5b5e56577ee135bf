"""O7: the recipe that tracks unknown frequencies, and what each of its ingredients does."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.oscillator import names
from pipeline.figures.oscillator.rollouts import draw_errors, draw_states, shown_seed
from pipeline.figures.style import COLOURS, StyleConfig
from pipeline.labs.oscillator.data.windows import WindowDataConfig
from pipeline.labs.oscillator.report.rollouts import Rollouts
from pipeline.labs.oscillator.train.recipe import RecipesConfig

ORACLE = "dmd"  # whose error is drawn beside every model's


def rollout_errors(quantities: Iterable[str]) -> list[str]:
    """Return the rollout errors among the quantities: r50, r200."""
    return [name for name in quantities if name[0] == "r" and name[1:].isdigit()]


def tracked(
    config: StyleConfig,
    rollouts: Rollouts,
    results: Mapping[str, Any],
    data: WindowDataConfig,
    dt: float,
) -> Figure:
    """Draw the four panels of every model, beside the oracle's error."""
    shown = [name for name in rollouts.model if name != ORACLE]
    n = names.count((results[name]["n"] for name in shown), "seed")
    title = (
        f"O7  The recipe: attention that tracks a trajectory of unknown frequency, "
        f"{names.frequencies(data.omega0)}: rollouts after a window of {data.window} states\n"
        "trajectories: one example, by the seed of median error; "
        f"error: median over test trajectories, then over {n} with its interval"
    )
    figure, axes = style.panels(config, len(shown), 4, title)
    for row, name in zip(axes, shown, strict=True):
        measured = results[name]
        draw_states(row[:3], rollouts, {name: "model"}, dt)
        label = f"{names.words(name)}: {measured['parameters']} parameters"
        row[0].set_title(label, loc="left")
        row[2].set_title(shown_seed(rollouts, name), loc="left")
        draw_errors(row[3], rollouts, {name: "model", ORACLE: names.words(ORACLE)}, dt)
        errors = [f"{key} {measured[key]:.1e}" for key in rollout_errors(measured)]
        row[3].set_title("   ".join(errors), loc="left")
    style.legend_below(figure, axes[0][1], axes[0][3])
    return figure


def ablation(config: StyleConfig, table: pd.DataFrame, train: RecipesConfig) -> Figure:
    """Draw r50 and r200 of the recipe and of every variant (rows of the table)."""
    models = list(dict.fromkeys(table.condition))
    lengths = sorted({recipe.training.steps for recipe in train.models.values()})
    title = (
        "O7  The recipe with one ingredient changed, "
        f"{' or '.join(map(str, lengths))} iterations each\n"
        f"median over {names.count(table.n, 'seed')} with its interval"
    )
    figure = style.canvas(config, 3.0, 1.5, title)
    axis = figure.add_subplot()
    for k, quantity in enumerate(rollout_errors(table.quantity.unique())):
        part = table[table.quantity == quantity]
        where = np.array([models.index(name) for name in part.condition]) + 0.2 * (k - 0.5)
        style.intervals(axis, part, where, COLOURS[k], f"rollout error over {quantity[1:]} steps")
    axis.set_yticks(range(len(models)), [names.words(name) for name in models])
    axis.set(xscale="log", xlabel="rms(error) / rms(true)", ylim=(len(models) - 0.5, -0.5))
    style.legend_below(figure, axis)
    return figure
