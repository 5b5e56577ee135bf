"""E1: from the overlaps of many draws to curves, and to the critical load with an interval."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.stats.intervals import Summary, median_interval, summary
from pipeline.labs.energy.measure.critical_load import crossing_interval
from pipeline.labs.energy.measure.overlaps import ClassicalConfig, OverlapCell
from pipeline.labs.energy.models import mean_field

Condition = tuple[str, bool, int, float]  # dynamics, diagonal kept, d, load
Draws = Mapping[str, Tensor]  # by quantity, [draw, state]
ByCondition = Mapping[Condition, Draws]


@dataclass(frozen=True)
class OverlapRow:
    """``overlaps.csv``: one condition; overlap m is the median over ``n`` draws of their means.

    ``mean`` is the overlap's mean over all states; the fractions are of all states: ``retrieved``
    (overlap above the threshold), ``uphill`` (the energy rose) and ``two_cycle``.
    """

    dynamics: str
    diagonal: bool
    d: int
    load: float
    overlap: float
    low: float
    high: float
    mean: float
    retrieved: float
    uphill: float
    two_cycle: float
    n: int


@dataclass(frozen=True)
class MeanFieldRow:
    """``theory.csv``: the mean-field overlap of the retrieval state at a load N / d."""

    load: float
    overlap: float


def gather(cells: Sequence[OverlapCell], measured: Sequence[Draws]) -> dict[Condition, Draws]:
    """Join the groups of draws of each condition, in the order of the draws."""
    parts: dict[Condition, list[tuple[int, Draws]]] = defaultdict(list)
    for cell, values in zip(cells, measured, strict=True):
        condition = (cell.dynamics, cell.diagonal, cell.d, cell.load)
        parts[condition].append((cell.draws[0], values))
    ordered = {key: sorted(groups, key=lambda part: part[0]) for key, groups in parts.items()}
    return {
        key: {name: torch.cat([values[name] for _, values in groups]) for name in groups[0][1]}
        for key, groups in sorted(ordered.items())
    }


def retrieved(config: ClassicalConfig, draws: ByCondition, d: int) -> NDArray[np.float64]:
    """Return the fraction of retrieved states, [load, draw], at the loads near the transition."""
    rows = [draws["asynchronous", False, d, load]["overlap"] for load in config.critical_loads]
    above = torch.stack(rows) > config.retrieved_above
    return above.double().mean(-1).numpy()


def overlap_table(config: ClassicalConfig, draws: ByCondition) -> pd.DataFrame:
    """Lay out :class:`OverlapRow` for each condition."""
    rows = []
    for (dynamics, diagonal, d, load), values in draws.items():
        middle, low, high = median_interval(values["overlap"].mean(1))
        fraction = (values["overlap"] > config.retrieved_above).double().mean()
        rows.append(
            OverlapRow(
                dynamics=dynamics, diagonal=diagonal, d=d, load=load,
                overlap=middle, low=low, high=high, mean=float(values["overlap"].mean()),
                retrieved=float(fraction), uphill=float(values["uphill"].mean()),
                two_cycle=float(values["two_cycle"].mean()), n=len(values["overlap"]),
            )
        )  # fmt: skip
    return pd.DataFrame(rows)


def mean_field_table(loads: NDArray[np.float64]) -> pd.DataFrame:
    """Lay out the mean-field overlap of the retrieval state, up to the critical load."""
    critical, _ = mean_field.critical_point()
    below = np.append(loads[loads < critical], critical * (1 - 1e-9))
    return pd.DataFrame({"load": below, "overlap": mean_field.overlaps(below)})


def results(config: ClassicalConfig, draws: ByCondition) -> dict[str, Summary]:
    """Return the critical load by theory and by every pair of sizes, and how dynamics differ.

    The dynamics are compared at the largest load and the size ``compared_size``.
    """
    load, overlap = mean_field.critical_point()
    conditions: dict[str, Summary] = {"theory": {"critical_load": load, "overlap": overlap}}
    near = np.array(config.critical_loads)
    for small, large in pairwise(config.sizes):
        fractions = [retrieved(config, draws, d) for d in (small, large)]
        middle, low, high = crossing_interval(near, fractions[0], fractions[1], config)
        conditions[f"crossing_d{small}_d{large}"] = {
            "critical_load": middle, "critical_load_low": low, "critical_load_high": high,
            "n": fractions[1].shape[1],
        }  # fmt: skip
    highest = max(*config.loads, *config.critical_loads)
    for dynamics in ("asynchronous", "synchronous"):
        for diagonal in (False, True):
            values = draws[dynamics, diagonal, config.compared_size, highest]
            name = f"{dynamics}_{'with' if diagonal else 'no'}_diagonal"
            quantities = ("overlap", "uphill", "two_cycle")
            conditions[name] = summary({key: values[key].mean(1) for key in quantities})
    every = [v["uphill"] for (dynamics, *_), v in draws.items() if dynamics == "asynchronous"]
    conditions["asynchronous_all_loads"] = {
        "uphill": float(torch.cat([u.flatten() for u in every]).max()),
        "n": sum(u.numel() for u in every),
    }
    return conditions
