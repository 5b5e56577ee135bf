"""O4: rollouts, saliency and weights of one-layer attention, for each loss."""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.core.stats.intervals import summary, table
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.data.windows import WindowDataConfig, held_out
from pipeline.labs.oscillator.measure.quantities import MeasureConfig, after_window
from pipeline.labs.oscillator.measure.rollout import predict_rollouts
from pipeline.labs.oscillator.measure.saliency import off_diagonal_share, path_norms, saliency
from pipeline.labs.oscillator.report.results import QuantityRow
from pipeline.labs.oscillator.report.rollouts import drawn_rollouts
from pipeline.labs.oscillator.report.saliency import saliency_maps
from pipeline.labs.oscillator.train.studies import SequenceTrainConfig
from pipeline.runtime.formats import records, saved_models

HEADLINE = ("O4.*.off_diagonal_saliency",)


class Params(StageParams):
    """How far rollouts are compared; the models' seeds."""

    measured: MeasureConfig = Field(alias="oscillator.measure")
    data: WindowDataConfig = Field(alias="oscillator.sequence_data")
    train: SequenceTrainConfig = Field(alias="oscillator.train_sequence")

    @model_validator(mode="after")
    def _long_enough(self) -> "Params":
        self.measured.require(self.data.test_steps, "oscillator.sequence_data.test_steps")
        return self


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write rollouts and saliency maps; return the results ``O4.LOSS.*``."""
    folder = inputs / "oscillator_train_sequence"
    models = saved_models.read_models(folder / "models.safetensors", Transformer)
    tests, example = (
        records.read_arrays(inputs / "oscillator_data" / f"sequence_{part}.npz", Split)
        for part in ("test", "example")
    )
    test = held_out(tests, example, params.data.window)
    jacobians = {name: saliency(model, test.window[-1]) for name, model in models.items()}
    measured, rolled = {}, {}
    for name, model in models.items():
        predicted = predict_rollouts(model, test.window, test.steps)
        measured[name] = summary(
            after_window(predicted, test, params.measured)
            | path_norms(model)
            | {"off_diagonal_saliency": off_diagonal_share(jacobians[name])}
        )
        rolled[name] = (predicted, test.true)
    seeds = dict.fromkeys(models, params.train.seeds)
    records.write_arrays(out / "rollouts.npz", drawn_rollouts(rolled, seeds))
    records.write_arrays(out / "saliency.npz", saliency_maps(jacobians, seeds))
    records.write_table(out / "table.csv", table({"O4": measured}), QuantityRow)
    return {"O4": measured}
