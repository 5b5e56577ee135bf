"""The study's four panels: phase space, x(t), p(t) and the relative error of a rollout."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH
from pipeline.labs.oscillator.report.rollouts import NO_SEED, Rollouts

ERROR = "|error| / |state|"


def draw_states(
    axes: Sequence[Axes], rollouts: Rollouts, labels: Mapping[str, str], dt: float
) -> None:
    """Fill the panels phase space, x(t) and p(t) with the truth and some models' examples."""
    true = rollouts.true[rollouts.model.index(next(iter(labels)))]
    time = dt * np.arange(1, len(true) + 1)
    # A model that runs away must not push the truth out of sight.
    half_width = 1.6 * np.abs(true).max(axis=0)
    phase, position, momentum = axes
    curves: list[tuple[Any, Any]] = [(true, {"color": TRUTH, "label": "exact"})]
    for k, (name, label) in enumerate(labels.items()):
        example = rollouts.predicted[rollouts.model.index(name)]
        path = style.until_out_of_sight(example, half_width)
        line = style.LINES[1 + k % (len(style.LINES) - 1)]
        curves.append((path, {"color": COLOURS[k], "label": label, "linestyle": line}))
    for path, look in curves:
        phase.plot(*path.T, **look)
        position.plot(time, path[:, 0], **look)
        momentum.plot(time, path[:, 1], **look)
    limits = [(-each, each) for each in half_width]
    phase.set(xlabel="$x$", ylabel="$p$", xlim=limits[0], ylim=limits[1])
    position.set(xlabel="time (s)", ylabel="$x$", ylim=limits[0])
    momentum.set(xlabel="time (s)", ylabel="$p$", ylim=limits[1])


def shown_seed(rollouts: Rollouts, model: str) -> str:
    """Say which seed's example is drawn; what has no seed says nothing."""
    seed = int(rollouts.seed[rollouts.model.index(model)])
    return "" if seed == NO_SEED else f"seed {seed}"


def draw_errors(axis: Axes, rollouts: Rollouts, labels: Mapping[str, str], dt: float) -> None:
    """Draw the relative error of the state against time for several models, with its band."""
    bands = [np.maximum(rollouts.error[rollouts.model.index(name)], style.FLOOR) for name in labels]
    time = dt * np.arange(1, bands[0].shape[1] + 1)
    for k, (band, label) in enumerate(zip(bands, labels.values(), strict=True)):
        style.banded(axis, time, band, COLOURS[k % len(COLOURS)], label=label)
    style.decades(axis, *bands)
    axis.set(xlabel="time (s)", ylabel=ERROR)


def draw_every_seed(axis: Axes, rollouts: Rollouts, model: str, dt: float) -> None:
    """Draw the relative error of every seed of one model, the seed of the example thick."""
    k = rollouts.model.index(model)
    chosen = rollouts.run_model == k
    runs = np.maximum(rollouts.run_error[chosen], style.FLOOR)
    time = dt * np.arange(1, runs.shape[1] + 1)
    for seed, run in zip(rollouts.run_seed[chosen], runs, strict=True):
        is_shown = seed == rollouts.seed[k]
        axis.plot(
            time, run,
            color=COLOURS[0] if is_shown else COLOURS[1],
            linewidth=1.6 if is_shown else 0.8,
            zorder=3 if is_shown else 2,
            label="the seed shown" if is_shown else "each other seed",
        )  # fmt: skip
    style.decades(axis, runs)
    axis.set(xlabel="time (s)", ylabel=ERROR)
