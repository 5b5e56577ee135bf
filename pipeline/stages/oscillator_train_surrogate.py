"""O6: fit a linear surrogate to the outputs of the best attention model, for each of its seeds."""

from pathlib import Path

import torch

from pipeline import artifacts, trained
from pipeline.config import StageParams
from pipeline.core.linear import fit_linear_window
from pipeline.core.transformer import Transformer
from pipeline.stages._oscillator import read_windows


class Params(StageParams):
    """A fit in closed form: nothing to set."""


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001
    """Choose the model of least validation error and fit the linear model to what it says."""
    source = inputs / "oscillator_train_variable"
    history = artifacts.read_csv(
        source / "history.csv", ["model", "seed", "step", "validation_last"]
    )
    final = history[history.step == history.step.max()]
    best = str(final.groupby("model", sort=False).validation_last.median().idxmin())
    model = artifacts.read_models(source / "models.safetensors", Transformer)[best]
    windows, _ = read_windows(inputs, "variable_train")
    dtype = next(model.parameters()).dtype
    with torch.no_grad():
        parts = [
            model(part.to(dtype).expand(model.members, -1, -1, -1), last_only=True)[:, :, 0]
            for part in windows.split(1024)
        ]
    surrogate = trained.Trained(
        experiment="O6",
        name="surrogate",
        seeds=sorted(final[final.model == best].seed.tolist()),
        model=fit_linear_window(windows, torch.cat(parts, dim=1).double()),
        history=None,
        params={"of": best, "method": "normal equation"},
    )
    trained.write(out, [surrogate])
    artifacts.write_json(out / "best.json", {"model": best})
