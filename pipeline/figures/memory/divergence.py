"""M1-M4: learning curves, freezing, the scaling table and the ablation."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.memory.labels import OBJECTIVES, listed, named, seeds
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

LINES = (
    ("divergence", "attention memory", COLOURS[0]),
    ("low_rank_divergence", "low-rank optimum", COLOURS[2]),
    ("uniform_divergence", "uniform prediction", COLOURS[1]),
)


def curves(config: StyleConfig, history: pd.DataFrame, baselines: pd.DataFrame) -> Figure:
    """M1: loss and accuracy by full divergence and by next tokens, on both distributions."""
    coincide = [
        str(base.distributions)
        for base in baselines.itertuples()
        if _coincide(history, str(base.distributions))
    ]
    also = f"\nWhere the next token is {', '.join(coincide)} the lines coincide" if coincide else ""
    figure, axes = style.panels(
        config, len(baselines), 2,
        "M1: learning on the full divergence and on next tokens (on batches; a line a seed, "
        f"{seeds([history.seed.nunique()])}){also}", width=1.6,
    )  # fmt: skip
    for (loss, accuracy), base in zip(axes, baselines.itertuples(), strict=True):
        for k, objective in enumerate(OBJECTIVES):
            runs = history[history.model == f"{base.distributions}_{objective}"]
            for j, (_, run) in enumerate(runs.groupby("seed")):
                label = OBJECTIVES[objective] if j == 0 else None
                # A next-token loss is a cross entropy: less the entropy it is a divergence.
                shift = base.entropy if objective == "next_token" else 0.0
                look: dict[str, Any] = {"color": COLOURS[k], "lw": 0.7, "alpha": 0.8}
                loss.plot(run.step, run.loss - shift, label=label, **look)
                accuracy.plot(run.step, run.accuracy, label=label, **look)
        loss.axhline(base.uniform, color="grey", lw=1, ls=":", label="uniform prediction")
        loss.axhline(base.low_rank, color=TRUTH, lw=1, ls="--", label="low-rank optimum")
        accuracy.axhline(1 / base.N, color="grey", lw=1, ls=":")
        loss.set(xlabel="batch", ylabel="divergence (nats)")
        accuracy.set(xlabel="batch", ylabel="accuracy", ylim=(0, 1.03))
        loss.set_title(f"{base.distributions} next tokens", loc="left")
    style.legend_below(figure, axes[0][0])
    return figure


def _coincide(history: pd.DataFrame, name: str) -> bool:
    first, second = (
        history[history.model == f"{name}_{objective}"].loss.to_numpy() for objective in OBJECTIVES
    )
    return len(first) == len(second) and bool((first == second).all())


def bars(
    config: StyleConfig, results: Mapping[str, Any], title: str, known: dict[str, str]
) -> Figure:
    """M2, M4: the final divergence and accuracy of every variant, best first.

    ``known`` are the words for the variants' names.
    """
    names = sorted(results, key=lambda name: (results[name]["divergence"], name))
    counts = seeds(results[name]["n"] for name in names)
    tall = max(1.0, len(names) / 7)
    stretched = config.model_copy(update={"panel_height": config.panel_height * tall})
    figure, axes = style.panels(
        stretched, 1, 2, f"{title}: medians of {counts}, least divergence first", width=1.4
    )
    for axis, quantity, label in zip(
        axes[0], ("divergence", "accuracy"), ("divergence (nats)", "accuracy"), strict=True
    ):
        middle = [results[name][quantity] for name in names]
        ends = [
            [m - results[n][f"{quantity}_low"] for m, n in zip(middle, names, strict=True)],
            [results[n][f"{quantity}_high"] - m for m, n in zip(middle, names, strict=True)],
        ]
        axis.barh(
            range(len(names)), middle, xerr=ends, color=COLOURS[0], height=0.6,
            error_kw={"lw": 0.8},
        )  # fmt: skip
        words = [named(name, known) for name in names]
        axis.set_yticks(range(len(names)), words if quantity == "divergence" else [""] * len(names))
        axis.invert_yaxis()
        axis.set_xlabel(label)
    return figure


def scaling(config: StyleConfig, table: pd.DataFrame, results: Mapping[str, Any]) -> Figure:
    """M3: divergence, low-rank optimum and uniform baseline of every distribution, and published.

    ``table`` has a row a model's size and distribution, medians over seeds; ``results`` are M3's
    verdicts, {} where no published distribution is among them.
    """
    groups = list(table.groupby("alpha_1"))
    claim = (
        ".\nThe low-rank optimum is at most "
        f"{results['worst_ratio_to_published']:.2f} times the published one"
        if results
        else ""
    )
    figure, axes = style.panels(
        config, 1, len(groups),
        "M3: divergence on the distributions [alpha_1, alpha_1, alpha_2], "
        f"N = {listed(table.N)}, d = {listed(table.d)} ({seeds(table.n)}){claim}",
    )  # fmt: skip
    shape = f"layers: {listed(table.n_layers)}, MLP: {listed(table.mlp_width)}"
    for axis, (alpha, rows) in zip(axes[0], groups, strict=True):
        for column, label, colour in LINES:
            whole = f"{label} ({shape})" if column == "divergence" else label
            for _, model in rows.groupby(["n_layers", "n_heads", "mlp_width"]):
                band = model[[column, f"{column}_low", f"{column}_high"]].to_numpy().T
                style.banded(axis, model.alpha_2.to_numpy(), band, colour, label=whole)
            known = rows[f"published_{column}"]
            axis.plot(rows.alpha_2, known, "o", mfc="none", ms=3.5, color=colour)
        axis.plot([], [], "o", mfc="none", ms=3.5, color=TRUTH, label="the same, published")
        axis.set(xlabel="alpha_2", ylabel="divergence (nats)", yscale="log")
        axis.set_title(f"alpha_1 = {alpha:g}", loc="left")
    style.legend_below(figure, axes[0][0])
    return figure
