"""Noise in the window, and frequencies outside the training range, for every model of the lab."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, model_validator
from torch import Tensor

from pipeline.config import ConfigError, StageParams
from pipeline.core.nn.layers import MemberModule
from pipeline.core.stats.intervals import summary, table
from pipeline.labs.oscillator.datasets import WindowDataConfig
from pipeline.labs.oscillator.forecasters import FORECASTERS
from pipeline.labs.oscillator.generality import (
    ORACLES,
    Condition,
    GeneralityConfig,
    conditions,
    oracle_rollouts,
)
from pipeline.labs.oscillator.measure import rollout_error
from pipeline.labs.oscillator.task import TaskConfig
from pipeline.runtime import artifacts, parallel, saved_models
from pipeline.stages.oscillator._rollouts import RolloutCell, roll_out

SOURCES = ("train_variable", "train_linear", "train_recipe", "polish")


HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The noise, the frequencies and the damping, and the time step."""

    generality: GeneralityConfig = Field(alias="oscillator.generality")
    data: WindowDataConfig = Field(alias="oscillator.variable_data")
    task: TaskConfig = Field(alias="oscillator.task")

    @model_validator(mode="after")
    def _same_window(self) -> "Params":
        if self.generality.window != self.data.window:
            raise ValueError(
                "oscillator.generality.window must be that of oscillator.variable_data, "
                f"{self.data.window}, got {self.generality.window}"
            )
        return self


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Return ``noise.MODEL.r50_LEVEL`` and ``frequency.MODEL.r50_LOW_HIGH`` over seeds."""
    config = params.generality
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
    asked = conditions(config, params.task.dt, max(model.members for model in models.values()))
    pairs = [(name, condition) for name in models for condition in asked]
    cells = [
        RolloutCell(models[name], condition.window[: models[name].members], config.steps)
        for name, condition in pairs
    ]
    done = parallel.map_cells(roll_out, cells, description="noise and frequency")
    found = dict(zip(((name, c.quantity) for name, c in pairs), done, strict=True))
    for oracle in ORACLES:
        for condition in asked:
            rolled = oracle_rollouts(oracle, condition, config, params.task.dt)
            found[oracle, condition.quantity] = rolled
    metrics = summaries([*models, *ORACLES], asked, found, config.steps)
    artifacts.write_csv(out / "table.csv", table(metrics))
    return {**metrics}


def summaries(
    names: list[str],
    asked: list[Condition],
    found: Mapping[tuple[str, str], Tensor],
    steps: int,
) -> dict[str, dict[str, dict[str, float | int]]]:
    """Summarise the rollout errors by experiment, model and condition."""
    return {
        experiment: {
            name: summary(
                {
                    c.quantity: rollout_error(found[name, c.quantity], c.true, steps)
                    for c in asked
                    if c.experiment == experiment
                }
            )
            for name in names
        }
        for experiment in dict.fromkeys(c.experiment for c in asked)
    }
