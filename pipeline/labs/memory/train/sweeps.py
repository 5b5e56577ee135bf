"""P1-P7: grids of models by experiment, and how to train them."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field, model_validator

from pipeline.bounds import Size
from pipeline.config import Section
from pipeline.labs.memory.data.draw import PowerDistributions
from pipeline.labs.memory.models.shapes import GridConfig, PointConfig
from pipeline.labs.memory.train.cells import Cell, make_cell
from pipeline.labs.memory.train.endings import with_quarters
from pipeline.labs.memory.train.engines import EngineConfig, FullBatchConfig
from pipeline.labs.memory.train.parts import PartConfig

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


class EndedConfig(Section):
    """P6: one grid, trained to the end and again with a quarter of the steps."""

    grid: GridConfig
    training: FullBatchConfig

    def cells(self, drawn: PowerDistributions) -> Sweep:
        """Return two cells a point."""
        return with_quarters("P6", of_points(self.grid.points, drawn, self.training))


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
    attention: FullBatchConfig
    mlp: PartConfig

    @model_validator(mode="after")
    def _grid_is_of_both(self) -> "ComparedConfig":
        if set(self.grid.mlp) != {False, True}:
            raise ValueError(f"grid.mlp must be [false, true], got {list(self.grid.mlp)}")
        return self

    def points(self, *, mlp: bool) -> list[PointConfig]:
        """Return the points of one memory; an MLP stands for two heads or more."""
        points = [point for point in self.grid.points if point.mlp == mlp]
        return [point for point in points if not mlp or point.n_heads > 1]

    def cells(self, drawn: PowerDistributions) -> Sweep:
        """Return two cells a point, with all steps and with a quarter; attention first."""
        made = []
        for mlp, engine in ((False, self.attention), (True, self.mlp)):
            made += of_points(self.points(mlp=mlp), drawn, engine)
        return with_quarters("P5", made)


class LargeConfig(Section):
    """P7: N = 200, and several layers beside one layer of as many heads in all.

    Nothing is trained unless ``run``.
    """

    run: bool
    wide: GridConfig
    deep: GridConfig
    wide_training: PartConfig
    deep_training: PartConfig

    def deep_points(self) -> list[PointConfig]:
        """Return the deep points, and their rivals of one layer with the same parameters."""
        flat = [
            point_of(point.d, point.n_heads * point.n_layers)
            for point in self.deep.points
            if point.n_layers > 1 and point.d_head == point.d
        ]
        return [*self.deep.points, *flat]

    def cells(self, wide: PowerDistributions, deep: PowerDistributions) -> Sweep:
        """Return two cells a point, with all steps and with a quarter; none while it is off."""
        if not self.run:
            return {"P7": []}
        made = of_points(self.wide.points, wide, self.wide_training)
        made += of_points(self.deep_points(), deep, self.deep_training)
        return with_quarters("P7", made)


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
