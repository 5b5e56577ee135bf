"""E2 and E3: the number of patterns against d for polynomial and exponential interactions."""

from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.energy.measure import capacity
from pipeline.labs.energy.report import capacity as report
from pipeline.runtime.compute import parallel
from pipeline.runtime.formats import records

HEADLINE = ("E2.*.exponent", "E3.*.exponent")


class Params(StageParams):
    """The powers and criteria, and the statistics behind each point."""

    dense: capacity.DenseConfig = Field(alias="energy.dense")
    exponential: capacity.ExponentialConfig = Field(alias="energy.exponential")


def run(params: Params, inputs: Path, out: Path) -> dict[str, Any]:  # noqa: ARG001
    """Write the capacities; return ``E2.*`` and ``E3.*``."""
    # The largest dimensions first, so that no core ends with one of them alone.
    cells = sorted(capacity.cells(params.dense, params.exponential), key=lambda c: -c.log2_theory)
    measured = parallel.map_cells(capacity.measure, cells, description="E2, E3")
    order = sorted(range(len(cells)), key=lambda k: (cells[k].name, cells[k].d))
    ordered = [cells[k] for k in order], [measured[k] for k in order]
    records.write_table(out / "capacity.csv", report.table(*ordered), report.CapacityRow)
    return dict(report.results(*ordered))
