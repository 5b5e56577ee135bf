"""O4: what one-layer attention with T = 40 reads, for two losses."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.oscillator.rollouts import Rollouts, draw_error, draw_states
from pipeline.figures.style import StyleConfig


def trained(config: StyleConfig, rollouts: Rollouts, dt: float, n: int) -> Figure:
    """Draw the four panels for each loss; post 2's figure 1."""
    title = (
        "O4  One-layer attention, T = 40, one frequency: last-position against sequence loss\n"
        f"error: median over test trajectories, then over {n} seeds with its interval"
    )
    figure, axes = style.panels(config, len(rollouts.names), 4, title)
    for row, name in zip(axes, rollouts.names, strict=True):
        draw_states(row[:3], rollouts, {name: "model"}, dt)
        row[0].set_title(f"loss: {name}", loc="left")
        draw_error(row[3], rollouts, {name: "model"}, dt)
    style.legend_below(figure, axes[0][1])
    return figure


def saliency(
    config: StyleConfig,
    names: list[str],
    maps: Float[np.ndarray, "model row column"],
    metrics: Mapping[str, Any],
) -> Figure:
    """Draw the saliency maps of the first seed; post 2's figure 2."""
    title = (
        r"O4  Saliency $\partial Y_i / \partial X_j$ (channels x, p interleaved), first seed"
        "\nabove each: medians over seeds"
    )
    figure = style.canvas(config, 1.7 * len(names), 1.9, title)
    for k, (name, matrix) in enumerate(zip(names, maps, strict=True), start=1):
        axis = figure.add_subplot(1, len(names), k)
        time = len(matrix) // 2
        reach = float(np.abs(matrix).max())
        image = axis.imshow(
            matrix,
            cmap="RdBu_r",
            vmin=-reach,
            vmax=reach,
            extent=(0.5, time + 0.5, time + 0.5, 0.5),
        )
        found = metrics[name]
        axis.set(xlabel="input position $j$", ylabel="output position $i$")
        axis.set_title(
            f"loss: {name}\noff-diagonal {found['off_diagonal_saliency']:.1%}, "
            f"$|W_O|$ = {found['norm_W_O']:.2g},\nattention / direct path "
            f"{found['attention_share']:.2g}",
            loc="left",
        )
        axis.grid(visible=False)
        figure.colorbar(image, ax=axis, label="derivative", shrink=0.8)
    return figure
