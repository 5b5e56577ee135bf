"""Draw the energy lab's figures from its measurements."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from pydantic import Field

from pipeline.config import StageParams
from pipeline.figures.energy import capacity as capacity
from pipeline.figures.energy import classical as classical
from pipeline.figures.energy import descent as descent
from pipeline.figures.energy import landscape as landscape
from pipeline.figures.energy import learning as learning
from pipeline.figures.energy import likelihood as likelihood
from pipeline.figures.energy import phases as phases
from pipeline.figures.energy import retrieval as retrieval
from pipeline.figures.style import StyleConfig, applied
from pipeline.labs.energy.landscape import LandscapeConfig
from pipeline.runtime import drawings
from pipeline.stages.energy import _results as shared

RECALL = "E7 Does a trained transformer's update lower its heads' energies? Associative recall"


class Params(StageParams):
    """Sizes of the figures, and the landscape's patterns and temperatures."""

    style: StyleConfig = Field(alias="figures.style")
    landscape: LandscapeConfig = Field(alias="energy.landscape")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    with applied(params.style):
        for name, figure in draw(params, shared.Results(inputs)).items():
            drawings.write_figure(out / name, figure)


def draw(params: Params, found: shared.Results) -> dict[str, Figure]:
    """Draw the results."""
    style, table, metrics = params.style, found.table, found.metrics
    losses, surfaces = table("likelihood/losses"), found.surfaces(params.landscape.betas)
    return {
        "e1_overlaps": classical.overlaps(
            style, table("classical/overlaps"), table("classical/theory"), metrics("classical")
        ),
        "e2_e3_capacity": capacity.capacity(style, table("capacity/capacity"), metrics("capacity")),
        "e4_retrieval": retrieval.retrieval(style, table("continuous/descent"), **found.one_step()),
        "e5_phases": phases.phases(style, found.phases(), metrics("continuous")),
        "e6_likelihood": likelihood.likelihood(
            style, losses, found.examples(losses), metrics("likelihood")
        ),
        "e7_descent": descent.descent(style, table("descent/descent"), RECALL),
        "e7_learning": learning.learning(style, table("recall_train/history")),
        "e8_landscape": landscape.landscape(style, surfaces, np.array(params.landscape.patterns)),
    }
