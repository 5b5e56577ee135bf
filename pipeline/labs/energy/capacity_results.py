"""E2 and E3: from capacities at each dimension to exponents with intervals, theory beside them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from pipeline.core.stats.intervals import Summary, median_interval, summary
from pipeline.labs.energy.capacity import CapacityCell, exponents

EXPERIMENTS = {True: "E2", False: "E3"}


def table(cells: Sequence[CapacityCell], measured: Sequence[NDArray[np.float64]]) -> pd.DataFrame:
    """Lay out log2 N of each curve: median over seeds, interval, theory."""
    rows = []
    for cell, values in zip(cells, measured, strict=True):
        middle, low, high = median_interval(torch.from_numpy(values))
        rows.append(
            {"experiment": EXPERIMENTS[cell.power is not None], "curve": cell.name, "d": cell.d,
             "log2_n": middle, "low": low, "high": high, "theory": cell.log2_theory,
             "n": len(values)}
        )  # fmt: skip
    return pd.DataFrame(rows)


def metrics(
    cells: Sequence[CapacityCell], measured: Sequence[NDArray[np.float64]]
) -> dict[str, dict[str, Summary]]:
    """Return the exponents: of N = d^exponent for E2, of N = 2^(exponent d) for E3.

    ``theory`` is the slope of the finite-size theory through the same dimensions, ``limit`` that of
    E2 for large d, a - 1.
    """
    found: dict[str, dict[str, Summary]] = {"E2": {}, "E3": {}}
    for name in dict.fromkeys(cell.name for cell in cells):
        own = [k for k, cell in enumerate(cells) if cell.name == name]
        power = cells[own[0]].power
        d = [cells[k].d for k in own]
        slopes = exponents(d, np.stack([measured[k] for k in own]), power_law=power is not None)
        expected = np.array([[cells[k].log2_theory] for k in own])
        condition = summary({"exponent": torch.from_numpy(slopes)})
        condition["theory"] = float(exponents(d, expected, power_law=power is not None)[0])
        if power is not None:
            condition["limit"] = float(power - 1)
        found[EXPERIMENTS[power is not None]][name] = condition
    return found
