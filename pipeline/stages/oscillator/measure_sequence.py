"""O4: rollouts, saliency and weights of one-layer attention with T = 40."""

from pathlib import Path

import numpy as np
import torch
from pydantic import Field, model_validator

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.core.stats.intervals import summary, table
from pipeline.labs.oscillator.conservation import conservation
from pipeline.labs.oscillator.datasets import WindowDataConfig
from pipeline.labs.oscillator.measure import MeasureConfig, forecast_quantities, predict_rollouts
from pipeline.labs.oscillator.saliency import off_diagonal_share, path_norms, saliency
from pipeline.runtime import artifacts, saved_models
from pipeline.stages.oscillator._data import read_test
from pipeline.stages.oscillator._rollouts import write_rollouts

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """How far rollouts are compared."""

    measured: MeasureConfig = Field(alias="oscillator.measure")
    data: WindowDataConfig = Field(alias="oscillator.sequence_data")

    @model_validator(mode="after")
    def _horizons_fit(self) -> "Params":
        self.measured.require(self.data.test_steps, "oscillator.sequence_data.test_steps")
        return self


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write rollouts and saliency maps; return the metrics ``O4.LOSS.*``."""
    folder = inputs / "oscillator_train_sequence"
    models = saved_models.read_models(folder / "models.safetensors", Transformer)
    test = read_test(inputs, "sequence")
    metrics, rollouts, maps = {}, {}, []
    for name, model in models.items():
        predicted = predict_rollouts(model, test.window, test.true.shape[1])
        jacobian = saliency(model, test.window[-1])
        metrics[name] = summary(
            forecast_quantities(predicted[:, :-1], test.true[:-1], params.measured)
            | conservation(predicted[:, :-1], test.true[:-1], test.omega0[:-1])
            | path_norms(model)
            | {"off_diagonal_saliency": off_diagonal_share(jacobian)}
        )
        rollouts[name] = (predicted, test.true)
        maps.append(jacobian[0].flatten(2).flatten(0, 1))  # rows x1 p1 x2 p2 ..., columns alike
    write_rollouts(out / "rollouts.npz", rollouts)
    artifacts.write_npz(out / "saliency.npz", names=np.array(list(models)), maps=torch.stack(maps))
    artifacts.write_csv(out / "table.csv", table({"O4": metrics}))
    return {"O4": metrics}
