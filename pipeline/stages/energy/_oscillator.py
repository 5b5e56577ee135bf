"""The oscillator lab's trained models at work, for E7's instrument."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.core.nn.transformer import Transformer
from pipeline.labs.energy.heads import Layer, layers_of
from pipeline.runtime import artifacts, saved_models

LAST = slice(-1, None)  # the position that forecasts


def at_work(inputs: Path, count: int) -> Iterator[tuple[str, list[Layer], slice]]:
    """Yield the models of varying frequency on ``count`` windows of the validation set."""
    models = saved_models.read_models(
        inputs / "oscillator_train_variable" / "models.safetensors", Transformer
    )
    path = inputs / "oscillator_data" / "variable_valid.npz"
    states = artifacts.read_tensors(path, states="float64 trajectory time 2")["states"]
    for name, model in models.items():
        windows = states[:count, :-1].expand(model.members, -1, -1, -1)
        yield f"oscillator_{name}", layers_of(model.double(), windows), LAST
