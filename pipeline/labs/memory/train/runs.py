"""What a training stage says of its models: a row a model, seed and distribution of evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import pandas as pd
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.layers import MemberModule
from pipeline.labs.memory.train.cells import Cell

TRAIN = "train"  # the sampled contexts that a model learns from (or could have)


@dataclass(frozen=True)
class RunRow:
    """A trained model, evaluated.

    ``eval_distribution`` says over which contexts ``accuracy`` is taken: ``uniform`` (all alike),
    ``population`` (by their probability, where they are not alike), or ``train`` (those sampled).
    ``divergence`` is over the population whatever it says.
    """

    experiment: str
    model: str
    accuracy: float
    n_heads: int
    N: int
    d: int
    d_head: int
    patterns_per_head: int
    n_layers: int
    mlp_width: int
    mlp_depth: int
    seed: int
    parameters: int
    engine: str
    eval_distribution: str
    divergence: float


@dataclass(frozen=True)
class HistoryRow:
    """A record during a training: of the batch just seen."""

    model: str
    seed: int
    step: int
    loss: float
    accuracy: float


COLUMNS = [field.name for field in fields(RunRow)]


def table(
    experiment: str,
    cell: Cell,
    model: MemberModule,
    measures: Mapping[str, Float[Tensor, " member"]],
) -> pd.DataFrame:
    """Return two rows for each seed of a trained cell: over the population, and the samples."""
    config, rows = cell.config, []
    exactly = "uniform" if _contexts_are_alike(cell) else "population"
    for k, seed in enumerate(cell.seeds):
        for evaluated, accuracy in ((exactly, "accuracy"), (TRAIN, "accuracy_train")):
            rows.append(
                {
                    "experiment": experiment, "model": cell.name,
                    "accuracy": float(measures[accuracy][k]), "n_heads": config.n_heads,
                    "N": config.N, "d": config.d, "d_head": config.d_head,
                    "patterns_per_head": config.patterns_per_head, "n_layers": config.n_layers,
                    "mlp_width": config.mlp_width, "mlp_depth": config.mlp_depth, "seed": seed,
                    "parameters": model.parameters_per_member, "engine": cell.engine.engine,
                    "eval_distribution": evaluated,
                    "divergence": float(measures["divergence"][k]),
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _contexts_are_alike(cell: Cell) -> bool:
    return all(bool((one.contexts == one.contexts[0]).all()) for one in cell.distributions)
