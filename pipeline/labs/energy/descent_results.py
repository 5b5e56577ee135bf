"""E7: from changes of energy to fractions with intervals, and the verdict."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from pipeline.config import Section
from pipeline.core.stats.intervals import Summary, summary
from pipeline.labs.energy import descent
from pipeline.labs.energy.heads import Layer

LOWERED = tuple(f"lowered_{name}" for name in descent.DIRECTIONS)
DOWNHILL = tuple(f"downhill_{name}" for name in descent.DIRECTIONS[:3])


class DescentConfig(Section):
    """``sequences`` for each model; ``seed`` of the random directions."""

    sequences: Annotated[int, Field(ge=2)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]


def quantities(changes: Mapping[str, descent.Change], positions: slice) -> dict[str, Tensor]:
    """Return one number a member: means over sequences, heads and positions.

    ``lowered_*``: how often the full update, or a control of its norm, lowers a head's energy;
    ``downhill_*``: how often it would for a small step (minus the gradient always does).
    ``*_excess``: the real one's minus the other sequence's, above 0 if the hypothesis holds.
    ``cosine``: the mean cosine between the real update and minus the gradient.
    """
    found = {}
    for name in descent.DIRECTIONS:
        found[f"lowered_{name}"] = changes[name].lowered(positions).mean(1)
        found[f"downhill_{name}"] = changes[name].downhill(positions).mean(1)
    for kind in ("lowered", "downhill"):
        found[f"{kind}_excess"] = found[f"{kind}_real"] - found[f"{kind}_other_sequence"]
    found["cosine"] = changes["real"].cosine[..., positions].mean((1, 2, 3))
    return found


def measure_model(
    name: str, layers: Sequence[Layer], positions: slice, seed: int
) -> dict[str, Summary]:
    """Return ``NAME_layer0`` ...: the summary over members of each layer's quantities."""
    generator = torch.Generator().manual_seed(seed)
    return {
        f"{name}_layer{k}": summary(quantities(changes, positions))
        for k, changes in enumerate(descent.measure(layers, generator))
    }


def table(metrics: Mapping[str, Summary]) -> pd.DataFrame:
    """Lay out the fractions, a row for each model's layer and quantity."""
    rows = [
        {"layer": condition, "quantity": name, "median": found[name], "low": found[f"{name}_low"],
         "high": found[f"{name}_high"], "n": found["n"]}
        for condition, found in metrics.items()
        for name in (*LOWERED, *DOWNHILL)
    ]  # fmt: skip
    return pd.DataFrame(rows)
