"""Draw the figures of the study's own experiments, O1 to O6."""

from pathlib import Path

from matplotlib.figure import Figure
from pipeline.labs.oscillator.regression_examples import SCHEMA
from pipeline.labs.oscillator.task import TaskConfig
from pipeline.stages.oscillator._figures import read_rollouts, write
from pydantic import Field

from pipeline.config import StageParams
from pipeline.figures.learning_curves import learning_curves
from pipeline.figures.oscillator import regression as oscillator_regression
from pipeline.figures.oscillator import rollouts as rollouts
from pipeline.figures.oscillator import sequence as oscillator_sequence
from pipeline.figures.oscillator import time as oscillator_time
from pipeline.figures.style import StyleConfig, applied
from pipeline.runtime import artifacts


class Params(StageParams):
    """Sizes of the figures, and the time step of their axes."""

    style: StyleConfig = Field(alias="figures.style")
    task: TaskConfig = Field(alias="oscillator.task")


CURVES = ("model", "seed", "step", "loss", "validation_last")
TABLE = ("experiment", "condition", "quantity", "median", "low", "high", "n")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    with applied(params.style):
        write(out, simple(params, inputs) | windows(params, inputs))


def simple(params: Params, inputs: Path) -> dict[str, Figure]:
    """Draw O1, O2 and O3."""
    config, dt = params.style, params.task.dt
    regression, time = inputs / "oscillator_regression", inputs / "oscillator_measure_time"
    fixed = inputs / "oscillator_measure_fixed"
    o1 = artifacts.read_json(regression / "results.json")["O1"]
    o2 = artifacts.read_json(time / "results.json")["O2"]["time_network"]
    o3 = artifacts.read_json(fixed / "results.json")["O3"]
    energy = artifacts.read_npz(time / "energy.npz", ratio="float64 3 step")["ratio"]
    n = max(found["n"] for found in o3.values())
    examples = artifacts.read_npz(regression / "examples.npz", **SCHEMA)
    return {
        "o1_regression": oscillator_regression.regression(config, examples, o1),
        "o2_time_network": oscillator_time.network(
            config, read_rollouts(time / "rollouts.npz"), energy, dt, o2["n"]
        ),
        "o2_energy": oscillator_time.energies(
            config, artifacts.read_csv(time / "energy.csv", TABLE)
        ),
        "o3_rollouts": rollouts.fixed(config, read_rollouts(fixed / "rollouts.npz"), dt, n),
    }


def windows(params: Params, inputs: Path) -> dict[str, Figure]:
    """Draw O4, O5, O6 and the learning curves."""
    config, dt = params.style, params.task.dt
    sequence = inputs / "oscillator_measure_sequence"
    variable = inputs / "oscillator_measure_variable"
    o4 = artifacts.read_json(sequence / "results.json")["O4"]
    metrics = artifacts.read_json(variable / "results.json")
    n = max(found["n"] for found in metrics["O5"].values())
    about = f"error: median over test trajectories, then over {n} seeds with its interval"
    maps = artifacts.read_npz(
        sequence / "saliency.npz", names="str model", maps="float64 model row row"
    )
    histories = {
        name: artifacts.read_csv(inputs / f"oscillator_train_{stage}" / "history.csv", CURVES)
        for name, stage in (("O3", "fixed"), ("O4", "sequence"), ("O5", "variable"))
    }
    return {
        "o4_rollouts": oscillator_sequence.trained(
            config, read_rollouts(sequence / "rollouts.npz"), dt, max(f["n"] for f in o4.values())
        ),
        "o4_saliency": oscillator_sequence.saliency(
            config, [str(name) for name in maps["names"]], maps["maps"], o4
        ),
        "o5_rollouts": rollouts.variable(config, read_rollouts(variable / "models.npz"), dt, about),
        "o6_comparison": rollouts.compared(
            config, read_rollouts(variable / "compared.npz"), dt, metrics["O6"]["surrogate"]
        ),
        "learning_curves": learning_curves(
            config,
            histories,
            "Learning curves, a line for each seed",
            (("loss", "training loss"), ("validation_last", "validation, next state")),
            "squared error",
        ),
    }
