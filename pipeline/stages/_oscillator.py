"""What the oscillator's stages share: reading its data sets, training cells of forecasters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from pipeline.labs.oscillator.recipe import RecipeCell, RecipesConfig, train_recipe


def read_split(inputs: Path, split: str) -> datasets.Split:
    """Read one split of the data."""
    return artifacts.read_tensors(inputs / "oscillator_data" / f"{split}.npz", **datasets.SCHEMA)


@dataclass(frozen=True)
class Test:
    """Windows of the test trajectories and the true states after them; the last is the example."""

    window: Tensor
    true: Tensor
    omega0: Tensor
    gamma: Tensor


def read_test(inputs: Path, data: str) -> Test:
    """Read the test trajectories of a data set, the example added as the last of them."""
    size = read_split(inputs, f"{data}_valid")["states"].shape[1] - 1
    splits = [read_split(inputs, f"{data}_{name}") for name in ("test", "example")]
    joined = {name: torch.cat([split[name] for split in splits]) for name in datasets.SCHEMA}
    states = joined["states"]
    return Test(states[:, :size], states[:, size:], joined["omega0"], joined["gamma"])


@dataclass(frozen=True)
class RolloutCell:
    """One model to roll out from windows [trajectory, ...] or [member, trajectory, ...]."""

    model: MemberModule
    window: Tensor
    steps: int


def roll_out(cell: RolloutCell) -> Tensor:
    """Roll out in a worker."""
    return measure.predict_rollouts(cell.model, cell.window, cell.steps)


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


def compute_recipe(cell: RecipeCell) -> tuple[MemberModule, History]:
    """Train one cell of O7 in a worker."""
    return train_recipe(cell, execution.report)


def train_recipes(inputs: Path, config: RecipesConfig) -> list[trained.Trained]:
    """Train the recipes' models, seeds stacked in cells, each on the data that it names."""
    needed = dict.fromkeys(recipe.data for recipe in config.models.values())
    splits = {
        (data, part): read_split(inputs, f"{data}_{part}")
        for data in needed
        for part in ("train", "valid")
    }
    cells = [
        RecipeCell(
            name=name,
            seeds=seeds,
            recipe=recipe,
            train=splits[recipe.data, "train"],
            valid=splits[recipe.data, "valid"],
        )
        for name, recipe in config.models.items()
        for seeds in grouped(config.seeds, config.members_per_cell)
    ]
    steps = sum(cell.recipe.training.steps for cell in cells)
    results = execution.map_cells(compute_recipe, cells, description="O7", units=steps)
    done = []
    for name, recipe in config.models.items():
        own = [k for k, cell in enumerate(cells) if cell.name == name]
        model, history = trained.joined([results[k] for k in own])
        done.append(
            trained.Trained(
                experiment="O7",
                name=name,
                seeds=config.seeds,
                model=model,
                history=history,
                params=recipe.model_dump(mode="json"),
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
