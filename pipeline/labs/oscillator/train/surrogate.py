"""The linear model that imitates a trained model: the study's test of "reduced to linear"."""

from dataclasses import dataclass
from typing import Annotated

import pandas as pd
import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.bounds import Count, refuse_large
from pipeline.config import Section
from pipeline.core.nn.layers import MemberModule
from pipeline.core.nn.linear import LinearWindow, fit_linear_window
from pipeline.labs.oscillator.measure.errors import rollout_error
from pipeline.labs.oscillator.measure.rollout import predict_rollouts

CHUNK = 1024  # windows a forward pass: bounds memory, changes nothing


class SurrogateConfig(Section):
    """The regularisations that are tried, and on how much they are compared."""

    cutoffs: Annotated[tuple[Annotated[float, Field(ge=1e-16, lt=1)], ...], Field(min_length=1)]
    windows: Count
    steps: Count

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "SurrogateConfig":
        refuse_large("windows * steps * 2", self.windows, self.steps, 2)
        return self


@dataclass(frozen=True)
class BestModel:
    """Which attention model the surrogate imitates, and the cutoff of its normal equation."""

    model: str
    cutoff: float


def best_model(history: pd.DataFrame) -> str:
    """Return the model of least final validation error, by the median over its seeds.

    The table has the columns model, seed, step and validation_last.
    """
    final = history[history.step == history.step.max()]
    return str(final.groupby("model", sort=False).validation_last.median().idxmin())


@torch.no_grad()
def outputs(
    model: MemberModule, windows: Float[Tensor, "sample window 2"]
) -> Float[Tensor, "member sample 2"]:
    """Return what every member predicts after each window, in float64."""
    dtype = next(model.parameters()).dtype
    parts = [
        model(part.to(dtype).expand(model.members, -1, -1, -1), last_only=True)[:, :, 0]
        for part in windows.split(CHUNK)
    ]
    return torch.cat(parts, dim=1).double()


def fit_surrogate(
    model: MemberModule,
    train: Float[Tensor, "sample window 2"],
    valid: Float[Tensor, "other window 2"],
    config: SurrogateConfig,
) -> tuple[LinearWindow, float]:
    """Fit one surrogate to each member; return them and the cutoff that was chosen.

    Without regularisation a window's collinear states get huge coefficients, and the surrogate
    would leave its model by its own instability. So the cutoff is the one whose rollouts stay
    closest to the model's (median over members, on validation windows): the surrogate is given its
    best chance before it is found wanting.
    """
    start = valid[: config.windows]
    targets, followed = outputs(model, train), predict_rollouts(model, start, config.steps)

    def distance(surrogate: LinearWindow) -> float:
        rolled = predict_rollouts(surrogate, start, config.steps)
        return float(rollout_error(rolled, followed, config.steps).median())

    fits = [(fit_linear_window(train, targets, cutoff), cutoff) for cutoff in config.cutoffs]
    return min(fits, key=lambda fit: distance(fit[0]))
