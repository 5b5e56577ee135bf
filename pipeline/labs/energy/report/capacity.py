"""E2 and E3: from capacities at each dimension to exponents with intervals, theory beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.stats.intervals import Summary, median_interval, summary
from pipeline.labs.energy.measure.capacity import CapacityCell, Criterion, exponents
from pipeline.labs.energy.measure.convergence import QUICK
from pipeline.labs.energy.models import nearest


@dataclass(frozen=True)
class CapacityRow:
    """``capacity.csv``: log2 of the number of patterns N at ``d``, median over ``n`` seeds.

    ``theory`` is log2 N of the finite-size theory; ``theory_ties`` that with the ties of patterns
    one step farther (:mod:`nearest`), the same where no spins are flipped.
    """

    experiment: str
    curve: str
    d: int
    log2_n: float
    low: float
    high: float
    theory: float
    theory_ties: float
    n: int


def experiment(cell: CapacityCell) -> str:
    """Name the experiment of a cell."""
    return "E3" if cell.power is None else "E2"


def with_ties(cell: CapacityCell) -> float:
    """Return log2 N of the theory with ties, where there is one, else the theory's."""
    if isinstance(cell.rule, Criterion) and cell.rule.radius:
        [count] = nearest.half_retrieved(np.array([float(cell.d)]), cell.rule.radius)
        return float(np.log2(count))
    return cell.log2_theory


def table(cells: Sequence[CapacityCell], measured: Sequence[NDArray[np.float64]]) -> pd.DataFrame:
    """Lay out :class:`CapacityRow` for each cell."""
    rows = []
    for cell, values in zip(cells, measured, strict=True):
        middle, low, high = median_interval(torch.from_numpy(values))
        rows.append(
            CapacityRow(
                experiment=experiment(cell), curve=cell.name, d=cell.d, log2_n=middle, low=low,
                high=high, theory=cell.log2_theory, theory_ties=with_ties(cell), n=len(values),
            )
        )  # fmt: skip
    return pd.DataFrame(rows)


def results(
    cells: Sequence[CapacityCell],
    measured: Sequence[NDArray[np.float64]],
    converged: Mapping[str, Mapping[str, Tensor]],
) -> dict[str, dict[str, Summary]]:
    """Return the exponents: of N = d^exponent for E2, of N = 2^(exponent d) for E3.

    ``theory`` is the slope of the finite-size theory through the same dimensions, ``limit`` that of
    E2 for large d, a - 1. ``theory_ties`` is the slope with ties, and ``bits_above*`` how far the
    measured log2 N lie above either theory, as means over the dimensions. ``converged`` adds what
    became of states at half of the capacity.
    """
    experiments: dict[str, dict[str, Summary]] = {"E2": {}, "E3": {}}
    for name in dict.fromkeys(cell.name for cell in cells):
        curve = [k for k, cell in enumerate(cells) if cell.name == name]
        power = cells[curve[0]].power
        d = [cells[k].d for k in curve]
        slopes = exponents(d, np.stack([measured[k] for k in curve]), power_law=power is not None)
        values = np.stack([measured[k] for k in curve])
        quantities = {"exponent": slopes}
        condition: Summary = {}
        for ending, theory in (("", _theory(cells, curve)), ("_ties", _ties(cells, curve))):
            if theory is not None:
                slope = exponents(d, theory, power_law=power is not None)
                condition[f"theory{ending}"] = float(slope[0])
                quantities[f"bits_above{ending}"] = (values - theory).mean(0)
        if name in converged:
            quantities |= {key: x.numpy() for key, x in converged[name].items()}
        condition = summary({k: torch.from_numpy(v) for k, v in quantities.items()}) | condition
        if "settled_in_one" in condition:
            condition["quick"] = int(condition["settled_in_one_low"] > QUICK)
        if power is not None:
            condition["limit"] = float(power - 1)
        experiments[experiment(cells[curve[0]])][name] = condition
    return experiments


def _theory(cells: Sequence[CapacityCell], curve: Sequence[int]) -> NDArray[np.float64]:
    return np.array([[cells[k].log2_theory] for k in curve])


def _ties(cells: Sequence[CapacityCell], curve: Sequence[int]) -> NDArray[np.float64] | None:
    rule = cells[curve[0]].rule
    if not isinstance(rule, Criterion) or not rule.radius:
        return None
    return np.array([[with_ties(cells[k])] for k in curve])
