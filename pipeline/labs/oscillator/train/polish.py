"""O7's finish: Levenberg-Marquardt in float64 on the recipe's own loss."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.bounds import Count
from pipeline.config import Section
from pipeline.core.device import CPU
from pipeline.core.training.levenberg_marquardt import LevenbergMarquardtConfig, minimise
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.train.recipe import POLISHED, Model, weights


class PolishConfig(Section):
    """Which model of the recipe is finished, on how many training windows, and how."""

    model: str
    samples: Count
    optimizer: LevenbergMarquardtConfig


@dataclass(frozen=True, kw_only=True)
class PolishCell:
    """One piece of work: a model of one member, its seed, and its training windows."""

    seed: int
    model: Model
    data: Split
    config: PolishConfig

    @property
    def name(self) -> str:
        """The polished model's name."""
        return f"{self.config.model}{POLISHED}"

    @property
    def seeds(self) -> list[int]:
        """The seed of the one member."""
        return [self.seed]

    @property
    def steps(self) -> int:
        """Number of iterations."""
        return self.config.optimizer.iterations

    @property
    def cost(self) -> float:
        """Its Jacobians: all members have one shape."""
        return float(self.steps)

    @property
    def params(self) -> dict[str, Any]:
        """What it is polished with, for the record."""
        return self.config.model_dump(mode="json")


def residual(model: nn.Module, sample: tuple[Tensor, ...]) -> Float[Tensor, " channel"]:
    """Return the weighted error of the state after one window."""
    states, weight = sample
    predicted = model(states[None, None, :-1], last_only=True)[0, 0, 0]
    return (predicted - states[-1]) * weight


def polish(
    cell: PolishCell,
    on_step: Callable[[], None] | None = None,
    device: torch.device = CPU,
) -> tuple[Model, None, dict[str, Float[Tensor, " member"]]]:
    """Return the finished model, in float64, no loss curve, and its final ``loss``."""
    model, count = cell.model.to(device, torch.float64), cell.config.samples
    states, weight = cell.data.states, weights(cell.data, "energy")
    samples = (states[:count].to(device).contiguous(), weight[:count].to(device))
    history = minimise(model, residual, samples, cell.config.optimizer, on_step)
    return model.to(CPU), None, {"loss": torch.tensor([history[-1]], dtype=torch.float64)}


def polish_cells(
    config: PolishConfig, model: Model, seeds: Sequence[int], data: Split
) -> list[PolishCell]:
    """Return the work: a member in a cell."""
    return [
        PolishCell(seed=seed, model=model.member(k), data=data, config=config)
        for k, seed in enumerate(seeds)
    ]
