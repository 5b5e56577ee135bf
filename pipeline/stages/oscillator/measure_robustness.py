"""Noise in the window, and frequencies outside the training range, for every model of the lab."""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline.config import ConfigError, StageParams
from pipeline.core.nn.layers import MemberModule
from pipeline.core.stats.intervals import table
from pipeline.labs.oscillator.data.task import TaskConfig
from pipeline.labs.oscillator.data.windows import WindowDataConfig
from pipeline.labs.oscillator.measure.robustness import (
    RobustnessConfig,
    conditions,
    oracle_rollouts,
    robustness,
)
from pipeline.labs.oscillator.measure.rollout import RolloutCell, roll_out
from pipeline.labs.oscillator.models.forecasters import FORECASTERS
from pipeline.labs.oscillator.models.oracles import ORACLES
from pipeline.labs.oscillator.report.results import QuantityRow
from pipeline.runtime.compute import parallel
from pipeline.runtime.formats import records, saved_models

SOURCES = ("train_variable", "train_linear", "train_recipe", "polish")
HEADLINE = ("noise.*_polished.r*_0.01", "frequency.*_polished.r*_4_5")


class Params(StageParams):
    """The noise, the frequencies and the damping, and the time step."""

    robustness: RobustnessConfig = Field(alias="oscillator.robustness")
    data: WindowDataConfig = Field(alias="oscillator.variable_data")
    task: TaskConfig = Field(alias="oscillator.task")

    @model_validator(mode="after")
    def _same_window(self) -> "Params":
        if self.robustness.window != self.data.window:
            raise ValueError(
                "oscillator.robustness.window must be that of oscillator.variable_data, "
                f"{self.data.window}, got {self.robustness.window}"
            )
        return self


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Return ``noise.MODEL.r50_LEVEL`` and ``frequency.MODEL.r50_LOW_HIGH`` over seeds."""
    config, models = params.robustness, read_all(inputs)
    members = max(model.members for model in models.values())
    tested = conditions(config, params.task.dt, members)
    pairs = [(name, condition) for name in models for condition in tested]
    cells = [
        RolloutCell(models[name], condition.window[: models[name].members], config.steps)
        for name, condition in pairs
    ]
    predicted = parallel.map_cells(roll_out, cells, description="noise and frequency")
    rollouts = {(n, c.quantity): each for (n, c), each in zip(pairs, predicted, strict=True)}
    for oracle in ORACLES:
        for c in tested:
            rollouts[oracle, c.quantity] = oracle_rollouts(oracle, c, config, params.task.dt)
    results = robustness(rollouts, tested, config.steps)
    records.write_table(out / "table.csv", table(results), QuantityRow)
    return {**results}


def read_all(inputs: Path) -> dict[str, MemberModule]:
    """Read the models of all sources; ConfigError if two have one name."""
    models: dict[str, MemberModule] = {}
    for source in SOURCES:
        path = inputs / f"oscillator_{source}" / "models.safetensors"
        for name, model in saved_models.read_models(path, *FORECASTERS).items():
            if name in models:
                raise ConfigError(
                    f"params.yaml: two models are named {name!r}; the one of oscillator.{source} "
                    "needs a name of its own"
                )
            models[name] = model
    return models
