"""O4: what one model trained with each of two losses predicts, and what it reads."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.oscillator import names
from pipeline.figures.oscillator.rollouts import draw_every_seed, draw_states, shown_seed
from pipeline.figures.style import StyleConfig
from pipeline.labs.oscillator.data.windows import WindowDataConfig
from pipeline.labs.oscillator.report.rollouts import Rollouts
from pipeline.labs.oscillator.report.saliency import SaliencyMaps
from pipeline.labs.oscillator.train.studies import SequenceTrainConfig


def trained(
    config: StyleConfig,
    rollouts: Rollouts,
    data: WindowDataConfig,
    train: SequenceTrainConfig,
    dt: float,
) -> Figure:
    """Draw the four panels for each loss, the error of every seed; post 2's figure 1."""
    title = (
        f"O4  Attention ({names.shape(train.model)}) on windows of {data.window} states, "
        f"{names.frequencies(data.omega0)}: a loss a row\n"
        "trajectories: one example, by the seed of median error; "
        f"error: median over test trajectories, each of {len(train.seeds)} seeds"
    )
    figure, axes = style.panels(config, len(rollouts.model), 4, title)
    for row, name in zip(axes, rollouts.model, strict=True):
        draw_states(row[:3], rollouts, {name: "model"}, dt)
        row[0].set_title(names.words(name), loc="left")
        row[2].set_title(shown_seed(rollouts, name), loc="left")
        draw_every_seed(row[3], rollouts, name, dt)
    style.legend_below(figure, axes[0][1], axes[0][3])
    return figure


def saliency(config: StyleConfig, maps: SaliencyMaps, results: Mapping[str, Any]) -> Figure:
    """Draw the saliency maps of every seed, a loss a row; post 2's figure 2."""
    losses, columns = maps.off_diagonal.shape
    medians = "; ".join(
        f"{names.words(loss)} $|W_O|$ = {results[loss]['norm_W_O']:.2g}, "
        f"attention / direct path {results[loss]['attention_share']:.2g}"
        for loss in maps.loss
    )
    title = (
        r"O4  Saliency $\partial Y_i / \partial X_j$ (channels x, p interleaved): "
        "above each map, the share of it that is off the diagonal\n"
        f"medians over {names.count([columns], 'seed')}: {medians}"
    )
    figure, axes = style.panels(config, losses, columns, title)
    for i, loss in enumerate(maps.loss):
        for k, axis in enumerate(axes[i]):
            bar = "derivative" if k == columns - 1 else ""
            draw_map(figure, axis, maps.maps[i, k], bar)
            median = ", the median" if k == maps.median[i] else ""
            share = f"seed {maps.seeds[i, k]}{median}: {100 * maps.off_diagonal[i, k]:.2g} %"
            axis.set_title(share, loc="left")
        axes[i][0].set_ylabel(f"{names.words(loss)}\noutput position $i$")
    return figure


def draw_map(figure: Figure, axis: Axes, matrix: Any, bar: str) -> None:
    """Draw one map over positions, zero in the middle of its colours, their bar labelled."""
    time = len(matrix) // 2
    greatest = float(np.abs(matrix).max())
    image = axis.imshow(
        matrix,
        cmap="RdBu_r",
        vmin=-greatest,
        vmax=greatest,
        extent=(0.5, time + 0.5, time + 0.5, 0.5),
    )
    axis.set_xlabel("input position $j$")
    axis.grid(visible=False)
    figure.colorbar(image, ax=axis, label=bar, shrink=0.8)
