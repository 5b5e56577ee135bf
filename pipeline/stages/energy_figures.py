"""Draw the energy lab's figures from its measurements."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from pydantic import Field

from pipeline import artifacts
from pipeline.config import StageParams
from pipeline.figures import energy_capacity as capacity
from pipeline.figures import energy_classical as classical
from pipeline.figures import energy_descent as descent
from pipeline.figures import energy_landscape as landscape
from pipeline.figures import energy_learning as learning
from pipeline.figures import energy_likelihood as likelihood
from pipeline.figures import energy_phases as phases
from pipeline.figures import energy_retrieval as retrieval
from pipeline.figures import style
from pipeline.figures.style import StyleConfig
from pipeline.labs.energy.landscape import LandscapeConfig
from pipeline.stages import _energy as shared


class Params(StageParams):
    """Sizes of the figures, and the landscape's patterns and temperatures."""

    style: StyleConfig = Field(alias="figures.style")
    landscape: LandscapeConfig = Field(alias="energy.landscape")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    with style.applied(params.style):
        for name, figure in draw(params, inputs).items():
            artifacts.write_figure(out / name, figure)


def draw(params: Params, inputs: Path) -> dict[str, Figure]:
    """Read the results and draw them."""
    config = params.style
    tables = {name: shared.table(inputs, name) for name in shared.TABLES}
    continuous = inputs / "energy_continuous"
    one_step = artifacts.read_npz(continuous / "one_step.npz", **shared.ONE_STEP)
    e6 = shared.metrics(inputs, "energy_likelihood")["E6"]
    losses = tables["energy_likelihood/losses"]
    return {
        "e1_overlaps": classical.overlaps(
            config, tables["energy_classical/overlaps"], tables["energy_classical/theory"],
            shared.metrics(inputs, "energy_classical")["E1"],
        ),
        "e2_e3_capacity": capacity.capacity(
            config, tables["energy_capacity/capacity"], shared.metrics(inputs, "energy_capacity")
        ),
        "e4_retrieval": retrieval.retrieval(
            config, tables["energy_continuous/descent"], **one_step
        ),
        "e5_phases": phases.phases(
            config, artifacts.read_npz(continuous / "phases.npz", **shared.PHASES),
            shared.metrics(inputs, "energy_continuous")["E5"],
        ),
        "e6_likelihood": likelihood.likelihood(
            config, losses, shared.examples(inputs, list(dict.fromkeys(losses["set"]))), e6
        ),
        "e7_descent": descent.descent(
            config, tables["energy_descent/descent"],
            "E7 Does a trained transformer's update lower its heads' energies? Associative recall",
        ),
        "e7_learning": learning.learning(config, tables["energy_recall_train/history"]),
        "e8_landscape": landscape.landscape(
            config, shared.surfaces(inputs, params.landscape.betas),
            np.array(params.landscape.patterns),
        ),
    }  # fmt: skip
