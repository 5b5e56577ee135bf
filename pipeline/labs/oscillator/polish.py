"""O7's finish: Levenberg-Marquardt in float64 on the recipe's own loss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from pipeline.config import Section
from pipeline.core.training.levenberg_marquardt import LevenbergMarquardtConfig, minimise
from pipeline.labs.oscillator.datasets import Split
from pipeline.labs.oscillator.equivariant import Equivariant
from pipeline.labs.oscillator.recipe import weights


class PolishConfig(Section):
    """Which model of the recipe is finished, on how many training windows, and how."""

    model: str
    samples: Annotated[int, Field(ge=1)]
    optimizer: LevenbergMarquardtConfig


@dataclass(frozen=True)
class PolishCell:
    """One piece of work: a model of one member and its training windows."""

    model: Equivariant
    data: Split
    config: PolishConfig


def residual(model: nn.Module, sample: tuple[Tensor, ...]) -> Float[Tensor, " channel"]:
    """Return the weighted error of the state after one window."""
    states, weight = sample
    predicted = model(states[None, None, :-1], last_only=True)[0, 0, 0]
    return (predicted - states[-1]) * weight


def polish(
    cell: PolishCell, on_step: Callable[[], None] | None = None
) -> tuple[Equivariant, float]:
    """Return the finished model, in float64, and its loss."""
    model, count = cell.model.double(), cell.config.samples
    samples = (cell.data["states"][:count].contiguous(), weights(cell.data, "energy")[:count])
    history = minimise(model, residual, samples, cell.config.optimizer, on_step)
    return model, history[-1]
