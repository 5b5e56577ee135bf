"""O7: measure the recipe's models, its ablations and the oracles on aged trajectories."""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary, summary, table
from pipeline.labs.oscillator.conservation import conservation
from pipeline.labs.oscillator.datasets import WindowDataConfig
from pipeline.labs.oscillator.forecasters import FORECASTERS
from pipeline.labs.oscillator.measure import MeasureConfig, forecast_quantities
from pipeline.labs.oscillator.oracles import dmd_rollout, likely_rollout
from pipeline.labs.oscillator.task import TaskConfig
from pipeline.runtime import artifacts, parallel, saved_models
from pipeline.stages.oscillator._data import read_test
from pipeline.stages.oscillator._rollouts import RolloutCell, roll_out, write_rollouts

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """How far to compare; the frequencies among which the likelihood is searched."""

    measured: MeasureConfig = Field(alias="oscillator.measure")
    data: WindowDataConfig = Field(alias="oscillator.aged_data")
    task: TaskConfig = Field(alias="oscillator.task")

    @model_validator(mode="after")
    def _horizons_fit(self) -> "Params":
        self.measured.require(self.data.test_steps, "oscillator.aged_data.test_steps")
        return self


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write rollouts; return ``O7.MODEL.*`` and ``O7_ablation.VARIANT.*``."""
    test = read_test(inputs, "aged")
    steps = test.true.shape[1]
    groups = {
        stage: saved_models.read_models(inputs / stage / "models.safetensors", *FORECASTERS)
        for stage in ("oscillator_train_recipe", "oscillator_polish", "oscillator_train_ablation")
    }
    main = groups["oscillator_train_recipe"] | groups["oscillator_polish"]
    labelled = {("O7", name): model for name, model in main.items()}
    ablation = groups["oscillator_train_ablation"]
    labelled |= {("O7_ablation", name): model for name, model in ablation.items()}
    cells = [RolloutCell(model, test.window, steps) for model in labelled.values()]
    done = parallel.map_cells(roll_out, cells, description="O7 measure")
    rollouts = dict(zip(labelled, done, strict=True))
    rollouts["O7", "dmd"] = dmd_rollout(test.window, steps)[None]
    likely = likely_rollout(test.window, test.gamma, params.task.dt, params.data.omega0, steps)
    rollouts["O7", "likelihood"] = likely[None]
    metrics: dict[str, dict[str, Summary]] = {"O7": {}, "O7_ablation": {}}
    for (experiment, name), predicted in rollouts.items():
        metrics[experiment][name] = summary(
            forecast_quantities(predicted[:, :-1], test.true[:-1], params.measured)
            | conservation(predicted[:, :-1], test.true[:-1], test.omega0[:-1])
        ) | ({"parameters": labelled[experiment, name].parameters_per_member}
             if (experiment, name) in labelled else {})  # fmt: skip
    shown = {name: (rollouts["O7", name], test.true) for name in [*main, "dmd"]}
    write_rollouts(out / "rollouts.npz", shown)
    artifacts.write_csv(out / "table.csv", table(metrics))
    return {**metrics}
