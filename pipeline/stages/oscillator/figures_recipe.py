"""Draw the figures of O7: the recipe, its ablation, noise and frequencies."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.figures.learning_curves import learning_curves
from pipeline.figures.oscillator import names, recipe
from pipeline.figures.oscillator.robustness import Group, robustness
from pipeline.figures.style import StyleConfig, applied
from pipeline.labs.oscillator.data.task import TaskConfig
from pipeline.labs.oscillator.data.windows import WindowDataConfig
from pipeline.labs.oscillator.measure.robustness import RobustnessConfig
from pipeline.labs.oscillator.report.results import QuantityRow, ResultsFile
from pipeline.labs.oscillator.report.rollouts import Rollouts
from pipeline.labs.oscillator.train.polish import PolishConfig
from pipeline.labs.oscillator.train.recipe import POLISHED, RecipeCurveRow, RecipesConfig
from pipeline.labs.oscillator.train.studies import VariableTrainConfig
from pipeline.runtime.formats import drawings, records


class Params(StageParams):
    """Sizes of the figures, and what their titles, labels and axes state."""

    style: StyleConfig = Field(alias="figures.style")
    task: TaskConfig = Field(alias="oscillator.task")
    recipes: RecipesConfig = Field(alias="oscillator.train_recipe")
    polish: PolishConfig = Field(alias="oscillator.polish")
    ablation: RecipesConfig = Field(alias="oscillator.train_ablation")
    study: VariableTrainConfig = Field(alias="oscillator.train_variable")
    robustness: RobustnessConfig = Field(alias="oscillator.robustness")
    aged: WindowDataConfig = Field(alias="oscillator.aged_data")
    variable: WindowDataConfig = Field(alias="oscillator.variable_data")
    damped: WindowDataConfig = Field(alias="oscillator.damped_data")

    @property
    def groups(self) -> list[Group]:
        """The rows of the figure of robustness."""
        recipes = [*self.recipes.models, f"{self.polish.model}{POLISHED}"]
        trained = [getattr(self, data).omega0 for data in self.recipes.data]
        young = [self.variable.omega0]
        return [
            Group("the study's attention models", list(self.study.models), young),
            Group("linear models", ("linear", "linear_gradient"), young),
            Group("the recipe's models", recipes, trained),
        ]


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    config, dt, measured = params.style, params.task.dt, inputs / "oscillator_measure_recipe"
    results = records.read_json(measured / "results.json", ResultsFile).root["O7"]
    rollouts = records.read_arrays(measured / "rollouts.npz", Rollouts)
    table = records.read_table(measured / "table.csv", QuantityRow)
    ablation = table[table.experiment == "O7_ablation"]
    robust = records.read_table(inputs / "oscillator_measure_robustness" / "table.csv", QuantityRow)
    histories = {
        name: records.read_table(
            inputs / f"oscillator_train_{stage}" / "history.csv", RecipeCurveRow
        )
        for name, stage in (("O7", "recipe"), ("O7, variants", "ablation"))
    }
    words = names.Names(params.study.models, {})
    with applied(config):
        figures = {
            "o7_rollouts": recipe.tracked(config, rollouts, results, params.aged, dt),
            "o7_ablation": recipe.ablation(config, ablation, params.ablation),
            "o7_robustness": robustness(config, robust, params.robustness, params.groups, words),
            "o7_learning_curves": learning_curves(
                config,
                histories,
                "O7  Learning curves, a line for each seed",
                (("loss", "training loss"), ("validation_energy", "validation, next state")),
                "weighted error",
                words,
            ),
        }
        for name, figure in figures.items():
            drawings.write_figure(out / name, figure)
