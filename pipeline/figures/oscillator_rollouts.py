"""The study's four panels: phase space, x(t), p(t) and the relative error of a rollout."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

NAMES = {
    "attention": "attention (best)",
    "linear": "linear, normal equation",
    "linear_gradient": "linear, gradient descent",
    "surrogate": "linear surrogate of attention",
    "dmd": "in-context DMD (oracle)",
}


@dataclass(frozen=True)
class Rollouts:
    """Rollouts of several models: an example of each, and its error's band over seeds."""

    names: list[str]
    predicted: Float[np.ndarray, "model step 2"]
    true: Float[np.ndarray, "model step 2"]
    error: Float[np.ndarray, "model 3 step"]

    def of(self, name: str) -> tuple[Any, Any, Any]:
        """Return one model's example, its truth and its error band."""
        k = self.names.index(name)
        return self.predicted[k], self.true[k], self.error[k]


def draw_four(axes: list[Axes], rollouts: Rollouts, name: str, dt: float, label: str) -> None:
    """Fill one row of panels for one model."""
    predicted, true, _ = rollouts.of(name)
    time = dt * np.arange(1, len(true) + 1)
    # A model that runs away must not push the truth out of sight.
    reach = 1.6 * np.abs(true).max(axis=0)
    phase, position, momentum, error = axes
    phase.plot(*true.T, color=TRUTH, label="exact")
    phase.plot(*predicted.T, color=COLOURS[0], linestyle="--", label="model")
    phase.set(xlabel="$x$", ylabel="$p$", xlim=(-reach[0], reach[0]), ylim=(-reach[1], reach[1]))
    phase.set_title(label, loc="left")
    for axis, channel, symbol in ((position, 0, "$x$"), (momentum, 1, "$p$")):
        axis.plot(time, true[:, channel], color=TRUTH, label="exact")
        axis.plot(time, predicted[:, channel], color=COLOURS[0], linestyle="--", label="model")
        axis.set(xlabel="time (s)", ylabel=symbol, ylim=(-reach[channel], reach[channel]))
    draw_error(error, rollouts, {name: "model"}, dt)


def draw_error(axis: Axes, rollouts: Rollouts, labels: dict[str, str], dt: float) -> None:
    """Draw the relative error of the state against time for several models."""
    bands = [np.maximum(rollouts.of(name)[2], style.FLOOR) for name in labels]
    time = dt * np.arange(1, bands[0].shape[1] + 1)
    for k, (band, label) in enumerate(zip(bands, labels.values(), strict=True)):
        style.banded(axis, time, band, COLOURS[k % len(COLOURS)], label=label)
    style.decades(axis, *bands)
    axis.set(xlabel="time (s)", ylabel="|error| / |state|")


def fixed(config: StyleConfig, rollouts: Rollouts, dt: float, seeds: int) -> Figure:
    """O3: one-layer attention on one frequency; post 3's two figures as rows."""
    mains = [name for name in rollouts.names if name.count("_") == 1]
    figure, axes = style.panels(
        config, len(mains), 4,
        "O3  One-layer attention, T = 1, one frequency: rollouts from validation energies\n"
        f"error: median over trajectories, then over {seeds} seeds with its interval",
    )  # fmt: skip
    for row, name in zip(axes, mains, strict=True):
        gamma = name.removeprefix("gamma_")
        draw_four(row, rollouts, name, dt, rf"$\gamma$ = {gamma} 1/s")
        row[3].clear()
        recipes = {n: n.removeprefix(name).strip("_") or "this recipe" for n in rollouts.names
                   if n == name or n.startswith(f"{name}_")}  # fmt: skip
        draw_error(row[3], rollouts, recipes, dt)
        row[3].axhline(1e-4, color=TRUTH, linewidth=0.8, linestyle=":", label="study's claim")
        row[3].legend(loc="best")
    axes[0][1].legend(loc="upper right")
    return figure


def variable(config: StyleConfig, rollouts: Rollouts, dt: float, about: str) -> Figure:
    """O5: the study's models on varying frequency; post 2's figures 3 to 7 as rows."""
    figure, axes = style.panels(
        config, len(rollouts.names), 4,
        f"O5  The study's models on varying frequency: rollouts after a true window\n{about}",
    )  # fmt: skip
    for row, name in zip(axes, rollouts.names, strict=True):
        draw_four(row, rollouts, name, dt, name)
    axes[0][1].legend(loc="upper right")
    return figure


def compared(config: StyleConfig, rollouts: Rollouts, dt: float, about: str) -> Figure:
    """O6: attention, linear regression and the linear surrogate; post 2's figure 8."""
    figure, axes = style.panels(
        config, 2, 2, f"O6  Is the attention model reduced to a linear one?\n{about}",
        widths=(1.6, 1.6),
    )  # fmt: skip
    _, true, _ = rollouts.of("attention")
    time = dt * np.arange(1, len(true) + 1)
    reach = 1.6 * np.abs(true).max(axis=0)
    shown = ("attention", "linear", "surrogate")
    for axis, channel, symbol in ((axes[0][0], 0, "$x$"), (axes[0][1], 1, "$p$")):
        axis.plot(time, true[:, channel], color=TRUTH, label="exact")
        for name in shown:
            k = rollouts.names.index(name)
            axis.plot(
                time, rollouts.predicted[k][:, channel], color=COLOURS[k],
                linestyle=style.LINES[1 + shown.index(name)], label=NAMES[name],
            )  # fmt: skip
        axis.set(xlabel="time (s)", ylabel=symbol, ylim=(-reach[channel], reach[channel]))
    axes[0][0].legend(loc="upper right")
    draw_error(axes[1][0], rollouts, {n: NAMES[n] for n in rollouts.names}, dt)
    axes[1][0].legend(loc="center right")
    phase = axes[1][1]
    phase.plot(*true.T, color=TRUTH)
    for name in shown:
        k = rollouts.names.index(name)
        line = style.LINES[1 + shown.index(name)]
        phase.plot(*rollouts.predicted[k].T, color=COLOURS[k], linestyle=line)
    phase.set(xlabel="$x$", ylabel="$p$", xlim=(-reach[0], reach[0]), ylim=(-reach[1], reach[1]))
    return figure
