"""O5 and O6: measure the models of varying frequency against linear models and the DMD oracle."""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline.config import StageParams
from pipeline.core.nn.layers import MemberModule
from pipeline.core.stats.intervals import table
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.data.windows import WindowDataConfig, held_out
from pipeline.labs.oscillator.measure.comparison import compared, variable_results
from pipeline.labs.oscillator.measure.quantities import MeasureConfig
from pipeline.labs.oscillator.measure.rollout import RolloutCell, roll_out
from pipeline.labs.oscillator.models.forecasters import FORECASTERS
from pipeline.labs.oscillator.models.oracles import dmd_rollout
from pipeline.labs.oscillator.report.results import QuantityRow
from pipeline.labs.oscillator.report.rollouts import drawn_rollouts
from pipeline.labs.oscillator.train.studies import LinearTrainConfig, VariableTrainConfig
from pipeline.labs.oscillator.train.surrogate import BestModel
from pipeline.runtime.compute import parallel
from pipeline.runtime.formats import records, saved_models

SOURCES = ("variable", "linear", "surrogate")
HEADLINE = (
    "O6.attention.valid_prediction_time",
    "O6.linear.valid_prediction_time",
    "O6.surrogate.r2_score_increment",
)


class Params(StageParams):
    """How far to compare; the models' seeds."""

    measured: MeasureConfig = Field(alias="oscillator.measure")
    data: WindowDataConfig = Field(alias="oscillator.variable_data")
    variable: VariableTrainConfig = Field(alias="oscillator.train_variable")
    linear: LinearTrainConfig = Field(alias="oscillator.train_linear")

    @model_validator(mode="after")
    def _long_enough(self) -> "Params":
        self.measured.require(self.data.test_steps, "oscillator.variable_data.test_steps")
        return self

    @property
    def seeds(self) -> dict[str, tuple[int, ...]]:
        """The seeds of every model that has some."""
        attention = dict.fromkeys([*self.variable.models, "surrogate"], self.variable.seeds)
        return attention | {"linear_gradient": self.linear.seeds}


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write rollouts and tables; return the results ``O5.MODEL.*`` and ``O6.MODEL.*``."""
    models: dict[str, MemberModule] = {}
    for source in SOURCES:
        path = inputs / f"oscillator_train_{source}" / "models.safetensors"
        models |= saved_models.read_models(path, *FORECASTERS)
    best = records.read_json(inputs / "oscillator_train_surrogate" / "best.json", BestModel).model
    tests, example = (
        records.read_arrays(inputs / "oscillator_data" / f"variable_{part}.npz", Split)
        for part in ("test", "example")
    )
    test = held_out(tests, example, params.data.window)
    cells = [RolloutCell(model, test.window, test.steps) for model in models.values()]
    predicted = parallel.map_cells(roll_out, cells, description="O5, O6")
    rollouts = dict(zip(models, predicted, strict=True))
    rollouts["dmd"] = dmd_rollout(test.window, test.steps)[None]
    attention, seeds = list(params.variable.models), params.seeds
    results = variable_results(rollouts, test, attention, best, params.measured)
    drawn = drawn_rollouts({name: (rollouts[name], test.true) for name in attention}, seeds)
    records.write_arrays(out / "models.npz", drawn)
    beside = {label: (rollouts[name], test.true) for label, name in compared(best).items()}
    seeds_beside = seeds | {"attention": params.variable.seeds}
    records.write_arrays(out / "compared.npz", drawn_rollouts(beside, seeds_beside))
    records.write_table(out / "table.csv", table(results), QuantityRow)
    return {**results}
