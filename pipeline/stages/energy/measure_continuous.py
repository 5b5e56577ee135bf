"""E4, E5 and E8: the continuous network's retrieval, its phases, and its landscape."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.energy.measure.landscape import LandscapeConfig
from pipeline.labs.energy.measure.landscape import landscape as measure_landscape
from pipeline.labs.energy.measure.phases import PhaseConfig, branches, diagram
from pipeline.labs.energy.measure.retrieval import RetrievalConfig, descent, one_step
from pipeline.labs.energy.report import landscape, phases, retrieval
from pipeline.runtime.formats import records

HEADLINE = (
    "E4.one_step.bound_violations",
    "E5.hysteresis.global_branch_ends",
    "E5.hysteresis.single_branch_ends",
)


class Params(StageParams):
    """The three experiments."""

    retrieval: RetrievalConfig = Field(alias="energy.retrieval")
    phases: PhaseConfig = Field(alias="energy.phases")
    landscape: LandscapeConfig = Field(alias="energy.landscape")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:  # noqa: ARG001
    """Write what the figures draw; return ``E4.*``, ``E5.*`` and ``E8.*``."""
    steps, queries = descent(params.retrieval), one_step(params.retrieval)
    uphill = retrieval.uphill_table(params.retrieval, steps)
    records.write_table(out / "uphill.csv", uphill, retrieval.UphillRow)
    records.write_arrays(out / "one_step.npz", queries)
    kinds, followed = diagram(params.phases), branches(params.phases)
    records.write_arrays(out / "phases.npz", phases.arrays(params.phases, kinds, followed))
    surfaces = [measure_landscape(params.landscape, beta) for beta in params.landscape.betas]
    records.write_arrays(out / "landscape.npz", landscape.arrays(params.landscape, surfaces))
    return {
        "E4": retrieval.results(params.retrieval, steps, queries),
        "E5": phases.results(params.phases, kinds, followed),
        "E8": landscape.results(params.landscape, surfaces),
    }
