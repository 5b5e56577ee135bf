"""M3: the notebook's scaling table, one model for every distribution of the grid."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any

import pandas as pd
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pipeline.bounds import Members
from pipeline.config import Section
from pipeline.core.nn.layers import MemberModule
from pipeline.labs.memory.data.draw import PowerDistributions
from pipeline.labs.memory.models.shapes import ShapeConfig
from pipeline.labs.memory.train.cells import Cell, make_cell
from pipeline.labs.memory.train.engines import EngineConfig


@dataclass(frozen=True)
class DivergenceRow:
    """A trained model of the table; ``distribution`` counts the rows of alphas."""

    alpha_1: float
    alpha_2: float
    N: int
    d: int
    mlp_width: int
    mlp_depth: int
    n_layers: int
    patterns_per_head: int
    n_heads: int
    distribution: int
    seed: int
    parameters: int
    engine: str
    eval_distribution: str
    divergence: float
    accuracy: float
    uniform_divergence: float


class TableConfig(Section):
    """The models, and how many distributions are stacked in one computation."""

    models: Annotated[tuple[ShapeConfig, ...], Field(min_length=1)]
    distributions_per_cell: Members
    training: EngineConfig

    def cells(self, drawn: PowerDistributions) -> list[tuple[list[int], Cell]]:
        """Return (rows of alphas, cell) for every model; those of one seed are stacked as members.

        A member's seed is its distribution's, so that all start from the same parameters, as in the
        notebook.
        """
        numbers, size = list(range(len(drawn.alphas))), self.distributions_per_cell
        groups = [numbers[k : k + size] for k in range(0, len(numbers), size)]
        made = []
        for index, (shape, group) in enumerate(product(self.models, groups)):
            model = shape.model(drawn.N, self.training.initial)
            distributions = [one for k in group for one in drawn.distributions(k)]
            seeds = drawn.seeds.tolist() * len(group)
            cell = make_cell(f"cell{index}", model, distributions, seeds, self.training)
            made.append((group, cell))
        return made


def rows(
    group: Sequence[int],
    cell: Cell,
    model: MemberModule,
    measures: Mapping[str, Float[Tensor, " member"]],
    drawn: PowerDistributions,
) -> pd.DataFrame:
    """Return a :class:`DivergenceRow` for every distribution and seed of a cell."""
    cases = [(k, seed) for k in group for seed in drawn.seeds.tolist()]
    config, alphas = cell.config, drawn.alphas.tolist()
    return pd.DataFrame(
        {
            "alpha_1": [alphas[k][0] for k, _ in cases],
            "alpha_2": [alphas[k][2] for k, _ in cases],
            "N": config.N, "d": config.d, "mlp_width": config.mlp_width,
            "mlp_depth": config.mlp_depth, "n_layers": config.n_layers,
            "patterns_per_head": config.patterns_per_head, "n_heads": config.n_heads,
            "distribution": [k for k, _ in cases], "seed": [seed for _, seed in cases],
            "parameters": model.parameters_per_member,
            "engine": cell.engine.engine, "eval_distribution": "population",
            "divergence": measures["divergence"].tolist(),
            "accuracy": measures["accuracy"].tolist(),
            "uniform_divergence": [
                math.log(config.N) - float(one.entropy()) for one in cell.distributions
            ],
        }
    )  # fmt: skip


def entries(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Describe each row: its name, what it was trained with, what was measured."""
    measured = ("divergence", "accuracy")
    return [
        {
            "name": name_of(row),
            "params": {k: v for k, v in row.items() if k not in measured},
            "metrics": {k: row[k] for k in measured},
        }
        for row in table.to_dict("records")
    ]


def name_of(row: Mapping[Any, Any]) -> str:
    """Name a row's run."""
    return (
        f"M3.alpha_{row['alpha_1']:g}_{row['alpha_2']:.3g}.d{row['d']}_l{row['n_layers']}"
        f"_h{row['n_heads']}_w{row['mlp_width']}.seed_{row['seed']}"
    )
