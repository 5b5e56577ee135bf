"""E7, E9: what the trained recall models tell beyond descent: readouts, basins, heads, a curve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from pipeline.bounds import Count
from pipeline.config import Section
from pipeline.core.nn.transformer import Transformer
from pipeline.core.stats.intervals import Summary, proportion, summary
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.measure.phases import PhaseConfig
from pipeline.labs.energy.measure.trained.temperature import temperature

LEARNED = 0.9  # accuracy that counts as having learned to recall
SOLVED = 0.99  # accuracy that counts as solved, at the end


class RecallMeasureConfig(Section):
    """``sequences`` of each seed that judge; ``fitted`` ones that a readout is fitted to.

    ``octaves``: how far above and below 1 / sqrt(d_head) the inverse temperature goes.
    """

    sequences: Annotated[int, Field(ge=2, le=10**5)]
    fitted: Count
    octaves: Annotated[int, Field(ge=1, le=20)]


@dataclass(frozen=True)
class TemperatureRow:
    """``temperature.csv``: one quantity at ``factor`` / sqrt(d_head), over ``n`` seeds."""

    factor: float
    quantity: str
    median: float
    low: float
    high: float
    n: int


def series(history: pd.DataFrame, model: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the recorded steps, and a column as [seed, step]."""
    runs = history[history["model"] == model].pivot_table(
        index="seed", columns="step", values=column, sort=True
    )
    return runs.columns.to_numpy(), np.array(runs)


def first_step(steps: np.ndarray, values: np.ndarray, level: Tensor | float) -> Tensor:
    """Return, for each seed, the first recorded step at which values reach a level.

    A seed that does not gets one record more than the last step: later than any that does.
    """
    late = steps[-1] + (steps[-1] - steps[-2] if len(steps) > 1 else 1)
    level_of = np.broadcast_to(np.asarray(level, float).reshape(-1, 1), (len(values), 1))
    reached = values >= level_of
    first = np.where(reached.any(1), steps[reached.argmax(1)], late)
    return torch.from_numpy(first.astype(float))


def learning(history: pd.DataFrame, names: list[str], baseline: str) -> dict[str, Summary]:
    """Return ``MODEL_learning``: when accuracy passes :data:`LEARNED`, and where it ends.

    ``solved`` is the fraction of seeds that end above :data:`SOLVED`; ``extra_steps`` how many more
    steps a seed needs than with the baseline, from the same weights and on the same batches.
    """
    found = {}
    of_baseline = first_step(*series(history, baseline, "validation_accuracy"), LEARNED)
    for name in names:
        steps, values = series(history, name, "validation_accuracy")
        final = torch.tensor(values[:, -1])
        taken = first_step(steps, values, LEARNED)
        found[f"{name}_learning"] = proportion("solved", final >= SOLVED) | summary(
            {"final": final, "steps_to_learn": taken, "extra_steps": taken - of_baseline}
        )
    return found


def curve(history: pd.DataFrame, name: str, untrained_match: Tensor) -> Summary:
    """Return how queries come to match keys over a training, and whether layers descend.

    ``match`` is the attention that the best head's asked queries give to the pair they need, before
    training and after; ``match_step`` the first step half-way between, ``accuracy_step`` that of
    the accuracy, ``lead`` the second minus the first. ``alignment_excess`` is the cosine of the
    layers' updates with descent, minus that of another sequence's, at the end; ``largest_excess``
    its largest value on the way.
    """
    steps, match = series(history, name, "match")
    _, accuracy = series(history, name, "validation_accuracy")
    excess = series(history, name, "alignment")[1] - series(history, name, "other_alignment")[1]
    start = untrained_match.numpy()
    match_step = first_step(steps, match, torch.from_numpy((start + match[:, -1]) / 2))
    halfway = torch.from_numpy((accuracy[:, 0] + accuracy[:, -1]) / 2)
    accuracy_step = first_step(steps, accuracy, halfway)
    values = {
        "match_before": untrained_match,
        "match_after": match[:, -1],
        "match_rise": match[:, -1] - start,
        "match_step": match_step,
        "accuracy_step": accuracy_step,
        "lead": accuracy_step - match_step,
        "alignment_excess": excess[:, -1],
        "largest_excess": excess.max(1),
    }
    return summary({key: torch.as_tensor(value) for key, value in values.items()})


def factors(octaves: int) -> list[float]:
    """Return powers of two around 1: parts and multiples of 1 / sqrt(d_head)."""
    return [2.0**k for k in range(-octaves, octaves + 1)]


def temperatures(
    task: recall.RecallConfig,
    model: Transformer,
    sequences: recall.Sequences,
    config: RecallMeasureConfig,
    kinds: PhaseConfig,
) -> dict[float, Summary]:
    """Return what each inverse temperature does to accuracy and fixed points."""
    return {
        factor: summary(temperature(task, model, sequences, factor, kinds))
        for factor in factors(config.octaves)
    }


def temperature_table(found: Mapping[float, Summary]) -> pd.DataFrame:
    """Lay out :class:`TemperatureRow` for each factor and quantity."""
    return pd.DataFrame(
        TemperatureRow(
            factor=factor, quantity=name, median=values[name], low=values[f"{name}_low"],
            high=values[f"{name}_high"], n=int(values["n"]),
        )
        for factor, values in found.items()
        for name in values
        if f"{name}_low" in values
    )  # fmt: skip
