"""O3, O5 and O6: rollouts of the study's attention models, and linear models beside the best."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.oscillator import names
from pipeline.figures.oscillator.rollouts import draw_errors, draw_states, shown_seed
from pipeline.figures.style import TRUTH, StyleConfig
from pipeline.labs.oscillator.data.fixed import FixedDataConfig
from pipeline.labs.oscillator.data.windows import WindowDataConfig
from pipeline.labs.oscillator.report.rollouts import Rollouts
from pipeline.labs.oscillator.train.studies import (
    FixedTrainConfig,
    VariableTrainConfig,
    gamma_of,
)

STUDY_CLAIM = 1e-4  # relative error of its rollouts (post 3, "Results")
EXAMPLE = "trajectories: one example, by the seed of median error"


def seeds(n: int) -> str:
    """Say what a band of errors shows."""
    of = names.count([n], "seed")
    return f"error: median over test trajectories, then over {of} with its interval"


def fixed(
    config: StyleConfig,
    rollouts: Rollouts,
    data: FixedDataConfig,
    train: FixedTrainConfig,
    dt: float,
) -> Figure:
    """O3: attention on one frequency; post 3's two figures as rows."""
    dampings = list(dict.fromkeys(gamma_of(name) for name in rollouts.model))
    omega0 = names.frequencies((data.omega0, data.omega0))
    title = (
        f"O3  Attention on single states ({names.shape(train.model)}), {omega0}: "
        f"rollouts from energies of {data.energy_train:g} to {data.energy_valid:g}\n"
        f"{EXAMPLE}; {seeds(len(train.seeds))}"
    )
    figure, axes = style.panels(config, len(dampings), 4, title)
    for row, gamma in zip(axes, dampings, strict=True):
        labels = {
            gamma + ending: names.recipe(training, ending.removeprefix("_"))
            for ending, training in train.recipes.items()
        }
        draw_states(row[:3], rollouts, {gamma: labels[gamma]}, dt)
        row[0].set_title(names.damping(gamma), loc="left")
        row[2].set_title(shown_seed(rollouts, gamma), loc="left")
        draw_errors(row[3], rollouts, labels, dt)
        claim = f"study's claim, {STUDY_CLAIM:g}"
        row[3].axhline(STUDY_CLAIM, color=TRUTH, linewidth=0.8, linestyle=":", label=claim)
    style.legend_below(figure, axes[0][1], axes[0][3])
    return figure


def variable(
    config: StyleConfig,
    rollouts: Rollouts,
    data: WindowDataConfig,
    train: VariableTrainConfig,
    dt: float,
) -> Figure:
    """O5: the study's models on varying frequency; post 2's figures 3 to 7 as rows."""
    title = (
        f"O5  The study's attention models, {names.frequencies(data.omega0)}: "
        f"rollouts after a window of {data.window} states\n"
        f"{EXAMPLE}; {seeds(len(train.seeds))}"
    )
    figure, axes = style.panels(config, len(rollouts.model), 4, title)
    for row, name in zip(axes, rollouts.model, strict=True):
        draw_states(row[:3], rollouts, {name: "model"}, dt)
        row[0].set_title(names.shape(train.models[name]), loc="left")
        row[2].set_title(shown_seed(rollouts, name), loc="left")
        draw_errors(row[3], rollouts, {name: "model"}, dt)
    style.legend_below(figure, axes[0][1])
    return figure


def compared(
    config: StyleConfig, rollouts: Rollouts, surrogate: Mapping[str, Any], dt: float
) -> Figure:
    """O6: attention, linear regression and the linear surrogate; post 2's figure 8."""
    apart = surrogate["valid_imitation_time"]
    title = (
        "O6  Is the attention model reduced to a linear one?\n"
        f"surrogate R$^2$ = {surrogate['r2_score']:.4f}, "
        f"of increments {surrogate['r2_score_increment']:.3f}; "
        f"its rollouts leave attention's after {names.count([apart], 'step')} "
        f"(medians over {names.count([surrogate['n']], 'seed')})"
    )
    figure, axes = style.panels(config, 2, 2, title, width=1.7)
    states = ["attention", "linear", "surrogate"]
    labels = {name: names.words(name) for name in states}
    draw_states([axes[1][1], axes[0][0], axes[0][1]], rollouts, labels, dt)
    seeded = {labels[name]: shown_seed(rollouts, name) for name in states}
    said = [f"{seed} of {label}" for label, seed in seeded.items() if seed]
    axes[0][0].set_title(f"shown: {', '.join(said)}", loc="left")
    # In this order, so that a model has its colour in all panels.
    others = [name for name in rollouts.model if name not in states]
    draw_errors(axes[1][0], rollouts, labels | {name: names.words(name) for name in others}, dt)
    style.legend_below(figure, axes[0][0], axes[1][0])
    return figure
