"""What the oscillator's stages share: reading its data sets, training cells of forecasters."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline import artifacts, execution, trained
from pipeline.core.ensemble import History
from pipeline.core.layers import MemberModule
from pipeline.core.statistics import band
from pipeline.labs.oscillator import datasets, measure
from pipeline.labs.oscillator.forecast import ForecastCell, train_forecaster


def read_split(inputs: Path, split: str) -> datasets.Split:
    """Read one split of the data."""
    return artifacts.read_tensors(inputs / "oscillator_data" / f"{split}.npz", **datasets.SCHEMA)


def compute(cell: ForecastCell) -> tuple[MemberModule, History]:
    """Train one cell in a worker."""
    return train_forecaster(cell, execution.report)


def train_cells(experiment: str, cells: Sequence[ForecastCell]) -> list[trained.Trained]:
    """Train all cells and join those of one name along the members, in the cells' order."""
    steps = sum(cell.training.steps for cell in cells)
    results = execution.map_cells(compute, cells, description=experiment, units=steps)
    names = dict.fromkeys(cell.name for cell in cells)
    done = []
    for name in names:
        own = [k for k, cell in enumerate(cells) if cell.name == name]
        model, history = trained.joined([results[k] for k in own])
        cell = cells[own[0]]
        done.append(
            trained.Trained(
                experiment=experiment,
                name=name,
                seeds=[seed for k in own for seed in cells[k].seeds],
                model=model,
                history=history,
                params={
                    **cell.config.model_dump(mode="json"),
                    **cell.training.model_dump(mode="json"),
                    "loss_kind": cell.loss,
                },
            )
        )
    return done


def grouped(seeds: Sequence[int], size: int) -> list[Sequence[int]]:
    """Cut the seeds into groups that are stacked in one cell."""
    return [seeds[k : k + size] for k in range(0, len(seeds), size)]


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
