"""What no section of the memory lab shows alone: each model can be made, trained, and held.

A model's number of tokens stands in ``memory.laws`` and its shape in the section of its training.
Only ``check_params`` reads them together, so that an edited law does not rerun every training.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from pydantic import Field, ValidationError, model_validator

from pipeline.config import StageParams, explain
from pipeline.labs.memory import exact, notebook, scaling
from pipeline.labs.memory.datasets import LawsConfig
from pipeline.labs.memory.models import AttentionMemoryConfig, InitialConfig
from pipeline.labs.memory.sweeps import ChosenConfig, ComparedConfig, LargeConfig, SweepConfig
from pipeline.labs.memory.training import EngineConfig
from pipeline.stages.memory.low_rank import LowRankStageConfig

Make = Callable[[int, InitialConfig], AttentionMemoryConfig]
BYTES = {"float32": 4, "float64": 8}
GIB = 2**30


@dataclass(frozen=True)
class Planned:
    """A model of ``where``, for the tokens and seeds of a law, and how it is to be trained.

    ``training`` names the key of its engine; ``stacked`` counts laws that are trained at once;
    ``name`` tells the models of one ``grid`` apart (``where`` itself, if it is not named).
    """

    where: str
    law: str
    make: Make
    training: str
    engine: EngineConfig
    stacked: int = 1
    name: str = ""
    grid: str = ""


class Params(StageParams):
    """The laws, and all that is trained on them."""

    laws: LawsConfig = Field(alias="memory.laws")
    heads: SweepConfig = Field(alias="memory.train_heads")
    published: ChosenConfig = Field(alias="memory.train_published")
    widths: SweepConfig = Field(alias="memory.train_widths")
    mlp: ComparedConfig = Field(alias="memory.train_mlp")
    small: SweepConfig = Field(alias="memory.train_small")
    large: LargeConfig = Field(alias="memory.train_large")
    curves: notebook.CurvesConfig = Field(alias="memory.train_curves")
    table: notebook.TableConfig = Field(alias="memory.train_table")
    variants: notebook.VariantsConfig = Field(alias="memory.train_variants")
    inside: notebook.InsideConfig = Field(alias="memory.train_inside")
    low_rank: LowRankStageConfig = Field(alias="memory.low_rank")

    @model_validator(mode="after")
    def _something_is_trained(self) -> "Params":
        for name, freeze in self.variants.freezes.items():
            if all(freeze.model_dump().values()):
                raise ValueError(
                    f"memory.train_variants.freezes.{name} must leave a part false, to be trained"
                )
        return self

    @model_validator(mode="after")
    def _low_rank_is_low(self) -> "Params":
        # Logits count up to a constant: N - 1 dimensions hold any law, and beyond them the
        # second-order theory has no single solution.
        for name, d in self.low_rank.d.items():
            N = getattr(self.laws, name).N
            if d >= N:
                raise ValueError(
                    f"memory.low_rank.d.{name} must be < memory.laws.{name}.N = {N}, got {d}"
                )
        # M8 compares U's directions with as many of the law's own.
        d, least = self.low_rank.d["rank"], min(self.laws.rank.ranks)
        if d > least:
            raise ValueError(
                f"memory.low_rank.d.rank must be <= the least of memory.laws.rank.ranks = {least}, "
                f"got {d}"
            )
        return self

    @model_validator(mode="after")
    def _points_are_distinct(self) -> "Params":
        counts = Counter((p.grid or p.where, p.training, p.name) for p in self.sweeps())
        for (where, _, name), count in counts.items():
            if count > 1:
                raise ValueError(f"{where} must have distinct models, got {name} {count} times")
        return self

    @model_validator(mode="after")
    def _models_can_be_made_and_held(self) -> "Params":
        steps = []
        for planned in (*self.sweeps(), *self.notebooks()):
            law = getattr(self.laws, planned.law)
            try:
                model = planned.make(law.N, planned.engine.initial)
            except ValidationError as error:
                raise ValueError(f"{planned.where}: {explain(error, Params)}") from error
            steps.append(Step(planned, model, planned.stacked * len(law.seeds)))
        # The worst, so that a setting's new memory is enough for all its models.
        refuse_too_large(max(steps, key=lambda step: step.excess))
        return self

    def sweeps(self) -> Iterator[Planned]:
        """Yield the models of P1-P7."""
        for name, law, sweep in (
            ("heads", "lookup_50", self.heads),
            ("widths", "lookup_50", self.widths),
            ("small", "lookup_10", self.small),
        ):
            for key, grid in sweep.grids.items():
                where = f"memory.train_{name}"
                yield from of_grid(f"{where}.grids.{key}", law, grid, where, sweep.training)
        for k, (d, H) in enumerate(self.published.points):
            yield Planned(
                f"memory.train_published.points.{k}", "lookup_50", partial(_chosen, d, H),
                "memory.train_published.training", self.published.training, name=str([d, H]),
                grid="memory.train_published.points",
            )  # fmt: skip
        for mlp, key, engine in (
            (False, "attention", self.mlp.attention),
            (True, "mlp", self.mlp.mlp),
        ):
            grid = self.mlp.grid.model_copy(update={"mlp": (mlp,)})
            where = "memory.train_mlp"
            yield from of_grid(f"{where}.grid", "lookup_70", grid, where, engine, key)
        if self.large.run:
            where = "memory.train_large"
            for key, law, grid in (
                ("wide", "lookup_200", self.large.wide),
                ("deep", "lookup_70", self.large.deep),
            ):
                yield from of_grid(f"{where}.{key}", law, grid, where, self.large.training)

    def notebooks(self) -> Iterator[Planned]:
        """Yield the models of M1-M7."""
        shapes = [
            ("train_curves.model", "curves_certain", self.curves.model, self.curves.training),
            ("train_curves.model", "curves_uncertain", self.curves.model, self.curves.training),
            ("train_variants.freezing_model", "freezing", self.variants.freezing_model,
             self.variants.training),
            ("train_variants.skips_model", "skips", self.variants.skips_model,
             self.variants.training),
            *((f"train_inside.{name}_model", name, getattr(self.inside, f"{name}_model"),
               self.inside.training) for name in ("maps", "heads", "superposition")),
        ]  # fmt: skip
        for key, law, shape, engine in shapes:
            training = f"memory.{key.partition('.')[0]}.training"
            yield Planned(f"memory.{key}", law, shape.model, training, engine)
        stacked = min(self.table.laws_per_cell, len(self.laws.scaling.alphas))
        for k, shape in enumerate(self.table.models):
            yield Planned(
                f"memory.train_table.models.{k}", "scaling", shape.model,
                "memory.train_table.training", self.table.training, stacked,
            )  # fmt: skip


def of_grid(
    where: str,
    law: str,
    grid: scaling.GridConfig,
    section: str,
    engine: EngineConfig,
    key: str = "training",
) -> Iterator[Planned]:
    """Yield a grid's models."""
    for point in grid.points:
        make = partial(_shape, point)
        yield Planned(where, law, make, f"{section}.{key}", engine, name=point.name)


