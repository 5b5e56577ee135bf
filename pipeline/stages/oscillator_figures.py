"""Draw the oscillator lab's figures from its measurements."""

from pathlib import Path

from matplotlib.figure import Figure
from pydantic import Field

from pipeline import artifacts
from pipeline.config import StageParams
from pipeline.figures import oscillator_rollouts as rollouts
from pipeline.figures.learning_curves import learning_curves
from pipeline.figures.style import StyleConfig, applied
from pipeline.labs.oscillator.task import TaskConfig


class Params(StageParams):
    """Sizes of the figures, and the time step of their axes."""

    style: StyleConfig = Field(alias="figures.style")
    task: TaskConfig = Field(alias="oscillator.task")


ROLLOUTS = {
    "names": "str model",
    "predicted": "float64 model step 2",
    "true": "float64 model step 2",
    "error": "float64 model 3 step",
}
CURVES = ("model", "seed", "step", "loss", "validation_last")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    with applied(params.style):
        figures = draw(params, inputs)
    for name, figure in figures.items():
        artifacts.write_figure(out / name, figure)


def draw(params: Params, inputs: Path) -> dict[str, Figure]:
    """Read the results and draw them."""
    config, dt = params.style, params.task.dt
    fixed, variable = inputs / "oscillator_measure_fixed", inputs / "oscillator_measure_variable"
    metrics = artifacts.read_json(variable / "metrics.json")
    o3 = artifacts.read_json(fixed / "metrics.json")["O3"]
    n = max(found["n"] for found in metrics["O5"].values())
    about = f"error: median over test trajectories, then over {n} seeds with its interval"
    surrogate = metrics["O6"]["surrogate"]
    verdict = (
        f"surrogate R$^2$ = {surrogate['r2']:.4f}, of increments {surrogate['r2_increment']:.3f}; "
        f"its rollouts part from attention's after {surrogate['divergence_horizon']:.0f} steps "
        f"(medians over {n} seeds)"
    )
    histories = {
        "O3": artifacts.read_csv(inputs / "oscillator_train_fixed" / "history.csv", CURVES),
        "O5": artifacts.read_csv(inputs / "oscillator_train_variable" / "history.csv", CURVES),
    }
    return {
        "o3_rollouts": rollouts.fixed(
            config, read(fixed / "rollouts.npz"), dt, max(found["n"] for found in o3.values())
        ),
        "o5_rollouts": rollouts.variable(config, read(variable / "models.npz"), dt, about),
        "o6_comparison": rollouts.compared(config, read(variable / "compared.npz"), dt, verdict),
        "learning_curves": learning_curves(
            config,
            histories,
            "Learning curves, a line for each seed",
            (("loss", "training loss"), ("validation_last", "validation, next state")),
            "squared error",
        ),
    }


def read(path: Path) -> rollouts.Rollouts:
    """Read rollouts."""
    arrays = artifacts.read_npz(path, **ROLLOUTS)
    names = [str(name) for name in arrays.pop("names")]
    return rollouts.Rollouts(names, **arrays)
