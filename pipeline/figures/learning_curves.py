"""Loss against training step, a thin line for each seed."""

from collections.abc import Callable, Sequence

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, StyleConfig

CEILING = 1e2  # greatest loss that is shown


def learning_curves(
    config: StyleConfig,
    histories: dict[str, pd.DataFrame],
    title: str,
    quantities: Sequence[tuple[str, str]],
    unit: str,
    words: Callable[[str], str] = str,
) -> Figure:
    """Draw a row for each history and a column for each quantity (column of the table, label).

    A history has the columns model, seed, step and the quantities; ``words`` gives the display name
    of a model.
    """
    figure, axes = style.panels(config, len(histories), len(quantities), title, width=1.7)
    for row, (name, table) in zip(axes, histories.items(), strict=True):
        for axis, (quantity, label) in zip(row, quantities, strict=True):
            for k, (model, runs) in enumerate(table.groupby("model", sort=False)):
                for j, (_, run) in enumerate(runs.groupby("seed")):
                    axis.plot(
                        run.step, run[quantity].clip(lower=style.FLOOR**2),
                        color=COLOURS[k % len(COLOURS)],
                        linestyle=style.LINES[k // len(COLOURS) % len(style.LINES)],
                        linewidth=0.8, alpha=0.8,
                        label=words(str(model)) if j == 0 else None,
                    )  # fmt: skip
            axis.set(xlabel="training step", ylabel=unit, yscale="log")
            # A model that ran away must not press the others flat.
            axis.set_ylim(top=min(axis.get_ylim()[1], CEILING))
            axis.set_title(f"{name}: {label}", loc="left")
        row[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
