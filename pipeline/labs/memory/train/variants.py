"""M1-M7: the trainings of the study's notebook as cells."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Annotated, Any

import pandas as pd
from pydantic import Field, ValidationError

from pipeline.config import Section
from pipeline.labs.memory.datasets import PowerLaws
from pipeline.labs.memory.laws import Law
from pipeline.labs.memory.models import (
    AttentionMemoryConfig,
    FreezeConfig,
    InitialConfig,
    SkipsConfig,
)
from pipeline.labs.memory.scaling import ALL, FREE
from pipeline.labs.memory.training import Cell, EngineConfig, Result

Size = Annotated[int, Field(ge=1)]


class ShapeConfig(Section):
    """A model of the notebook; d_head is d unless given."""

    d: Size
    d_head: Size | None
    modules: Size
    sub_heads: Size
    layers: Size
    mlp_width: Annotated[int, Field(ge=0)]
    mlp_depth: Size
    norm: bool

    def model(
        self,
        N: int,
        initial: InitialConfig,
        skips: SkipsConfig = ALL,
        freeze: FreezeConfig = FREE,
    ) -> AttentionMemoryConfig:
        """Return the model for N tokens."""
        plain = self.model_dump() | {"d_head": self.d_head or self.d}
        return AttentionMemoryConfig(N=N, skips=skips, freeze=freeze, initial=initial, **plain)


class CurvesConfig(Section):
    """M1."""

    model: ShapeConfig
    training: EngineConfig


class VariantsConfig(Section):
    """M2 and M4: which parts are frozen, by name; every admissible skip is tried."""

    freezes: Annotated[Mapping[str, FreezeConfig], Field(min_length=1)]
    freezing_model: ShapeConfig
    skips_model: ShapeConfig
    training: EngineConfig


class InsideConfig(Section):
    """M5, M6, M7."""

    maps_model: ShapeConfig
    heads_model: ShapeConfig
    superposition_model: ShapeConfig
    training: EngineConfig


class TableConfig(Section):
    """M3: the models of the scaling table, ``laws_per_cell`` laws stacked in one computation."""

    models: Annotated[tuple[ShapeConfig, ...], Field(min_length=1)]
    laws_per_cell: Size
    training: EngineConfig


def curves(config: CurvesConfig, laws: Mapping[str, PowerLaws]) -> list[Cell]:
    """M1: both objectives on every law."""
    engine = config.training
    return [
        Cell(
            name=f"{name}_{objective}",
            config=config.model.model(own.N, engine.initial),
            seeds=own.seeds,
            laws=own.laws(),
            engine=engine,
            objective=objective,
        )
        for name, own in laws.items()
        for objective in ("divergence", "next_token")
    ]


def freezing(config: VariantsConfig, laws: PowerLaws) -> list[Cell]:
    """M2: one cell for every freeze."""
    return [
        one(
            name,
            config.freezing_model.model(laws.N, config.training.initial, freeze=freeze),
            laws,
            config.training,
        )
        for name, freeze in config.freezes.items()
    ]


def admissible_skips() -> dict[str, SkipsConfig]:
    """Return every combination of skips that leaves QK and OV something to see, by name."""
    fields = list(SkipsConfig.model_fields)
    found = {}
    for flags in product((False, True), repeat=len(fields)):
        try:
            skips = SkipsConfig(**dict(zip(fields, flags, strict=True)))
        except ValidationError:
            continue
        found["+".join(f for f, on in zip(fields, flags, strict=True) if on) or "none"] = skips
    return found


def skipping(config: VariantsConfig, laws: PowerLaws) -> list[Cell]:
    """M4: one cell for every admissible combination of skips."""
    return [
        one(
            name,
            config.skips_model.model(laws.N, config.training.initial, skips),
            laws,
            config.training,
        )
        for name, skips in admissible_skips().items()
    ]


def no_residual() -> SkipsConfig:
    """Return the skips of M5 and M6: everything is seen, the residual is dropped."""
    return ALL.model_copy(update={"residual": True})


def one(name: str, model: AttentionMemoryConfig, laws: PowerLaws, engine: EngineConfig) -> Cell:
    """Make a cell of power laws."""
    return cell(name, model, laws.laws(), laws.seeds, engine)


def cell(
    name: str,
    model: AttentionMemoryConfig,
    laws: Sequence[Law],
    seeds: Sequence[int],
    engine: EngineConfig,
) -> Cell:
    """Make a cell; ConfigError if it would not fit in memory."""
    engine.refuse_too_large(model.N, model.heads, len(seeds), model.mlp_width)
    return Cell(name=name, config=model, seeds=seeds, laws=laws, engine=engine)


def table_cells(config: TableConfig, laws: PowerLaws) -> list[tuple[list[int], Cell]]:
    """M3: (law numbers, cell) for every model; laws of one seed are stacked as members.

    A member's seed is the law's own, so that all start from the same parameters, as in the
    notebook.
    """
    numbers = list(range(len(laws.alphas)))
    groups = [
        numbers[k : k + config.laws_per_cell] for k in range(0, len(numbers), config.laws_per_cell)
    ]
    made = []
    for index, (shape, group) in enumerate(product(config.models, groups)):
        model = shape.model(laws.N, config.training.initial)
        own = [law for k in group for law in laws.laws(k)]
        seeds = [seed for _ in group for seed in laws.seeds]
        made.append((group, cell(f"cell{index}", model, own, seeds, config.training)))
    return made


def table_rows(group: Sequence[int], cell: Cell, result: Result, laws: PowerLaws) -> pd.DataFrame:
    """Return a row for every law and seed of a cell, with the published table's columns."""
    cases = [(k, seed) for k in group for seed in laws.seeds]
    model = cell.config
    return pd.DataFrame(
        {
            "alpha_1": [laws.alphas[k][0] for k, _ in cases],
            "alpha_2": [laws.alphas[k][2] for k, _ in cases],
            "N": model.N, "d": model.d, "width": model.mlp_width, "depth": model.mlp_depth,
            "nb_layers": model.layers, "nb_head": model.sub_heads, "para_head": model.modules,
            "law": [k for k, _ in cases], "seed": [seed for _, seed in cases],
            "parameters": result.model.parameters_per_member,
            "engine": cell.engine.engine, "yardstick": "law",
            "loss": result.measures["divergence"].tolist(),
            "acc": result.measures["accuracy"].tolist(),
            "unif_loss": [math.log(model.N) - float(law.entropy()) for law in cell.laws],
        }
    )  # fmt: skip


def row_name(row: Mapping[str, Any]) -> str:
    """Name a row of M3's table."""
    return (
        f"M3.alpha_{row['alpha_1']:g}_{row['alpha_2']:.3g}.d{row['d']}_l{row['nb_layers']}"
        f"_h{row['para_head']}_w{row['width']}.seed_{row['seed']}"
    )
