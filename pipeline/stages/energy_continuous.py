"""E4, E5 and E8: the continuous network's retrieval, its phases, and its landscape."""

from pathlib import Path

from pydantic import Field

from pipeline import artifacts
from pipeline.config import StageParams
from pipeline.labs.energy import continuous_results as results
from pipeline.labs.energy import landscape, phases, retrieval


class Params(StageParams):
    """The three experiments."""

    retrieval: retrieval.RetrievalConfig = Field(alias="energy.retrieval")
    phases: phases.PhaseConfig = Field(alias="energy.phases")
    landscape: landscape.LandscapeConfig = Field(alias="energy.landscape")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:  # noqa: ARG001
    """Write what the figures draw; return ``E4.*``, ``E5.*`` and ``E8.*``."""
    descent = retrieval.descent(params.retrieval)
    queries = retrieval.one_step(params.retrieval)
    artifacts.write_csv(out / "descent.csv", results.descent_table(params.retrieval, descent))
    artifacts.write_npz(out / "one_step.npz", **vars(queries))
    diagram, branches = phases.diagram(params.phases), phases.branches(params.phases)
    artifacts.write_npz(
        out / "phases.npz", **results.phase_arrays(params.phases, diagram, branches)
    )
    surfaces = [landscape.landscape(params.landscape, beta) for beta in params.landscape.betas]
    artifacts.write_npz(out / "landscape.npz", **results.landscape_arrays(surfaces))
    return {
        "E4": results.retrieval_metrics(params.retrieval, descent, queries),
        "E5": results.phase_metrics(params.phases, diagram, branches),
        "E8": results.landscape_metrics(params.landscape.betas, surfaces),
    }
