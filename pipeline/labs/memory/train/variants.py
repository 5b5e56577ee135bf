"""M1, M2, M4-M7: the trainings of the study's notebook as cells."""

from collections.abc import Mapping
from itertools import product
from typing import Annotated

from pydantic import Field, ValidationError

from pipeline.config import Section
from pipeline.labs.memory.data.batches import Objective
from pipeline.labs.memory.data.draw import PowerDistributions, TabulatedDistributions
from pipeline.labs.memory.models.attention import AttentionMemoryConfig, FreezeConfig, SkipsConfig
from pipeline.labs.memory.models.shapes import NO_SKIPS, ShapeConfig
from pipeline.labs.memory.train.cells import Cell, make_cell
from pipeline.labs.memory.train.engines import EngineConfig
from pipeline.labs.memory.train.sweeps import Sweep

OBJECTIVES: tuple[Objective, ...] = ("divergence", "next_token")


class CurvesConfig(Section):
    """M1."""

    model: ShapeConfig
    training: EngineConfig

    def cells(self, drawn: Mapping[str, PowerDistributions]) -> Sweep:
        """Return both objectives on every distribution."""
        return {
            "M1": [
                of_power(
                    f"{name}_{objective}", self.model.model(each.N, self.training.initial), each,
                    self.training, objective,
                )
                for name, each in drawn.items()
                for objective in OBJECTIVES
            ]
        }  # fmt: skip


class VariantsConfig(Section):
    """M2 and M4: which parts are frozen, by name; every admissible skip is tried."""

    freezes: Annotated[Mapping[str, FreezeConfig], Field(min_length=1)]
    freezing_model: ShapeConfig
    skips_model: ShapeConfig
    training: EngineConfig

    def cells(self, freezing: PowerDistributions, skips: PowerDistributions) -> Sweep:
        """Return a cell for every freeze, and one for every admissible combination of skips."""
        initial = self.training.initial
        frozen = {
            name: self.freezing_model.model(freezing.N, initial, freeze=freeze)
            for name, freeze in self.freezes.items()
        }
        skipping = {
            name: self.skips_model.model(skips.N, initial, skipped)
            for name, skipped in admissible_skips().items()
        }
        return {
            "M2": [of_power(name, m, freezing, self.training) for name, m in frozen.items()],
            "M4": [of_power(name, m, skips, self.training) for name, m in skipping.items()],
        }


class MechanismConfig(Section):
    """M5, M6, M7: the models whose maps, heads and vectors are measured."""

    maps_model: ShapeConfig
    heads_model: ShapeConfig
    superposition_model: ShapeConfig
    training: EngineConfig

    def cells(
        self,
        maps: PowerDistributions,
        heads: PowerDistributions,
        superposition: TabulatedDistributions,
    ) -> Sweep:
        """Return a cell each; in M5 and M6 everything is seen and the residual is dropped."""
        engine, skips = self.training, NO_SKIPS.model_copy(update={"residual": True})
        maps_model = self.maps_model.model(maps.N, engine.initial, skips)
        heads_model = self.heads_model.model(heads.N, engine.initial, skips)
        distributions, seeds = superposition.all()
        vectors_model = self.superposition_model.model(distributions[0].N, engine.initial)
        return {
            "M5": [of_power("maps", maps_model, maps, engine)],
            "M6": [of_power("heads", heads_model, heads, engine)],
            "M7": [make_cell("superposition", vectors_model, distributions, seeds, engine)],
        }


def admissible_skips() -> dict[str, SkipsConfig]:
    """Return every combination of skips that leaves QK and OV something to see, by name."""
    fields = list(SkipsConfig.model_fields)
    admissible = {}
    for flags in product((False, True), repeat=len(fields)):
        try:
            skips = SkipsConfig(**dict(zip(fields, flags, strict=True)))
        except ValidationError:
            continue
        name = "+".join(f for f, on in zip(fields, flags, strict=True) if on) or "none"
        admissible[name] = skips
    return admissible


def of_power(
    name: str,
    model: AttentionMemoryConfig,
    drawn: PowerDistributions,
    engine: EngineConfig,
    objective: Objective = "divergence",
) -> Cell:
    """Make a cell of power distributions."""
    seeds = drawn.seeds.tolist()
    return make_cell(name, model, drawn.distributions(), seeds, engine, objective)
