"""Grids of models, the bounds on what they can memorise, and the laws fitted to what they do."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Annotated, Any

import pandas as pd
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pipeline.config import Section
from pipeline.core.stats.regression import Fit, hinge, polynomial
from pipeline.labs.memory.laws import Law
from pipeline.labs.memory.models import (
    AttentionMemoryConfig,
    FreezeConfig,
    InitialConfig,
    SkipsConfig,
)
from pipeline.labs.memory.training import Cell, EngineConfig, Result

Sizes = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
ALL = SkipsConfig(residual=False, pos_QK=False, emb_QK=False, pos_OV=False, emb_OV=False)
FREE = FreezeConfig(E=False, P=False, QKV=False, O=False, U=False)


class PointConfig(Section):
    """One model of a sweep; ``mlp`` gives the parameters of modules 2... to an MLP instead."""

    d: Annotated[int, Field(ge=1)]
    d_head: Annotated[int, Field(ge=1)]
    modules: Annotated[int, Field(ge=1)]
    layers: Annotated[int, Field(ge=1)]
    mlp: bool

    @property
    def name(self) -> str:
        """The point's name in tables and metrics."""
        extra = "" if self.d_head == self.d else f"_dh{self.d_head}"
        depth = "" if self.layers == 1 else f"_l{self.layers}"
        return f"d{self.d}{extra}_h{self.modules}{depth}{'_mlp' if self.mlp else ''}"


class GridConfig(Section):
    """Every combination of the lists; a ``d_head`` of 0 is d_head = d."""

    d: Sizes
    d_head: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
    modules: Sizes
    layers: Annotated[int, Field(ge=1)]
    mlp: Annotated[tuple[bool, ...], Field(min_length=1)]

    @property
    def points(self) -> list[PointConfig]:
        """The grid's points, the last list fastest."""
        return [
            PointConfig(d=d, d_head=d_head or d, modules=H, layers=self.layers, mlp=mlp)
            for mlp, d, d_head, H in product(self.mlp, self.d, self.d_head, self.modules)
        ]


def shape(
    N: int,
    point: PointConfig,
    initial: InitialConfig,
    skips: SkipsConfig = ALL,
    freeze: FreezeConfig = FREE,
) -> AttentionMemoryConfig:
    """Return the model of a point.

    With ``mlp`` one module and an MLP of width 2 d (H - 1) stand for H modules: 4 d^2 (H - 1)
    parameters either way, up to biases.
    """
    width = 2 * point.d * (point.modules - 1) if point.mlp else 0
    return AttentionMemoryConfig(
        N=N, d=point.d, d_head=point.d_head, modules=1 if point.mlp else point.modules,
        sub_heads=1, layers=point.layers, mlp_width=width, mlp_depth=1, norm=False,
        skips=skips, freeze=freeze, initial=initial,
    )  # fmt: skip


def cells(
    points: Sequence[PointConfig], laws: Sequence[Law], seeds: Sequence[int], engine: EngineConfig
) -> list[Cell]:
    """Make a cell a point, its seeds stacked; ConfigError if one would not fit in memory."""
    made = []
    for point in points:
        config = shape(laws[0].N, point, engine.initial)
        engine.refuse_too_large(config.N, config.heads, len(seeds), config.mlp_width)
        made.append(Cell(name=point.name, config=config, seeds=seeds, laws=laws, engine=engine))
    return made


COLUMNS = (
    "experiment", "model", "acc", "para", "N", "d", "d_head", "nb_head", "nb_layers", "width",
    "depth", "seed", "parameters", "engine", "yardstick", "loss",
)  # fmt: skip


def table(experiment: str, done: Sequence[Cell], results: Sequence[Result]) -> pd.DataFrame:
    """Lay a sweep out, two rows a model: accuracy over the law's contexts, and over the samples.

    The columns acc, para, N, d, d_head are those of the published tables.
    """
    rows = []
    for cell, result in zip(done, results, strict=True):
        config, measures = cell.config, result.measures
        flat = all(bool((law.contexts == law.contexts[0]).all()) for law in cell.laws)
        exactly = "uniform" if flat else "law"
        for k, seed in enumerate(cell.seeds):
            for yardstick, accuracy in ((exactly, "accuracy"), ("sampled", "accuracy_sampled")):
                rows.append(
                    {
                        "experiment": experiment, "model": cell.name,
                        "acc": float(measures[accuracy][k]), "para": config.modules,
                        "N": config.N, "d": config.d, "d_head": config.d_head,
                        "nb_head": config.sub_heads, "nb_layers": config.layers,
                        "width": config.mlp_width, "depth": config.mlp_depth, "seed": seed,
                        "parameters": result.model.parameters_per_member,
                        "engine": cell.engine.engine, "yardstick": yardstick,
                        "loss": float(measures["divergence"][k]),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def lower_bounds(N: int, H: Tensor, d: Tensor, d_head: Tensor) -> Float[Tensor, "2 point"]:
    """Return the accuracy that H modules can reach at least: by the paper, and by its first form.

    (1 - 1/N) (H d_h + d) / N^2 + 1/N (the published theorem), and (1 - 1/N) (H (d_h - 1) + 1) / N^2
    + 1/N (earlier); at most 1.
    """
    counted = torch.stack([H * d_head + d, H * (d_head - 1) + 1]).double()
    return ((1 - 1 / N) * counted / N**2 + 1 / N).clamp(max=1)


def linear_in_heads(modules: Tensor, accuracy: Tensor, saturated: float) -> Fit | None:
    """P1: fit accuracy = a + b H where it is below ``saturated``; None with fewer than 3 points."""
    rising = accuracy < saturated
    if len(modules[rising].unique()) < 3:
        return None
    return polynomial(modules[rising], accuracy[rising], 1)


def growth_of_slopes(d: Tensor, slopes: Tensor) -> Fit:
    """P4: fit log slope = a + k log d; k is the exponent."""
    return polynomial(d.double().log(), slopes.double().log(), 1)


def piecewise(d: Tensor, accuracy: Tensor) -> tuple[float, Fit]:
    """P3: two joined lines whose break is searched between the extreme dimensions."""
    low, high = float(d.min()), float(d.max())
    return hinge(d, accuracy, torch.linspace(low + 1, high - 1, int(10 * (high - low - 2)) + 1))


def fit_metrics(fit: Fit, names: Mapping[int, str], n: int) -> dict[str, Any]:
    """Name coefficients as metrics with their intervals."""
    found: dict[str, Any] = {}
    for index, name in names.items():
        found[name] = float(fit.values[index])
        found[f"{name}_low"], found[f"{name}_high"] = float(fit.low[index]), float(fit.high[index])
    return found | {"r2": fit.r2, "n": n}
