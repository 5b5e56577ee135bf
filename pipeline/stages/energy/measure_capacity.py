"""E2 and E3: the number of patterns against d for polynomial and exponential interactions."""

from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import summary
from pipeline.labs.energy.measure import capacity, convergence, printed
from pipeline.labs.energy.report import capacity as report
from pipeline.runtime.compute import parallel
from pipeline.runtime.formats import records

HEADLINE = ("E2.*.exponent", "E3.*.exponent")
PRINTED_D = 64  # of the identity between two energies, which holds at any size


class Params(StageParams):
    """The powers and criteria, and the statistics behind each point."""

    dense: capacity.DenseConfig = Field(alias="energy.dense")
    exponential: capacity.ExponentialConfig = Field(alias="energy.exponential")


def run(params: Params, inputs: Path, out: Path) -> dict[str, Any]:  # noqa: ARG001
    """Write the capacities; return ``E2.*`` and ``E3.*``."""
    cells = capacity.cells(params.dense, params.exponential)
    measured = parallel.map_cells(capacity.measure, cells, description="E2, E3")
    order = sorted(range(len(cells)), key=lambda k: (cells[k].name, cells[k].d))
    ordered = [cells[k] for k in order], [measured[k] for k in order]
    records.write_table(out / "capacity.csv", report.table(*ordered), report.CapacityRow)
    converged = convergence.dense_networks(params.dense)
    converged |= convergence.exponential_networks(params.exponential)
    results = report.results(*ordered, converged)
    energies = printed.quadratic_energies(params.dense.seeds, PRINTED_D, PRINTED_D // 8, 64)
    results["E2"]["quadratic_energy"] = summary(energies)
    return dict(results)
