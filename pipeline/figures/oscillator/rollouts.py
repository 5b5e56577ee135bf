"""The study's four panels: phase space, x(t), p(t) and the relative error of a rollout."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

# In the order of their colours.
NAMES = {
    "attention": "attention (best)",
    "linear": "linear, normal equation",
    "surrogate": "linear surrogate of attention",
    "linear_gradient": "linear, gradient descent",
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


def draw_states(axes: list[Axes], rollouts: Rollouts, labels: dict[str, str], dt: float) -> None:
    """Fill the panels phase space, x(t) and p(t) with the truth and some models' examples."""
    _, true, _ = rollouts.of(next(iter(labels)))
    time = dt * np.arange(1, len(true) + 1)
    # A model that runs away must not push the truth out of sight.
    reach = 1.6 * np.abs(true).max(axis=0)
    phase, position, momentum = axes
    curves: list[tuple[Any, Any]] = [(true, {"color": TRUTH, "label": "exact"})]
    for k, (name, label) in enumerate(labels.items()):
        path = style.until_out_of_sight(rollouts.of(name)[0], reach)
        line = style.LINES[1 + k % (len(style.LINES) - 1)]
        curves.append((path, {"color": COLOURS[k], "label": label, "linestyle": line}))
    for path, look in curves:
        phase.plot(*path.T, **look)
        position.plot(time, path[:, 0], **look)
        momentum.plot(time, path[:, 1], **look)
    limits = [(-r, r) for r in reach]
    phase.set(xlabel="$x$", ylabel="$p$", xlim=limits[0], ylim=limits[1])
    position.set(xlabel="time (s)", ylabel="$x$", ylim=limits[0])
    momentum.set(xlabel="time (s)", ylabel="$p$", ylim=limits[1])


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
    title = (
        "O3  One-layer attention, T = 1, one frequency: rollouts from validation energies\n"
        f"error: median over trajectories, then over {seeds} seeds with its interval"
    )
    figure, axes = style.panels(config, len(mains), 4, title)
    for row, name in zip(axes, mains, strict=True):
        draw_states(row[:3], rollouts, {name: "float64, cosine"}, dt)
        row[0].set_title(rf"$\gamma$ = {name.removeprefix('gamma_')} 1/s", loc="left")
        recipes = {name: "float64, cosine"}
        others = [other for other in rollouts.names if other.startswith(f"{name}_")]
        recipes |= {other: other.removeprefix(f"{name}_") for other in others}
        draw_error(row[3], rollouts, recipes, dt)
        row[3].axhline(1e-4, color=TRUTH, linewidth=0.8, linestyle=":", label="study's claim")
    style.legend_below(figure, axes[0][1], axes[0][3])
    return figure


def variable(config: StyleConfig, rollouts: Rollouts, dt: float, about: str) -> Figure:
    """O5: the study's models on varying frequency; post 2's figures 3 to 7 as rows."""
    title = f"O5  The study's models on varying frequency: rollouts after a true window\n{about}"
    figure, axes = style.panels(config, len(rollouts.names), 4, title)
    for row, name in zip(axes, rollouts.names, strict=True):
        draw_states(row[:3], rollouts, {name: "model"}, dt)
        row[0].set_title(name, loc="left")
        draw_error(row[3], rollouts, {name: "model"}, dt)
    style.legend_below(figure, axes[0][1])
    return figure


def compared(
    config: StyleConfig, rollouts: Rollouts, dt: float, surrogate: Mapping[str, float]
) -> Figure:
    """O6: attention, linear regression and the linear surrogate; post 2's figure 8."""
    title = (
        "O6  Is the attention model reduced to a linear one?\n"
        f"surrogate R$^2$ = {surrogate['r2']:.4f}, of increments {surrogate['r2_increment']:.3f}; "
        f"its rollouts part from attention's after {surrogate['divergence_horizon']:.0f} steps "
        f"(medians over {surrogate['n']} seeds)"
    )
    figure, axes = style.panels(config, 2, 2, title, width=1.7)
    draw_states(
        [axes[1][1], axes[0][0], axes[0][1]],
        rollouts,
        {name: NAMES[name] for name in ("attention", "linear", "surrogate")},
        dt,
    )
    draw_error(axes[1][0], rollouts, {name: NAMES[name] for name in NAMES}, dt)
    style.legend_below(figure, axes[0][0], axes[1][0])
    return figure
