"""Draw the figures of O7: the recipe, its ablation, noise and frequencies."""

from pathlib import Path

from pipeline.labs.oscillator.datasets import WindowDataConfig
from pipeline.labs.oscillator.recipe import RecipesConfig
from pipeline.labs.oscillator.task import TaskConfig
from pipeline.stages.oscillator._figures import read_rollouts, write
from pydantic import Field

from pipeline.config import StageParams
from pipeline.figures.learning_curves import learning_curves
from pipeline.figures.oscillator import recipe as figures
from pipeline.figures.style import StyleConfig, applied
from pipeline.runtime import artifacts


class Params(StageParams):
    """Sizes of the figures, and what their titles and axes state."""

    style: StyleConfig = Field(alias="figures.style")
    task: TaskConfig = Field(alias="oscillator.task")
    ablation: RecipesConfig = Field(alias="oscillator.train_ablation")
    data: WindowDataConfig = Field(alias="oscillator.aged_data")


CURVES = ("model", "seed", "step", "loss", "validation_energy")
TABLE = ("experiment", "condition", "quantity", "median", "low", "high", "n")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    config, measured = params.style, inputs / "oscillator_measure_recipe"
    metrics = artifacts.read_json(measured / "results.json")["O7"]
    table = artifacts.read_csv(measured / "table.csv", TABLE)
    general = artifacts.read_csv(inputs / "oscillator_measure_generality" / "table.csv", TABLE)
    steps = max(recipe.training.steps for recipe in params.ablation.models.values())
    histories = {
        name: artifacts.read_csv(inputs / f"oscillator_train_{stage}" / "history.csv", CURVES)
        for name, stage in (("O7", "recipe"), ("O7, variants", "ablation"))
    }
    with applied(config):
        write(
            out,
            {
                "o7_rollouts": figures.tracked(
                    config, read_rollouts(measured / "rollouts.npz"), metrics, params.task.dt
                ),
                "o7_ablation": figures.ablation(
                    config, table[table.experiment == "O7_ablation"], steps
                ),
                "o7_generality": figures.generality(config, general, params.data.omega0),
                "o7_learning_curves": learning_curves(
                    config,
                    histories,
                    "O7  Learning curves, a line for each seed",
                    (("loss", "training loss"), ("validation_energy", "validation, next state")),
                    "weighted error",
                ),
            },
        )
