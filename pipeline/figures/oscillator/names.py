"""What the lab's figures call models, experiments and data: words, not keys.

A model of the user's own has no entry: its name is shown with blanks for underscores.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.core.training.ensemble import TrainingConfig
from pipeline.labs.oscillator.models.attention import ShapeConfig
from pipeline.labs.oscillator.train.recipe import POLISHED

MODELS = {
    "time_network": "network of time",
    "last": "last-position loss",
    "sequence": "whole-sequence loss",
    "attention": "attention (best)",
    "linear": "linear, normal equation",
    "linear_gradient": "linear, gradient descent",
    "surrogate": "linear surrogate of attention",
    "dmd": "in-context DMD (oracle)",
    "likelihood": "maximum likelihood (oracle)",
    "softmax_attention": "softmax attention",
    "linear_attention": "linear attention",
    "damped": "linear attention, varying damping",
    "small": "small linear attention",
    "recipe": "the recipe",
    "not_aged": "without aged windows",
    "not_scale_normalised": "without scale normalisation",
    "squared_loss": "with the squared loss",
    "no_muon": "without Muon",
    "constant_rate": "at a constant learning rate",
    "no_previous_token": "without the previous token",
    "wide_and_deep": "wider and deeper",
    "softmax": "with softmax attention",
}
EXPERIMENTS = {
    "O2": "O2  network of time",
    "O3": "O3  attention on single states",
    "O4": "O4  attention on windows",
    "O5": "O5  the study's attention models",
    "O6": "O6  linear models beside attention",
    "O7": "O7  the recipe",
    "O7_ablation": "O7  the recipe, one ingredient changed",
}


def words(model: str) -> str:
    """Return the display name of a model; what was polished is named after what it was."""
    if model in MODELS:
        return MODELS[model]
    if model.endswith(POLISHED):
        return f"{words(model.removesuffix(POLISHED))}, polished"
    return model.replace("_", " ")


def experiment(key: str) -> str:
    """Return the display name of an experiment."""
    return EXPERIMENTS.get(key, key.replace("_", " "))


def shape(config: ShapeConfig) -> str:
    """Describe one of the study's models: ``no mask, 8 layers of (32, 16)``."""
    mask = "causal mask" if config.causal else "no mask"
    layers = "1 layer" if config.n_layers == 1 else f"{config.n_layers} layers"
    return f"{mask}, {layers} of ({config.d_model}, {config.d_head})"


def recipe(training: TrainingConfig, name: str = "") -> str:
    """Describe a training: ``float32, constant rate (study)``."""
    described = f"{training.dtype}, {training.optimizer.schedule} rate"
    return described if name in described else f"{described} ({name.replace('_', ' ')})"


def damping(key: str) -> str:
    """Describe a damping that is named ``gamma_0.1``."""
    return rf"$\gamma$ = {key.removeprefix('gamma_')} 1/s"


def frequencies(omega0: tuple[float, float]) -> str:
    """Describe the frequencies of a data set, in rad/s."""
    low, high = omega0
    if low == high:
        return rf"$\omega_0$ = {low:g} rad/s"
    return rf"$\omega_0$ from {low:g} to {high:g} rad/s"


def count(numbers: Iterable[Any], what: str) -> str:
    """Say how many: ``1 step``, ``3 seeds``, ``1 to 5 seeds``."""
    counted = [int(number) for number in numbers]
    low, high = min(counted), max(counted)
    many = f"{high}" if low == high else f"{low} to {high}"
    return f"{many} {what}" if many == "1" else f"{many} {what}s"


@dataclass(frozen=True)
class Names:
    """Names of the models that are described by how they were made.

    ``shapes`` are O5's models; ``recipes`` O3's trainings, by what ends a model's name.
    """

    shapes: Mapping[str, ShapeConfig]
    recipes: Mapping[str, TrainingConfig]

    def __call__(self, model: str) -> str:
        """Return the display name of any model of the lab."""
        if model in self.shapes:
            return shape(self.shapes[model])
        fixed = re.fullmatch(r"(gamma_[-+.\de]+)(_.+)?", model)
        if fixed and (fixed[2] or "") in self.recipes:
            ending = fixed[2] or ""
            described = recipe(self.recipes[ending], ending.removeprefix("_"))
            return f"{damping(fixed[1])}, {described}"
        return words(model)
