"""O6: fit a linear surrogate to the outputs of the best attention model, for each of its seeds."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.labs.oscillator.surrogate import SurrogateConfig, fit_surrogate
from pipeline.runtime import artifacts, saved_models, training_record
from pipeline.stages.oscillator._data import read_split


class Params(StageParams):
    """The surrogate's regularisation."""

    surrogate: SurrogateConfig = Field(alias="oscillator.train_surrogate")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Choose the attention model of least validation error; fit the linear one to what it says."""
    source = inputs / "oscillator_train_variable"
    columns = ["model", "seed", "step", "validation_last"]
    history = artifacts.read_csv(source / "history.csv", columns)
    final = history[history.step == history.step.max()]
    best = str(final.groupby("model", sort=False).validation_last.median().idxmin())
    model, cutoff = fit_surrogate(
        saved_models.read_models(source / "models.safetensors", Transformer)[best],
        read_split(inputs, "variable_train")["states"][:, :-1],
        read_split(inputs, "variable_valid")["states"][:, :-1],
        params.surrogate,
    )
    surrogate = training_record.Trained(
        experiment="O6",
        name="surrogate",
        seeds=final[final.model == best].seed.tolist(),
        model=model,
        history=None,
        params={"of": best, "method": "normal equation", "cutoff": cutoff},
    )
    training_record.write(out, [surrogate])
    artifacts.write_json(out / "best.json", {"model": best, "cutoff": cutoff})
