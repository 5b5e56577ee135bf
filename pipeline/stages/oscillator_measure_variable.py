"""O5 and O6: measure the models of varying frequency against linear models and the DMD oracle."""

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import Field, model_validator
from torch import Tensor

from pipeline import artifacts, execution
from pipeline.config import StageParams
from pipeline.core.layers import MemberModule
from pipeline.core.statistics import summary, table
from pipeline.labs.oscillator.datasets import VariableDataConfig
from pipeline.labs.oscillator.measure import (
    MeasureConfig,
    forecast_quantities,
    predict_rollouts,
    surrogate_quantities,
)
from pipeline.labs.oscillator.oracles import dmd_rollout
from pipeline.stages._oscillator import read_split, write_rollouts


class Params(StageParams):
    """How far to compare; the horizons must fit into the test trajectories."""

    measure: MeasureConfig = Field(alias="oscillator.measure")
    data: VariableDataConfig = Field(alias="oscillator.variable_data")

    @model_validator(mode="after")
    def _horizons_fit(self) -> "Params":
        if max(self.measure.horizons) > self.data.test_steps:
            raise ValueError(
                "oscillator.measure.horizons must be <= oscillator.variable_data.test_steps = "
                f"{self.data.test_steps}, got {max(self.measure.horizons)}"
            )
        return self


@dataclass(frozen=True)
class RolloutCell:
    """One model to roll out from the true windows."""

    model: MemberModule
    window: Tensor
    steps: int


def compute(cell: RolloutCell) -> Tensor:
    """Roll out in a worker."""
    return predict_rollouts(cell.model, cell.window, cell.steps)


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write rollouts and tables; return the metrics ``O5.MODEL.*`` and ``O6.MODEL.*``."""
    sources = ("variable", "linear", "surrogate")
    models = {
        source: artifacts.read_models(
            inputs / f"oscillator_train_{source}" / "models.safetensors", MemberModule
        )
        for source in sources
    }
    best = artifacts.read_json(inputs / "oscillator_train_surrogate" / "best.json")["model"]
    test, example = (read_split(inputs, f"variable_{s}")["states"] for s in ("test", "example"))
    # The example is rolled out with the test trajectories, as the last of them.
    states, size = torch.cat([test, example]), params.data.window
    window, true = states[:, :size], states[:, size:]
    flat = {name: model for group in models.values() for name, model in group.items()}
    cells = [RolloutCell(model, window, true.shape[1]) for model in flat.values()]
    rolled = execution.map_cells(compute, cells, description="O5, O6")
    rollouts = dict(zip(flat, rolled, strict=True))
    rollouts["dmd"] = dmd_rollout(window, true.shape[1])[None]

    found = {
        name: forecast_quantities(predicted[:, :-1], true[:-1], params.measure)
        for name, predicted in rollouts.items()
    }
    found["surrogate"] |= surrogate_quantities(
        rollouts["surrogate"][:, :-1], rollouts[best][:, :-1], window[:-1, -1], params.measure
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
