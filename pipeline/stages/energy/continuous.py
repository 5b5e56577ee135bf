"""E4, E5 and E8: the continuous network's retrieval, its phases, and its landscape."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.energy import continuous_results as results
from pipeline.labs.energy.landscape import LandscapeConfig, landscape
from pipeline.labs.energy.phases import PhaseConfig, branches, diagram
from pipeline.labs.energy.retrieval import RetrievalConfig, descent, one_step
from pipeline.runtime import artifacts

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The three experiments."""

    retrieval: RetrievalConfig = Field(alias="energy.retrieval")
    phases: PhaseConfig = Field(alias="energy.phases")
    landscape: LandscapeConfig = Field(alias="energy.landscape")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:  # noqa: ARG001
    """Write what the figures draw; return ``E4.*``, ``E5.*`` and ``E8.*``."""
    steps, queries = descent(params.retrieval), one_step(params.retrieval)
    artifacts.write_csv(out / "descent.csv", results.descent_table(params.retrieval, steps))
    artifacts.write_npz(out / "one_step.npz", **vars(queries))
    kinds, followed = diagram(params.phases), branches(params.phases)
    arrays = results.phase_arrays(params.phases, kinds, followed)
    artifacts.write_npz(out / "phases.npz", **arrays)
    surfaces = [landscape(params.landscape, beta) for beta in params.landscape.betas]
    artifacts.write_npz(out / "landscape.npz", **results.landscape_arrays(surfaces))
    return {
        "E4": results.retrieval_metrics(params.retrieval, steps, queries),
        "E5": results.phase_metrics(params.phases, kinds, followed),
        "E8": results.landscape_metrics(params.landscape.betas, surfaces),
    }
