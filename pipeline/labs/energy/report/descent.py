"""E7: from changes of energy to fractions with intervals, and the verdict."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from pipeline.bounds import Seed
from pipeline.config import Section
from pipeline.core.stats.intervals import Summary, summary
from pipeline.labs.energy.measure import descent
from pipeline.labs.energy.models.heads import AttentionLayer

LOWERED = tuple(f"lowered_{name}" for name in descent.DIRECTIONS)
DOWNHILL = tuple(f"downhill_{name}" for name in descent.DIRECTIONS[:3])


class DescentConfig(Section):
    """``sequences`` for each model; ``seed`` of the random directions."""

    sequences: Annotated[int, Field(ge=2, le=10**5)]
    seed: Seed


@dataclass(frozen=True)
class FractionRow:
    """``descent.csv``: how often one layer's update, or a control, lowers its heads' energies.

    ``description`` tells the model in words; the fraction is the median over ``n`` seeds.
    """

    model: str
    description: str
    layer: int
    quantity: str
    median: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class ModelAtWork:
    """A trained model: its name, what it is in words, its layers, and the positions that count."""

    name: str
    description: str
    layers: Sequence[AttentionLayer]
    positions: slice


@dataclass(frozen=True)
class LayerSummary:
    """The quantities of one layer of a model, over seeds."""

    model: str
    description: str
    layer: int
    summary: Summary

    @property
    def condition(self) -> str:
        """Its name among the results."""
        return f"{self.model}_layer{self.layer}"


def quantities(changes: Mapping[str, descent.Change], positions: slice) -> dict[str, Tensor]:
    """Return one number a member: means over sequences, heads and positions.

    ``lowered_*``: how often the full update, or a control of its norm, lowers a head's energy;
    ``downhill_*``: how often it would for a small step (minus the gradient always does).
    ``*_excess``: the real one's minus the other sequence's, above 0 if the hypothesis holds.
    ``cosine``: the mean cosine between the real update and minus the gradient.
    """
    values = {}
    for name in descent.DIRECTIONS:
        values[f"lowered_{name}"] = changes[name].lowered(positions).mean(1)
        values[f"downhill_{name}"] = changes[name].downhill(positions).mean(1)
    for kind in ("lowered", "downhill"):
        values[f"{kind}_excess"] = values[f"{kind}_real"] - values[f"{kind}_other_sequence"]
    values["cosine"] = changes["real"].cosine[..., positions].mean((1, 2, 3))
    return values


def measure_models(models: Iterable[ModelAtWork], seed: int) -> list[LayerSummary]:
    """Return the summary over members of each layer's quantities, for every model."""
    layers = []
    for model in models:
        generator = torch.Generator().manual_seed(seed)
        for k, changes in enumerate(descent.measure(model.layers, generator)):
            over_members = summary(quantities(changes, model.positions))
            layers.append(LayerSummary(model.name, model.description, k, over_members))
    return layers


def results(layers: Sequence[LayerSummary]) -> dict[str, Summary]:
    """Return ``MODEL_layerK`` for each layer, and ``all_layers``: how many have an excess.

    A layer counts if the whole interval of ``lowered_excess`` lies above 0, or below it.
    """
    above = sum(layer.summary["lowered_excess_low"] > 0 for layer in layers)
    below = sum(layer.summary["lowered_excess_high"] < 0 for layer in layers)
    counts: Summary = {"excess_above_0": above, "excess_below_0": below, "n_layers": len(layers)}
    return {layer.condition: layer.summary for layer in layers} | {"all_layers": counts}


def table(layers: Sequence[LayerSummary]) -> pd.DataFrame:
    """Lay out :class:`FractionRow` for each layer and quantity."""
    return pd.DataFrame(
        FractionRow(
            model=layer.model, description=layer.description, layer=layer.layer, quantity=name,
            median=layer.summary[name], low=layer.summary[f"{name}_low"],
            high=layer.summary[f"{name}_high"], n=int(layer.summary["n"]),
        )
        for layer in layers
        for name in (*LOWERED, *DOWNHILL)
    )  # fmt: skip
