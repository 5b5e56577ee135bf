"""C1: what two gains make of attention weights, and of the output."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.conjunction.measure.gains import GainGrid

SHOWN = (0.0, 0.5, 1.0)  # parts of the gains' interval that the weights are shown at


def gains(config: StyleConfig, grid: GainGrid) -> Figure:
    """Draw the signal and patterns, the weights at some gains, outputs and effective positions."""
    z, positions = grid.z, np.arange(len(grid.x))
    title = (
        "C1  Gained dot-product attention: w = softmax($z_1 q_1 + z_2 q_2$), y = w . x\n"
        f"with both gains at {z[-1]:g} it still attends to "
        f"{grid.effective_positions[-1, -1]:.1f} of {len(positions)} positions "
        "(exponential of the weights' entropy)"
    )
    figure, axes = style.panels(config, 2, 3, title, width=1.2)
    axes[0][0].plot(positions, grid.x, color=TRUTH, label="signal $x$")
    axes[0][0].set(xlabel="position", ylabel="signal $x$")
    for k, pattern in enumerate(grid.q):
        axes[1][0].plot(positions, pattern, color=COLOURS[k], label=f"$q_{k + 1}$")
    axes[1][0].set(xlabel="position", ylabel="pattern $q$")
    axes[1][0].legend()
    shown = [round(part * (len(z) - 1)) for part in SHOWN]
    draw_weights(axes[0][1], grid, [(i, shown[0]) for i in shown], "$z_2$ at its lowest")
    draw_weights(axes[1][1], grid, [(shown[-1], i) for i in shown], "$z_1$ at its highest")
    for row, values, label in (
        (0, grid.output, "output $y$"),
        (1, grid.effective_positions, "effective positions"),
    ):
        axis = axes[row][2]
        extent = (z[0], z[-1], z[0], z[-1])
        image = axis.imshow(values.T, origin="lower", extent=extent, aspect="auto", cmap="cividis")
        axis.set(xlabel="gain $z_1$", ylabel="gain $z_2$")
        axis.grid(visible=False)
        figure.colorbar(image, ax=axis, label=label)
    return figure


def draw_weights(axis: Axes, grid: GainGrid, pairs: list[tuple[int, int]], title: str) -> None:
    """Draw the weights at some pairs of gains."""
    for k, (i, j) in enumerate(pairs):
        label = f"$z_1$ = {grid.z[i]:.3g}, $z_2$ = {grid.z[j]:.3g}"
        axis.plot(grid.weights[i, j], color=COLOURS[k + 2], label=label)
    axis.set(xlabel="position", ylabel="weight $w$", ylim=(0, None))
    axis.set_title(title, loc="left")
    axis.legend()
