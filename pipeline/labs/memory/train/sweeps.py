"""The sections of the sweeps P1-P7: grids by experiment, and how to train them."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from pipeline.config import Section
from pipeline.labs.memory.scaling import GridConfig, PointConfig
from pipeline.labs.memory.training import EngineConfig


class SweepConfig(Section):
    """Grids by experiment."""

    grids: Annotated[Mapping[str, GridConfig], Field(min_length=1)]
    training: EngineConfig


class ChosenConfig(Section):
    """Single points [d = d_head, H] of P1."""

    points: Annotated[tuple[tuple[int, int], ...], Field(min_length=1)]
    training: EngineConfig

    def sizes(self) -> list[PointConfig]:
        """Return the points."""
        return [PointConfig(d=d, d_head=d, modules=H, layers=1, mlp=False) for d, H in self.points]


class ComparedConfig(Section):
    """P5: attention memories of a grid and MLP memories of the same sizes, each its training."""

    grid: GridConfig
    attention: EngineConfig
    mlp: EngineConfig

    @model_validator(mode="after")
    def _grid_is_of_both(self) -> "ComparedConfig":
        if set(self.grid.mlp) != {False, True}:
            raise ValueError(f"grid.mlp must be [false, true], got {list(self.grid.mlp)}")
        return self


class LargeConfig(Section):
    """P7: N = 200 and three layers; nothing is trained unless ``run``."""

    run: bool
    wide: GridConfig
    deep: GridConfig
    training: EngineConfig
