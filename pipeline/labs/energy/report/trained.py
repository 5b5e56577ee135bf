"""E5, E7, E9 in trained models: kinds of fixed points, nested energies, and ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import torch

from pipeline.core.nn.transformer import Transformer
from pipeline.core.stats.intervals import Summary, summary
from pipeline.labs.energy.measure.phases import KINDS, PhaseConfig
from pipeline.labs.energy.measure.trained import fixed_points, nested, rank
from pipeline.labs.energy.models.heads import AttentionLayer

KIND_PRESENT = 0.05  # of a model's fixed points: a kind with a smaller share is not "observed"
NESTED = tuple(
    f"{every}{kind}_{size}"
    for size in ("small", "full")
    for kind in ("own", "joint")
    for every in ("", "every_")
)


@dataclass(frozen=True)
class NestedRow:
    """``nested.csv``: how often a forward pass lowers energies, over ``n`` seeds.

    ``order`` is the model's own or shuffled; the quantities are those of the measure.
    """

    model: str
    description: str
    order: str
    quantity: str
    median: float
    low: float
    high: float
    n: int


def kinds(
    models: Mapping[str, Sequence[AttentionLayer]], positions: slice, config: PhaseConfig
) -> dict[str, Summary]:
    """Return ``MODEL_layerK``: the shares of E5's kinds at the fixed points of softmax heads.

    ``MODEL_layers`` counts the layers whose share of a kind lies, with its interval, above
    :data:`KIND_PRESENT`.
    """
    found: dict[str, Summary] = {}
    for name, layers in models.items():
        of_layers = [summary(fixed_points.kinds(x, positions, config)) for x in layers]
        found |= {f"{name}_layer{k}": shares for k, shares in enumerate(of_layers)}
        counts: Summary = {"n_layers": len(of_layers)}
        counts |= {k: sum(x[f"{k}_low"] > KIND_PRESENT for x in of_layers) for k in KINDS}
        found[f"{name}_layers"] = counts
    return found


def ranks(models: Mapping[str, Sequence[AttentionLayer]], seed: int) -> dict[str, Summary]:
    """Return ``MODEL_layerK``: the ranks of Q K^T over whole sequences."""
    generator = torch.Generator().manual_seed(seed)
    return {
        f"{name}_layer{k}": summary(rank.ranks(layer, generator))
        for name, layers in models.items()
        for k, layer in enumerate(layers)
    }


def hierarchy(
    models: Mapping[str, Transformer], inputs: torch.Tensor, positions: slice, seed: int
) -> dict[str, Summary]:
    """Return ``MODEL_nested`` for every model of two layers or more."""
    found = {}
    for name, model in models.items():
        if model.config.n_layers > 1:
            generator = torch.Generator().manual_seed(seed)
            whole = model.double()
            of_all = inputs.expand(model.members, -1, -1, -1) if inputs.ndim == 3 else inputs
            found[f"{name}_nested"] = summary(nested.nested(whole, of_all, positions, generator))
    return found


def minimised(of_models: Mapping[str, Summary]) -> Summary:
    """Count the models whose own layers, all of them, lower energies in nearly every input.

    ``nearly``: more than :data:`nested.SHARE` with the whole interval; ``above_shuffled``: by more
    than the same layers in another order.
    """
    counts: Summary = {"n_models": len(of_models)}
    for name in ("every_own_small", "every_joint_small", "through"):
        counts[f"{name}_nearly"] = sum(x[f"{name}_low"] > nested.SHARE for x in of_models.values())
        counts[f"{name}_above_shuffled"] = sum(
            x[f"{name}_excess_low"] > 0 for x in of_models.values()
        )
    return counts


def nested_table(of_models: Mapping[str, Summary], descriptions: Mapping[str, str]) -> pd.DataFrame:
    """Lay out :class:`NestedRow` for each model, order and quantity."""
    return pd.DataFrame(
        NestedRow(
            model=name, description=descriptions[name.removesuffix("_nested")], order=order,
            quantity=quantity, median=found[key], low=found[f"{key}_low"],
            high=found[f"{key}_high"], n=int(found["n"]),
        )
        for name, found in of_models.items()
        for order, ending in (("own", ""), ("shuffled", "_shuffled"))
        for quantity, key in ((q, q + ending) for q in (*NESTED, "through"))
    )  # fmt: skip
