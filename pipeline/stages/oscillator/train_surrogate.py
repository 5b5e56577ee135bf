"""O6: fit a linear surrogate to the outputs of the best attention model, for each of its seeds."""

from dataclasses import asdict
from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.train.forecast import ForecastCurveRow
from pipeline.labs.oscillator.train.surrogate import (
    BestModel,
    SurrogateConfig,
    best_model,
    fit_surrogate,
)
from pipeline.runtime import training_record
from pipeline.runtime.formats import artifacts, records, saved_models


class Params(StageParams):
    """The surrogate's regularisation."""

    surrogate: SurrogateConfig = Field(alias="oscillator.train_surrogate")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Choose the attention model of least validation error; fit the linear one to what it says."""
    source = inputs / "oscillator_train_variable"
    history = records.read_table(source / "history.csv", ForecastCurveRow)
    best = best_model(history)
    train, valid = (
        records.read_arrays(inputs / "oscillator_data" / f"variable_{part}.npz", Split)
        for part in ("train", "valid")
    )
    model, cutoff = fit_surrogate(
        saved_models.read_models(source / "models.safetensors", Transformer)[best],
        train.states[:, :-1],
        valid.states[:, :-1],
        params.surrogate,
    )
    surrogate = training_record.Trained(
        experiment="O6",
        name="surrogate",
        seeds=history[history.model == best].seed.drop_duplicates().tolist(),
        model=model,
        history=None,
        params={"of": best, "method": "normal equation", "cutoff": cutoff},
    )
    training_record.write(out, [surrogate])
    artifacts.write_json(out / "best.json", asdict(BestModel(best, cutoff)))
