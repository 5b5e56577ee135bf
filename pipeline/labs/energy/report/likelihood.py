"""E6: the results of the fits, and what the tied weights cost."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64
from torch import Tensor

from pipeline.core.stats.intervals import Summary, median_interval, summary
from pipeline.labs.energy.measure.identities import identities
from pipeline.labs.energy.train.likelihood import Fits, LikelihoodConfig


@dataclass(frozen=True)
class LossRow:
    """``losses.csv``: -log p in nats a point, on points not seen in training, over seeds."""

    set: str
    model: str
    loss: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Examples:
    """``examples.npz``: one seed's training points and stored patterns (or component means).

    ``seed`` is, for each point set, the one whose cost of tied weights is the median.
    """

    sets: tuple[str, ...]
    models: tuple[str, ...]
    seed: Int64[np.ndarray, " sets"]
    points: Float64[np.ndarray, "sets point 2"]
    means: Float64[np.ndarray, "sets models pattern 2"]


def tied_weights_cost(fit: Fits) -> Tensor:
    """Return the energy model's loss minus that of EM, [seed], in nats a point."""
    return fit.losses["energy"] - fit.losses["em"]


def results(config: LikelihoodConfig, fits: Mapping[str, Fits]) -> dict[str, Summary]:
    """Return ``identities`` and, for each point set, every model's loss and two costs.

    ``tied_weights_cost`` is the energy model's loss minus that of EM, whose weights are free and
    whose covariance is the same; ``fixed_origin_cost`` its loss minus that with a learned origin.
    In nats a point, on points not seen in training.
    """
    conditions = {"identities": summary(identities(config))}
    for name, fit in fits.items():
        values: dict[str, Tensor] = {f"loss_{model}": loss for model, loss in fit.losses.items()}
        values["tied_weights_cost"] = tied_weights_cost(fit)
        values["fixed_origin_cost"] = fit.losses["energy"] - fit.losses["energy_origin"]
        conditions[name] = summary(values)
    return conditions


def loss_table(fits: Mapping[str, Fits]) -> pd.DataFrame:
    """Lay out :class:`LossRow` for each point set and model."""
    rows = []
    for name, fit in fits.items():
        for model, loss in fit.losses.items():
            middle, low, high = median_interval(loss)
            rows.append(
                LossRow(set=name, model=model, loss=middle, low=low, high=high, n=len(loss))
            )
    return pd.DataFrame(rows)


def examples(config: LikelihoodConfig, fits: Mapping[str, Fits]) -> Examples:
    """Return the points and patterns of each set's median seed."""
    models = tuple(next(iter(fits.values())).means)
    median = [int(tied_weights_cost(fit).argsort()[(len(config.seeds) - 1) // 2])
              for fit in fits.values()]  # fmt: skip
    chosen = list(zip(fits.values(), median, strict=True))
    return Examples(
        sets=tuple(fits),
        models=models,
        seed=np.array([config.seeds[k] for k in median], dtype=np.int64),
        points=np.stack([fit.points[k].numpy() for fit, k in chosen]),
        means=np.stack([[fit.means[model][k].numpy() for model in models] for fit, k in chosen]),
    )
