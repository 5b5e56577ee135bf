"""C1: what two gains make of attention weights, and of the output."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

SHOWN = (0.0, 0.5, 1.0)  # parts of the gains' interval that the weights are shown at


def gains(
    config: StyleConfig,
    x: Float[np.ndarray, " position"],
    q: Float[np.ndarray, "2 position"],
    z: Float[np.ndarray, " gain"],
    weights: Float[np.ndarray, "gain gain position"],
    output: Float[np.ndarray, "gain gain"],
    spread: Float[np.ndarray, "gain gain"],
) -> Figure:
    """Draw the signal and patterns, the weights on a 3 x 3 grid of gains, outputs and spreads."""
    title = "C1  Gained dot-product attention: w = softmax($z_1 q_1 + z_2 q_2$), y = w . x"
    figure, axes = style.panels(config, 2, 3, title, width=1.2)
    positions = np.arange(len(x))
    axes[0][0].plot(positions, x, color=TRUTH, label="signal $x$")
    axes[0][0].set(xlabel="position", ylabel="signal $x$")
    for k, pattern in enumerate(q):
        axes[1][0].plot(positions, pattern, color=COLOURS[k], label=f"$q_{k + 1}$")
    axes[1][0].set(xlabel="position", ylabel="pattern $q$")
    axes[1][0].legend()
    chosen = [round(part * (len(z) - 1)) for part in SHOWN]
    draw_weights(axes[0][1], z, weights, [(i, chosen[0]) for i in chosen], "$z_2$ at its lowest")
    draw_weights(axes[1][1], z, weights, [(chosen[-1], i) for i in chosen], "$z_1$ at its highest")
    for row, values, label in ((0, output, "output $y$"), (1, spread, "positions attended")):
        axis = axes[row][2]
        extent = (z[0], z[-1], z[0], z[-1])
        image = axis.imshow(values.T, origin="lower", extent=extent, aspect="auto", cmap="cividis")
        axis.set(xlabel="gain $z_1$", ylabel="gain $z_2$")
        axis.grid(visible=False)
        figure.colorbar(image, ax=axis, label=label)
    return figure


def draw_weights(
    axis: Axes,
    z: Float[np.ndarray, " gain"],
    weights: Float[np.ndarray, "gain gain position"],
    pairs: list[tuple[int, int]],
    title: str,
) -> None:
    """Draw the weights at some pairs of gains."""
    for k, (i, j) in enumerate(pairs):
        label = f"$z_1$ = {z[i]:.3g}, $z_2$ = {z[j]:.3g}"
        axis.plot(weights[i, j], color=COLOURS[k + 2], label=label)
    axis.set(xlabel="position", ylabel="weight $w$", ylim=(0, None))
    axis.set_title(title, loc="left")
    axis.legend()
