"""What the oscillator's measuring stages share: rolling models out, writing rollouts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.core.nn.layers import MemberModule
from pipeline.core.stats.intervals import band
from pipeline.labs.oscillator import measure
from pipeline.runtime import artifacts


@dataclass(frozen=True)
class RolloutCell:
    """One model to roll out from windows [trajectory, ...] or [member, trajectory, ...]."""

    model: MemberModule
    window: Tensor
    steps: int


def roll_out(cell: RolloutCell) -> Tensor:
    """Roll out in a worker."""
    return measure.predict_rollouts(cell.model, cell.window, cell.steps)


def write_rollouts(path: Path, rollouts: Mapping[str, tuple[Tensor, Tensor]]) -> None:
    """Write what the figures draw of {model: (predicted [member, trajectory, step, 2], true)}.

    The last trajectory is the example, shown for the first seed; the others make the error's band:
    at each step the median over trajectories, then median and interval over seeds.
    """
    errors = [
        band(measure.state_relative_error(predicted[:, :-1], true[:-1]).median(1).values)
        for predicted, true in rollouts.values()
    ]
    artifacts.write_npz(
        path,
        names=np.array(list(rollouts)),
        predicted=torch.stack([predicted[0, -1] for predicted, _ in rollouts.values()]),
        true=torch.stack([true[-1] for _, true in rollouts.values()]),
        error=torch.stack(errors),
    )
