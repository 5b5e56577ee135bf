"""M3: the loss along each size with its exponents, the notebook's own point, and the figure's rows.

The unit is a seed: a distribution of its own and a model of its own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from pipeline.core.stats.intervals import summary
from pipeline.labs.memory.data.draw import PowerDistributions
from pipeline.labs.memory.measure import size_laws
from pipeline.labs.memory.models.shapes import ShapeConfig
from pipeline.labs.memory.report.points import Metrics, tensor
from pipeline.labs.memory.train.runs import TRAIN
from pipeline.labs.memory.train.sizes import BASE, EARLY, EXPERIMENT, NOTEBOOK

AXES = ("N", "d", "n_heads", "mlp_width", "n_layers")
FLOORED = ("n_heads", "mlp_width", "n_layers")  # axes that leave the low-rank optimum where it is
LOSS, ABOVE = "divergence", "above_low_rank"
RIVALS = ("exponential", "logarithmic")  # the forms that a power law is judged against


@dataclass(frozen=True)
class SizePointRow:
    """A model on an axis, over its seeds: its loss at both budgets and what it lies between.

    ``early`` is the loss after fewer steps; ``low_rank`` is empty where no optimum was sought.
    """

    axis: str
    size: int
    divergence: float
    divergence_low: float
    divergence_high: float
    early: float
    uniform: float
    low_rank: float | None
    n: int


def measured(
    runs: pd.DataFrame,
    low_rank: pd.DataFrame,
    drawn: Mapping[str, PowerDistributions],
    shape: ShapeConfig,
) -> tuple[Metrics, pd.DataFrame]:
    """Return M3's results of the sizes, and a :class:`SizePointRow` for each point of each axis.

    ``drawn`` holds the distributions by entry, and ``shape`` is the base model's.
    """
    N = {name: each.N for name, each in drawn.items()}
    best = low_rank[low_rank.distributions.isin(N)]
    best = best.assign(N=best.distributions.map(N))
    uniform = {
        each.N: torch.stack([math.log(each.N) - one.entropy() for one in each.distributions()])
        for each in drawn.values()
    }
    rows = joined(runs, best, uniform)
    base = {name: getattr(shape, name) for name in AXES if name != "N"} | {"N": N[BASE]}
    metrics = {
        **by_model(rows), **along_axes(rows, base),
        "notebook_point": point(rows, N[NOTEBOOK], base), "sizes": least_gap(rows),
    }  # fmt: skip
    return metrics, points(rows, base)


def joined(
    runs: pd.DataFrame, low_rank: pd.DataFrame, uniform: Mapping[int, Tensor]
) -> pd.DataFrame:
    """Return a row a model, budget and seed, with its baselines and the loss above the optimum.

    ``low_rank`` has the columns N, d, seed and divergence, ``uniform`` the divergences of the
    uniform prediction by N, in nats.
    """
    rows = runs[runs.eval_distribution != TRAIN].copy()
    rows["uniform"] = [float(uniform[N].median()) for N in rows.N]
    best = low_rank.rename(columns={"divergence": "low_rank"})
    rows = rows.merge(best[["N", "d", "seed", "low_rank"]], on=["N", "d", "seed"], how="left")
    rows[ABOVE] = rows[LOSS] - rows.low_rank
    return rows


def on_axis(rows: pd.DataFrame, axis: str, base: Mapping[str, int]) -> pd.DataFrame:
    """Return the rows whose other sizes are the base's, in the order of this one."""
    others = [name for name in AXES if name != axis]
    kept = rows[rows[others].eq(pd.Series({name: base[name] for name in others})).all(axis=1)]
    return kept.sort_values([axis, "seed"])


def by_model(rows: pd.DataFrame) -> Metrics:
    """Return every model's loss after all steps, with its interval over the seeds."""
    late = rows[rows.experiment == EXPERIMENT]
    return {
        str(model): summary({LOSS: tensor(each[LOSS]), "accuracy": tensor(each.accuracy)})
        for model, each in late.groupby("model", sort=False)
    }


def along_axes(rows: pd.DataFrame, base: Mapping[str, int]) -> Metrics:
    """Return the law of each axis, of the loss and, where there is a floor, of the loss above it.

    ``ratio`` is the loss at the greatest size over that at the least. ``power_law`` is 1 where the
    two other forms fit worse in the whole interval and the change of the local exponent may be 0.
    """
    metrics: Metrics = {}
    for axis in AXES:
        for quantity in (LOSS, ABOVE) if axis in FLOORED else (LOSS,):
            for experiment, part in ((EXPERIMENT, ""), (EARLY, "_early")):
                own = on_axis(rows[rows.experiment == experiment], axis, base)
                above = "" if quantity == LOSS else f"_{ABOVE}"
                law = _law(own[own[axis] > 0], axis, quantity)  # no MLP has no place on a log axis
                if law:
                    metrics[f"along_{axis}{above}{part}"] = law
    return metrics


def _law(rows: pd.DataFrame, axis: str, quantity: str) -> Metrics:
    grid = rows.pivot_table(index="seed", columns=axis, values=quantity)
    if grid.shape[1] < 2 or bool((grid <= 0).any(axis=None)):
        return {}
    x, y = torch.tensor(grid.columns.to_numpy(dtype=float)), torch.tensor(grid.to_numpy())
    measured: Metrics = {**summary({"ratio": y[:, -1] / y[:, 0]}), "sizes": len(x)}
    if len(x) < size_laws.LEAST_POINTS:
        return measured
    law = size_laws.along(x, y)
    measured |= summary(
        {
            **law._asdict(),
            "bend": law.last_exponent - law.first_exponent,
            "exponential_minus_power": law.exponential_error - law.power_error,
            "logarithmic_minus_power": law.logarithmic_error - law.power_error,
        }
    )
    fits_best = all(measured[f"{rival}_minus_power_low"] > 0 for rival in RIVALS)
    straight = measured["bend_low"] <= 0 <= measured["bend_high"]
    return measured | {"power_law": bool(fits_best and straight)}


def point(rows: pd.DataFrame, N: int, base: Mapping[str, int]) -> Metrics:
    """Return the base model's loss at N tokens beside its baselines, as the notebook's table does.

    ``share_left`` is how much of the way from the uniform prediction to the low-rank optimum is
    left.
    """
    late = rows[rows.experiment == EXPERIMENT]
    own = late[late[list(AXES)].eq(pd.Series({**base, "N": N})).all(axis=1)]
    left = own[ABOVE] / (own.uniform - own.low_rank)
    quantities = {name: tensor(own[name]) for name in (LOSS, "uniform", "low_rank")}
    return {**summary({**quantities, "share_left": tensor(left)})}


def least_gap(rows: pd.DataFrame) -> Metrics:
    """Return the least loss above the low-rank optimum of all models that have one."""
    gaps = rows[ABOVE].dropna()
    return {"least_gap_to_low_rank": float(gaps.min()), "models": len(gaps)}


def points(rows: pd.DataFrame, base: Mapping[str, int]) -> pd.DataFrame:
    """Return a :class:`SizePointRow` for each model of each axis."""
    made = []
    for axis in AXES:
        for size, models in on_axis(rows, axis, base).groupby(axis):
            late = models[models.experiment == EXPERIMENT]
            made.append(
                {
                    "axis": axis, "size": size, **summary({LOSS: tensor(late[LOSS])}),
                    "early": float(models[models.experiment == EARLY][LOSS].median()),
                    "uniform": float(late.uniform.median()),
                    "low_rank": float(late.low_rank.median()),
                }
            )  # fmt: skip
    return pd.DataFrame(made)
