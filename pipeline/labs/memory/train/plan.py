"""What no section of the memory lab shows alone: each model can be made, trained, and held.

A model's number of tokens stands in ``memory.distributions`` and its shape in the section of its
training. Only ``check_params`` reads them together, so that an edited distribution reruns only the
trainings on it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import Field, ValidationError, model_validator

from pipeline.config import StageParams, explain
from pipeline.labs.memory.data.draw import DistributionsConfig
from pipeline.labs.memory.models.attention import AttentionMemoryConfig, InitialConfig
from pipeline.labs.memory.models.shapes import PointConfig
from pipeline.labs.memory.train.divergence_table import TableConfig
from pipeline.labs.memory.train.engines import BYTES, GIB, EngineConfig, FullBatchConfig
from pipeline.labs.memory.train.low_rank import LowRankTrainConfig
from pipeline.labs.memory.train.parts import PartConfig
from pipeline.labs.memory.train.sizes import BASE, SizesConfig
from pipeline.labs.memory.train.sizes import ENTRIES as SIZES
from pipeline.labs.memory.train.sweeps import (
    ChosenConfig,
    ComparedConfig,
    EndedConfig,
    LargeConfig,
    SweepConfig,
    point_of,
)
from pipeline.labs.memory.train.variants import CurvesConfig, MechanismConfig, VariantsConfig

Make = Callable[[int, InitialConfig], AttentionMemoryConfig]


@dataclass(frozen=True)
class Planned:
    """A model of ``where``, for the tokens and seeds of an entry, and how it is to be trained.

    ``training`` names the key of its engine; ``stacked`` counts distributions that are trained at
    once; ``name`` tells the models of one ``grid`` apart (``where`` itself, if it is not named).
    """

    where: str
    entry: str
    make: Make
    training: str
    engine: EngineConfig
    stacked: int = 1
    name: str = ""
    grid: str = ""


class Params(StageParams):
    """The distributions, and all that is trained on them."""

    distributions: DistributionsConfig = Field(alias="memory.distributions")
    heads: SweepConfig = Field(alias="memory.train_heads")
    published: ChosenConfig = Field(alias="memory.train_published")
    widths: SweepConfig = Field(alias="memory.train_widths")
    mlp: ComparedConfig = Field(alias="memory.train_mlp")
    small: EndedConfig = Field(alias="memory.train_small")
    large: LargeConfig = Field(alias="memory.train_large")
    curves: CurvesConfig = Field(alias="memory.train_curves")
    table: TableConfig = Field(alias="memory.train_table")
    variants: VariantsConfig = Field(alias="memory.train_variants")
    mechanism: MechanismConfig = Field(alias="memory.train_mechanism")
    sizes: SizesConfig = Field(alias="memory.train_sizes")
    low_rank: LowRankTrainConfig = Field(alias="memory.train_low_rank")

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
        # Logits count up to a constant: N - 1 dimensions hold any distribution, and beyond them the
        # second-order theory has no single solution.
        for name, d in self.low_rank.d.items():
            N = getattr(self.distributions, name).N
            if d >= N:
                raise ValueError(
                    f"memory.train_low_rank.d.{name} must be < memory.distributions.{name}.N = {N},"
                    f" got {d}"
                )
        # M8 compares U's directions with as many of the distribution's own.
        for name in ("rank", "rank_scaled"):
            d, least = self.low_rank.d[name], min(getattr(self.distributions, name).ranks)
            if d > least:
                raise ValueError(
                    f"memory.train_low_rank.d.{name} must be <= the least of "
                    f"memory.distributions.{name}.ranks = {least}, got {d}"
                )
        return self

    @model_validator(mode="after")
    def _sizes_are_an_axis(self) -> "Params":
        # A seed's losses are fitted along N: every number of tokens has them all, and is one point.
        entries = {name: getattr(self.distributions, name) for name in SIZES}
        tokens = [entry.N for entry in entries.values()]
        if len(set(tokens)) < len(tokens):
            raise ValueError(
                f"memory.distributions: {', '.join(SIZES)} must have distinct N, got {tokens}"
            )
        for name, entry in entries.items():
            if entry.seeds != entries[SIZES[0]].seeds:
                raise ValueError(
                    f"memory.distributions.{name}.seeds must be those of {SIZES[0]} = "
                    f"{list(entries[SIZES[0]].seeds)}, got {list(entry.seeds)}"
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
        for planned in (*self.sweeps(), *self.variants_planned()):
            entry = getattr(self.distributions, planned.entry)
            refuse_large_part(planned, entry.N)
            try:
                model = planned.make(entry.N, planned.engine.initial)
            except ValidationError as error:
                raise ValueError(f"{planned.where}: {explain(error, Params)}") from error
            steps.append(Step(planned, model, planned.stacked * len(entry.seeds)))
        # The worst, so that a setting's new memory is enough for all its models.
        refuse_too_large(max(steps, key=lambda step: step.excess))
        return self

    def sweeps(self) -> Iterator[Planned]:
        """Yield the models of P1-P7."""
        for name, entry, sweep in (
            ("heads", "lookup_50", self.heads),
            ("widths", "lookup_50", self.widths),
        ):
            where = f"memory.train_{name}"
            for key, grid in sweep.grids.items():
                yield from _of_points(f"{where}.grids.{key}", entry, grid.points, sweep.training)
        yield from self._published()
        small, mlp = self.small, self.mlp
        where = "memory.train_small"
        yield from _of_points(f"{where}.grid", "lookup_10", small.grid.points, small.training)
        where = "memory.train_mlp"
        for of_mlp, key, engine in ((False, "attention", mlp.attention), (True, "mlp", mlp.mlp)):
            points = mlp.points(mlp=of_mlp)
            yield from _of_points(f"{where}.grid", "lookup_70", points, engine, f"{where}.{key}")
        yield from self._large()

    def _large(self) -> Iterator[Planned]:
        where, large = "memory.train_large", self.large
        if large.run:
            for key, entry, points, engine in (
                ("wide", "lookup_200", large.wide.points, large.wide_training),
                ("deep", "lookup_70", large.deep_points(), large.deep_training),
            ):
                training = f"{where}.{key}_training"
                yield from _of_points(f"{where}.{key}", entry, points, engine, training)

    def _published(self) -> Iterator[Planned]:
        where, engine = "memory.train_published", self.published.training
        for k, (d, H) in enumerate(self.published.points):
            yield Planned(
                f"{where}.points.{k}", "lookup_50", partial(_chosen, d, H), f"{where}.training",
                engine, name=str([d, H]), grid=f"{where}.points",
            )  # fmt: skip

    def variants_planned(self) -> Iterator[Planned]:
        """Yield the models of M1-M7."""
        curves, variants, mechanism = self.curves, self.variants, self.mechanism
        shapes = [
            ("train_curves.model", "curves_certain", curves.model, curves.training),
            ("train_curves.model", "curves_uncertain", curves.model, curves.training),
            ("train_variants.freezing_model", "freezing", variants.freezing_model,
             variants.training),
            ("train_variants.skips_model", "skips", variants.skips_model, variants.training),
            *((f"train_mechanism.{name}_model", name, getattr(mechanism, f"{name}_model"),
               mechanism.training) for name in ("maps", "heads", "superposition")),
        ]  # fmt: skip
        for key, entry, shape, engine in shapes:
            training = f"memory.{key.partition('.')[0]}.training"
            yield Planned(f"memory.{key}", entry, shape.model, training, engine)
        sizes = [(self.sizes.base, entry) for entry in SIZES if entry != BASE]
        sizes += [(shape, BASE) for shape in self.sizes.shapes()]
        for shape, entry in sizes:
            where, engine = "memory.train_sizes", self.sizes.training
            yield Planned(where, entry, shape.model, f"{where}.training", engine)
        where, table = "memory.train_table", self.table
        stacked = min(table.distributions_per_cell, len(self.distributions.scaling.alphas))
        for k, shape in enumerate(table.models):
            yield Planned(
                f"{where}.models.{k}", "scaling", shape.model, f"{where}.training", table.training,
                stacked,
            )  # fmt: skip


def _of_points(
    where: str, entry: str, points: Sequence[PointConfig], engine: EngineConfig, training: str = ""
) -> Iterator[Planned]:
    """Yield the models of a grid's points; ``training`` is where their engine stands."""
    section = ".".join(where.split(".")[:2])
    for point in points:
        key = training or f"{section}.training"
        yield Planned(where, entry, point.model, key, engine, name=point.name)