def _shape(point: scaling.PointConfig, N: int, initial: InitialConfig) -> AttentionMemoryConfig:
    return scaling.shape(N, point, initial)


def _chosen(d: int, H: int, N: int, initial: InitialConfig) -> AttentionMemoryConfig:
    point = scaling.PointConfig(d=d, d_head=d, modules=H, layers=1, mlp=False)
    return scaling.shape(N, point, initial)


@dataclass(frozen=True)
class Step:
    """What a step of training takes, by the exact engine's own estimate."""

    planned: Planned
    model: AttentionMemoryConfig
    members: int

    @property
    def gib(self) -> float:
        """The memory of a step on the whole law."""
        item = BYTES[self.planned.engine.exact.dtype]
        model = self.model
        return exact.bytes_needed(model.N, model.heads, self.members, model.mlp_width, item) / GIB

    @property
    def excess(self) -> float:
        """What a step needs over what it may take; 0 by the engine that takes batches."""
        engine = self.planned.engine
        return self.gib / engine.exact.memory_gib if engine.engine == "exact" else 0.0


def refuse_too_large(step: Step) -> None:
    """Raise ValueError if a step of the exact engine would take more than its ``memory_gib``."""
    planned, model = step.planned, step.model
    if step.excess > 1:
        tables = step.members * model.N**3 * BYTES["float64"] / GIB
        raise ValueError(
            f"{planned.where}: the exact engine would need about {step.gib:.3g} GiB at "
            f"memory.laws.{planned.law}.N = {model.N} (heads = {model.heads}, mlp_width = "
            f"{model.mlp_width}, members = {step.members}), and {planned.training}.exact.memory_gib"
            f" is {planned.engine.exact.memory_gib:g}: lower N, raise memory_gib, or set "
            f"{planned.training}.engine: published (the laws' own tables take {tables:.3g} GiB)"
        )
