"""M1-M4: learning curves, freezing, the scaling table and the ablation."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig


def curves(config: StyleConfig, history: pd.DataFrame, baselines: pd.DataFrame) -> Figure:
    """M1: loss and accuracy by full divergence and by next tokens, on both distributions."""
    figure, axes = style.panels(
        config, len(baselines), 2,
        "M1: learning on the full divergence and on next tokens (on batches; a line a seed).\n"
        "Where the next token is certain both are the same loss, and the lines coincide",
        width=1.6,
    )  # fmt: skip
    for (loss, accuracy), base in zip(axes, baselines.itertuples(), strict=True):
        for k, objective in enumerate(("divergence", "next_token")):
            runs = history[history.model == f"{base.distributions}_{objective}"]
            for j, (_, run) in enumerate(runs.groupby("seed")):
                label = objective.replace("_", " ") if j == 0 else None
                # A next-token loss is a cross entropy: less the distribution's entropy it is a divergence.
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


def bars(config: StyleConfig, metrics: dict[str, Any], title: str) -> Figure:
    """M2, M4: the final divergence and accuracy of every variant, best first."""
    names = sorted(metrics, key=lambda name: metrics[name]["divergence"])
    tall = max(1.0, len(names) / 7)
    stretched = config.model_copy(update={"panel_height": config.panel_height * tall})
    figure, axes = style.panels(stretched, 1, 2, title, width=1.3)
    for axis, quantity, unit in zip(
        axes[0], ("divergence", "accuracy"), ("nats", "share"), strict=True
    ):
        middle = [metrics[n][quantity] for n in names]
        half_width = [
            [m - metrics[n][f"{quantity}_low"] for m, n in zip(middle, names, strict=True)],
            [metrics[n][f"{quantity}_high"] - m for m, n in zip(middle, names, strict=True)],
        ]
        axis.barh(
            range(len(names)),
            middle,
            xerr=half_width,
            color=COLOURS[0],
            height=0.6,
            error_kw={"lw": 0.8},
        )
        axis.set_yticks(range(len(names)), names if quantity == "divergence" else [""] * len(names))
        axis.invert_yaxis()
        axis.set_xlabel(f"{quantity} over the distribution ({unit})")
    return figure


def scaling(config: StyleConfig, table: pd.DataFrame) -> Figure:
    """M3: loss, low-rank optimum and uniform baseline on every distribution, with the published ones."""
    groups = list(table.groupby("alpha_1"))
    figure, axes = style.panels(
        config,
        1,
        len(groups),
        "M3: divergence on the distributions [alpha_1, alpha_1, alpha_2], N = 100, d = 10",
    )
    lines = (
        ("loss", "attention and MLP, 2 layers", COLOURS[0]),
        ("best_loss", "low-rank optimum", COLOURS[2]),
        ("unif_loss", "uniform prediction", COLOURS[1]),
    )
    for axis, (alpha, rows) in zip(axes[0], groups, strict=True):
        own = rows.groupby("alpha_2", as_index=False).mean(numeric_only=True)
        for column, label, colour in lines:
            axis.plot(own.alpha_2, own[column], color=colour, label=label)
            axis.plot(
                own.alpha_2, own[f"published_{column}"], "o", mfc="none", ms=3.5, color=colour
            )
        axis.plot([], [], "o", mfc="none", ms=3.5, color=TRUTH, label="the same, published")
        axis.set(xlabel="alpha_2", ylabel="divergence (nats)", yscale="log")
        axis.set_title(f"alpha_1 = {alpha:g}", loc="left")
    style.legend_below(figure, axes[0][0])
    return figure