def _chosen(d: int, H: int, N: int, initial: InitialConfig) -> AttentionMemoryConfig:
    return point_of(d, H).model(N, initial)


@dataclass(frozen=True)
class Step:
    """A step of training of so many members."""

    planned: Planned
    model: AttentionMemoryConfig
    members: int

    @property
    def excess(self) -> float:
        """What it needs over what it may take, by the engine's own estimate."""
        return self.planned.engine.excess(self.model, self.members)


def refuse_large_part(planned: Planned, N: int) -> None:
    """Raise ValueError if a step would be on more first tokens than there are."""
    engine = planned.engine
    if isinstance(engine, PartConfig) and engine.first_tokens > N:
        raise ValueError(
            f"{planned.training}.first_tokens must be <= memory.distributions.{planned.entry}.N = "
            f"{N}, got {engine.first_tokens}"
        )


def refuse_too_large(step: Step) -> None:
    """Raise ValueError if a full-batch step would take more than its ``memory_gib``."""
    planned, model, engine = step.planned, step.model, step.planned.engine
    if isinstance(engine, FullBatchConfig) and step.excess > 1:
        tables = step.members * model.N**3 * BYTES["float64"] / GIB
        raise ValueError(
            f"{planned.where}: full batches would need about "
            f"{engine.needed_gib(model, step.members):.3g} GiB at memory.distributions."
            f"{planned.entry}.N = {model.N} (attention patterns = {model.n_patterns}, mlp_width = "
            f"{model.mlp_width}, members = {step.members}), and {planned.training}.memory_gib is "
            f"{engine.memory_gib:g}: lower N, raise memory_gib, or train by minibatches "
            f"({planned.training}.engine; the distributions' own tables take {tables:.3g} GiB)"
        )
