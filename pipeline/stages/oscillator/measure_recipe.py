"""O7: measure the recipe's models, its ablations and the oracles on aged trajectories."""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline.config import StageParams
from pipeline.core.nn.layers import MemberModule
from pipeline.core.stats.intervals import table
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.data.task import TaskConfig
from pipeline.labs.oscillator.data.windows import WindowDataConfig, held_out
from pipeline.labs.oscillator.measure.quantities import MeasureConfig, measured
from pipeline.labs.oscillator.measure.rollout import RolloutCell, roll_out
from pipeline.labs.oscillator.models.forecasters import FORECASTERS
from pipeline.labs.oscillator.models.oracles import dmd_rollout, likely_rollout
from pipeline.labs.oscillator.report.results import QuantityRow
from pipeline.labs.oscillator.report.rollouts import drawn_rollouts
from pipeline.labs.oscillator.train.recipe import RecipesConfig
from pipeline.runtime.compute import parallel
from pipeline.runtime.formats import records, saved_models

SOURCES = {"train_recipe": "O7", "polish": "O7", "train_ablation": "O7_ablation"}
HEADLINE = ("O7.softmax_attention.r*[0-9]", "O7.linear_attention.r*[0-9]", "O7.*_polished.r*[0-9]")


class Params(StageParams):
    """How far to compare; the frequencies among which the likelihood is searched; the seeds."""

    measured: MeasureConfig = Field(alias="oscillator.measure")
    data: WindowDataConfig = Field(alias="oscillator.aged_data")
    task: TaskConfig = Field(alias="oscillator.task")
    recipes: RecipesConfig = Field(alias="oscillator.train_recipe")

    @model_validator(mode="after")
    def _long_enough(self) -> "Params":
        self.measured.require(self.data.test_steps, "oscillator.aged_data.test_steps")
        return self


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write rollouts; return ``O7.MODEL.*`` and ``O7_ablation.VARIANT.*``."""
    tests, example = (
        records.read_arrays(inputs / "oscillator_data" / f"aged_{part}.npz", Split)
        for part in ("test", "example")
    )
    test = held_out(tests, example, params.data.window)
    models: dict[tuple[str, str], MemberModule] = {}
    for stage, experiment in SOURCES.items():
        path = inputs / f"oscillator_{stage}" / "models.safetensors"
        group = saved_models.read_models(path, *FORECASTERS)
        models |= {(experiment, name): model for name, model in group.items()}
    cells = [RolloutCell(model, test.window, test.steps) for model in models.values()]
    predicted = parallel.map_cells(roll_out, cells, description="O7 measure")
    rollouts = dict(zip(models, predicted, strict=True))
    rollouts["O7", "dmd"] = dmd_rollout(test.window, test.steps)[None]
    rollouts["O7", "likelihood"] = likely_rollout(
        test.window, test.gamma, params.task.dt, params.data.omega0, test.steps
    )[None]
    sizes = {place: model.parameters_per_member for place, model in models.items()}
    results = measured(rollouts, test, params.measured, sizes)
    names = [name for experiment, name in models if experiment == "O7"]
    shown = {name: (rollouts["O7", name], test.true) for name in [*names, "dmd"]}
    seeds = dict.fromkeys(names, params.recipes.seeds)
    records.write_arrays(out / "rollouts.npz", drawn_rollouts(shown, seeds))
    records.write_table(out / "table.csv", table(results), QuantityRow)
    return {**results}
