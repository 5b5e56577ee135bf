"""E7: learning curves with energies in the loss, and with other numbers of heads."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.energy.train.recall import LossConfig

ROWS = {
    "validation_accuracy": "accuracy on fresh sequences",
    "match": "attention on the pair asked for",
    "excess": "cosine with descent,\nminus another sequence's",
}
BASELINE = "task"


def learning(
    config: StyleConfig, history: pd.DataFrame, losses: Mapping[str, LossConfig], n_heads: int
) -> Figure:
    """Draw how training goes, a line for each seed, beside the task alone in black.

    ``n_heads`` is that of the models of all ``losses``. A column a kind of change: the cosine with
    descent in the loss, the energy itself, other numbers of heads.
    """
    table = history.assign(excess=history["alignment"] - history["other_alignment"])
    seeds = table["seed"].nunique()
    title = (
        "E7 Associative recall: what energies in the loss and numbers of heads do "
        f"(a line for each of {seeds} seeds)"
    )
    columns = families(table, losses)
    figure, rows = style.panels(config, len(ROWS), len(columns), title, width=1.1)
    for k, (what, models) in enumerate(columns.items()):
        for row, (quantity, label) in zip(rows, ROWS.items(), strict=True):
            axes = row[k]
            for colour, name in zip(COLOURS, models, strict=False):
                draw(axes, table, name, quantity, colour, words(name, losses))
            draw(axes, table, BASELINE, quantity, TRUTH, f"task alone, {n_heads} heads")
            axes.set(xlabel="step", ylabel=label if k == 0 else "")
            if quantity != "excess":
                axes.set_ylim(-0.03, 1.03)
        rows[0][k].set_title(what)
    style.legend_below(figure, *rows[0])
    return figure


def families(table: pd.DataFrame, losses: Mapping[str, LossConfig]) -> dict[str, Sequence[str]]:
    """Return the models other than the baseline, by what was changed; kinds that exist alone."""
    names = [name for name in dict.fromkeys(table["model"]) if name != BASELINE]
    kinds = {
        "cosine with descent in the loss": [
            n for n in names if n in losses and losses[n].alignment
        ],
        "energy in the loss": [n for n in names if n in losses and losses[n].energy],
        "numbers of heads": [n for n in names if n not in losses],
    }
    return {what: models for what, models in kinds.items() if models}


def words(name: str, losses: Mapping[str, LossConfig]) -> str:
    """Say in words what a model was trained with."""
    if name in losses:
        return f"loss: {losses[name].description}"
    count = name.removeprefix("heads_")
    return f"task alone, {count} head{'' if count == '1' else 's'}"


def draw(
    axes: Axes, table: pd.DataFrame, name: str, quantity: str, colour: str, label: str
) -> None:
    """Draw one model's runs."""
    runs = table[table["model"] == name].groupby("seed")
    for number, (_, run) in enumerate(runs):
        axes.plot(run["step"], run[quantity], color=colour, linewidth=0.8, alpha=0.8,
                  label=label if number == 0 else None)  # fmt: skip
