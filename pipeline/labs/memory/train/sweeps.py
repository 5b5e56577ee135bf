"""P1-P7: grids of models by experiment, and how to train them."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field, model_validator

from pipeline.bounds import Size
from pipeline.config import Section
from pipeline.labs.memory.data.draw import PowerDistributions
from pipeline.labs.memory.models.shapes import GridConfig, PointConfig
from pipeline.labs.memory.train.cells import Cell, make_cell
from pipeline.labs.memory.train.engines import EngineConfig

Sweep = dict[str, list[Cell]]  # by experiment


class SweepConfig(Section):
    """Grids by experiment."""

    grids: Annotated[Mapping[str, GridConfig], Field(min_length=1)]
    training: EngineConfig

    def cells(self, drawn: PowerDistributions) -> Sweep:
        """Return a cell a point."""
        return {
            name: of_points(grid.points, drawn, self.training) for name, grid in self.grids.items()
        }


class ChosenConfig(Section):
    """Single points [d = d_head, H] of P1."""

    points: Annotated[tuple[tuple[Size, Size], ...], Field(min_length=1)]
    training: EngineConfig

    def sizes(self) -> list[PointConfig]:
        """Return the points."""
        return [point_of(d, H) for d, H in self.points]

    def cells(self, drawn: PowerDistributions) -> Sweep:
        """Return a cell a point."""
        return {"P1": of_points(self.sizes(), drawn, self.training)}


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

    def cells(self, drawn: PowerDistributions) -> Sweep:
        """Return a cell a point, those of attention first."""
        made = []
        for mlp, engine in ((False, self.attention), (True, self.mlp)):
            points = [point for point in self.grid.points if point.mlp == mlp]
            made += of_points(points, drawn, engine)
        return {"P5": made}


class LargeConfig(Section):
    """P7: N = 200 and three layers; nothing is trained unless ``run``."""

    run: bool
    wide: GridConfig
    deep: GridConfig
    training: EngineConfig

    def cells(self, wide: PowerDistributions, deep: PowerDistributions) -> Sweep:
        """Return a cell a point; none while it is off."""
        if not self.run:
            return {"P7": []}
        parts = ((self.wide, wide), (self.deep, deep))
        made = [of_points(grid.points, drawn, self.training) for grid, drawn in parts]
        return {"P7": [cell for part in made for cell in part]}


def point_of(d: int, H: int) -> PointConfig:
    """Return H heads as wide as the stream."""
    return PointConfig(d=d, d_head=d, n_heads=H, n_layers=1, mlp=False)


def of_points(
    points: Sequence[PointConfig], drawn: PowerDistributions, engine: EngineConfig
) -> list[Cell]:
    """Make a cell a point, its seeds stacked; ConfigError if one would not fit in memory."""
    distributions, seeds = drawn.distributions(), drawn.seeds.tolist()
    return [
        make_cell(point.name, point.model(drawn.N, engine.initial), distributions, seeds, engine)
        for point in points
    ]
