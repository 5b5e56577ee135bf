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

FULL_STEP = 0.9  # minus the gradient's share below which steps are too long for anything to descend


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
    """A trained model: its name, what it is in words, its layers, and the positions that count.

    ``more`` has further controls for each layer, by name: what it adds for other inputs.
    """

    name: str
    description: str
    layers: Sequence[AttentionLayer]
    positions: slice
    more: Sequence[descent.Updates] | None = None


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

    ``downhill_*``: how often a small step along the update, or a control, lowers a head's energy
    (minus the gradient always does); ``matching_*`` the same for the energy's interaction alone.
    ``lowered_*``: how often the full update does, or a control of its norm. ``gain_*``: how much
    the best step along it lowers energies, as a share of what the best along minus the gradient
    does. ``*_excess``: the real one's minus the other sequence's, above 0 if the hypothesis holds.
    ``cosine``: the mean cosine between the real update and minus the gradient.
    """
    values = {}
    most = changes["minus_gradient"].gain[..., positions].sum((1, 2, 3))
    for name, change in changes.items():
        values[f"downhill_{name}"] = change.downhill(positions).mean(1)
        values[f"matching_{name}"] = change.matching(positions).mean(1)
        values[f"lowered_{name}"] = change.lowered(positions).mean(1)
        # Where not even minus the gradient gains, nothing does.
        gained = change.gain[..., positions].sum((1, 2, 3))
        values[f"gain_{name}"] = torch.where(most > 0, gained / most, 0.0)
    for kind in ("downhill", "matching", "lowered", "gain"):
        values[f"{kind}_excess"] = values[f"{kind}_real"] - values[f"{kind}_other_sequence"]
    for name in changes.keys() - set(descent.DIRECTIONS):
        values[f"downhill_excess_{name}"] = values["downhill_real"] - values[f"downhill_{name}"]
    values["cosine"] = changes["real"].cosine[..., positions].mean((1, 2, 3))
    return values


def measure_models(models: Iterable[ModelAtWork], seed: int) -> list[LayerSummary]:
    """Return the summary over members of each layer's quantities, for every model."""
    layers = []
    for model in models:
        generator = torch.Generator().manual_seed(seed)
        for k, changes in enumerate(descent.measure(model.layers, generator, model.more)):
            over_members = summary(quantities(changes, model.positions))
            layers.append(LayerSummary(model.name, model.description, k, over_members))
    return layers


def results(layers: Sequence[LayerSummary]) -> dict[str, Summary]:
    """Return ``MODEL_layerK`` for each layer, and ``all_layers``: how many have an excess.

    A layer counts if the whole interval of its excess lies above 0, or below it; that of small
    steps decides. ``full_step_can_descend``: the layers in which minus the gradient, at the
    update's length, lowers the energy more often than :data:`FULL_STEP`.
    """
    counts: Summary = {"n_layers": len(layers)}
    for kind in ("downhill", "matching", "lowered"):
        excesses = [(x.summary[f"{kind}_excess_low"], x.summary[f"{kind}_excess_high"])
                    for x in layers]  # fmt: skip
        counts[f"{kind}_excess_above_0"] = sum(low > 0 for low, _ in excesses)
        counts[f"{kind}_excess_below_0"] = sum(high < 0 for _, high in excesses)
    counts["full_step_can_descend"] = sum(
        layer.summary["lowered_minus_gradient_low"] > FULL_STEP for layer in layers
    )
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
        for name in shown(layer.summary)
    )  # fmt: skip


def shown(summary: Summary) -> list[str]:
    """Return the fractions of lowered energies among the quantities of a layer."""
    return [name for name in summary if f"{name}_low" in summary and "excess" not in name
            and name.startswith(("downhill_", "lowered_", "gain_"))]  # fmt: skip
