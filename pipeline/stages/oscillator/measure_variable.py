"""O5 and O6: measure the models of varying frequency against linear models and the DMD oracle."""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline.config import StageParams
from pipeline.core.stats.intervals import summary, table
from pipeline.labs.oscillator.conservation import conservation
from pipeline.labs.oscillator.datasets import WindowDataConfig
from pipeline.labs.oscillator.forecasters import FORECASTERS
from pipeline.labs.oscillator.measure import (
    MeasureConfig,
    forecast_quantities,
    surrogate_quantities,
)
from pipeline.labs.oscillator.oracles import dmd_rollout
from pipeline.runtime import artifacts, parallel, saved_models
from pipeline.stages.oscillator._data import read_test
from pipeline.stages.oscillator._rollouts import RolloutCell, roll_out, write_rollouts

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """How far to compare."""

    measured: MeasureConfig = Field(alias="oscillator.measure")
    data: WindowDataConfig = Field(alias="oscillator.variable_data")

    @model_validator(mode="after")
    def _horizons_fit(self) -> "Params":
        self.measured.require(self.data.test_steps, "oscillator.variable_data.test_steps")
        return self


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write rollouts and tables; return the metrics ``O5.MODEL.*`` and ``O6.MODEL.*``."""
    sources = ("variable", "linear", "surrogate")
    models = {
        source: saved_models.read_models(
            inputs / f"oscillator_train_{source}" / "models.safetensors", *FORECASTERS
        )
        for source in sources
    }
    best = artifacts.read_json(inputs / "oscillator_train_surrogate" / "best.json")["model"]
    test = read_test(inputs, "variable")
    window, true, steps = test.window, test.true, test.true.shape[1]
    flat = {name: model for group in models.values() for name, model in group.items()}
    cells = [RolloutCell(model, window, steps) for model in flat.values()]
    rolled = parallel.map_cells(roll_out, cells, description="O5, O6")
    rollouts = dict(zip(flat, rolled, strict=True))
    rollouts["dmd"] = dmd_rollout(window, steps)[None]

    found = {
        name: forecast_quantities(predicted[:, :-1], true[:-1], params.measured)
        | conservation(predicted[:, :-1], true[:-1], test.omega0[:-1])
        for name, predicted in rollouts.items()
    }
    found["surrogate"] |= surrogate_quantities(
        rollouts["surrogate"][:, :-1], rollouts[best][:, :-1], window[:-1, -1], params.measured
    )
    compared = {
        "attention": best,
        **{n: n for n in ("linear", "linear_gradient", "surrogate", "dmd")},
    }
    metrics = {
        "O5": {name: summary(found[name]) for name in [*models["variable"], "dmd"]},
        "O6": {label: summary(found[name]) for label, name in compared.items()},
    }
    write_rollouts(out / "models.npz", {n: (rollouts[n], true) for n in models["variable"]})
    write_rollouts(out / "compared.npz", {k: (rollouts[n], true) for k, n in compared.items()})
    artifacts.write_csv(out / "table.csv", table(metrics))
    return {**metrics}
