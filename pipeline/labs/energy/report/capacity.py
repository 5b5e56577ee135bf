"""E2 and E3: from capacities at each dimension to exponents with intervals, theory beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from pipeline.core.stats.intervals import Summary, median_interval, summary
from pipeline.labs.energy.measure.capacity import CapacityCell, exponents


@dataclass(frozen=True)
class CapacityRow:
    """``capacity.csv``: log2 of the number of patterns N at ``d``, median over ``n`` seeds.

    ``theory`` is log2 N of the finite-size theory.
    """

    experiment: str
    curve: str
    d: int
    log2_n: float
    low: float
    high: float
    theory: float
    n: int


def experiment(cell: CapacityCell) -> str:
    """Name the experiment of a cell."""
    return "E3" if cell.power is None else "E2"


def table(cells: Sequence[CapacityCell], measured: Sequence[NDArray[np.float64]]) -> pd.DataFrame:
    """Lay out :class:`CapacityRow` for each cell."""
    rows = []
    for cell, values in zip(cells, measured, strict=True):
        middle, low, high = median_interval(torch.from_numpy(values))
        rows.append(
            CapacityRow(
                experiment=experiment(cell), curve=cell.name, d=cell.d, log2_n=middle, low=low,
                high=high, theory=cell.log2_theory, n=len(values),
            )
        )  # fmt: skip
    return pd.DataFrame(rows)


def results(
    cells: Sequence[CapacityCell], measured: Sequence[NDArray[np.float64]]
) -> dict[str, dict[str, Summary]]:
    """Return the exponents: of N = d^exponent for E2, of N = 2^(exponent d) for E3.

    ``theory`` is the slope of the finite-size theory through the same dimensions, ``limit`` that of
    E2 for large d, a - 1.
    """
    experiments: dict[str, dict[str, Summary]] = {"E2": {}, "E3": {}}
    for name in dict.fromkeys(cell.name for cell in cells):
        curve = [k for k, cell in enumerate(cells) if cell.name == name]
        power = cells[curve[0]].power
        d = [cells[k].d for k in curve]
        slopes = exponents(d, np.stack([measured[k] for k in curve]), power_law=power is not None)
        expected = np.array([[cells[k].log2_theory] for k in curve])
        condition = summary({"exponent": torch.from_numpy(slopes)})
        condition["theory"] = float(exponents(d, expected, power_law=power is not None)[0])
        if power is not None:
            condition["limit"] = float(power - 1)
        experiments[experiment(cells[curve[0]])][name] = condition
    return experiments
