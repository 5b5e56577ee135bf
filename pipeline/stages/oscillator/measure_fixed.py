"""O3: roll the models of one frequency out and measure their errors."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.core.stats.intervals import summary, table
from pipeline.labs.oscillator.data.fixed import by_gamma
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.measure.quantities import from_one_state
from pipeline.labs.oscillator.measure.rollout import predict_rollouts
from pipeline.labs.oscillator.report.results import QuantityRow
from pipeline.labs.oscillator.report.rollouts import drawn_rollouts
from pipeline.labs.oscillator.train.studies import FixedTrainConfig, gamma_of
from pipeline.runtime.formats import records, saved_models

# Of the main recipe, for each damping of at most one digit after the point.
HEADLINE = ("O3.gamma_[0-9].step*_error", "O3.gamma_[0-9].[0-9].step*_error")


class Params(StageParams):
    """The models' seeds; the rollouts are as long as the test trajectories."""

    train: FixedTrainConfig = Field(alias="oscillator.train_fixed")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the rollouts for the figures; return the results ``O3.gamma_0.*``."""
    models = saved_models.read_models(
        inputs / "oscillator_train_fixed" / "models.safetensors", Transformer
    )
    split = records.read_arrays(inputs / "oscillator_data" / "fixed_test.npz", Split)
    tests = by_gamma(split)
    measured, rolled = {}, {}
    for name, model in models.items():
        test = tests[gamma_of(name)]
        window, true = test.states[:, :1], test.states[:, 1:]
        predicted = predict_rollouts(model, window, true.shape[1])
        measured[name] = summary(from_one_state(predicted, test))
        rolled[name] = (predicted, true)
    drawn = drawn_rollouts(rolled, dict.fromkeys(models, params.train.seeds))
    records.write_arrays(out / "rollouts.npz", drawn)
    records.write_table(out / "table.csv", table({"O3": measured}), QuantityRow)
    return {"O3": measured}
