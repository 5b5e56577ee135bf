"""M3: the loss against each size alone: tokens, stream, heads, MLP and layers of one base model."""

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from pipeline.bounds import Hidden, Layers, Steps
from pipeline.config import Section
from pipeline.labs.memory.data.draw import PowerDistributions
from pipeline.labs.memory.models.shapes import ShapeConfig, Sizes
from pipeline.labs.memory.train.cells import Cell
from pipeline.labs.memory.train.engines import FullBatchConfig
from pipeline.labs.memory.train.sweeps import Sweep
from pipeline.labs.memory.train.variants import of_power

# One entry of the distributions for each number of tokens; the other axes are taken at the base,
# and the last is the single point that the notebook's own cell trains.
ENTRIES = ("sizes_16", "sizes_25", "sizes_40", "sizes_63", "sizes_100")
BASE, NOTEBOOK = "sizes_40", "sizes_100"
EXPERIMENT, EARLY = "M3_sizes", "M3_sizes_early"


class AxesConfig(Section):
    """The values of each size beside the base's; an axis holds the others at the base."""

    d: Sizes
    n_heads: Sizes
    mlp_width: tuple[Hidden, ...]
    n_layers: tuple[Layers, ...]


class SizesConfig(Section):
    """The base model, the axes through it, and the training; ``early_steps`` is a second budget.

    Where a law changes between the two budgets it is one of training, not of size.
    """

    base: ShapeConfig
    axes: AxesConfig
    early_steps: Steps
    training: FullBatchConfig

    @model_validator(mode="after")
    def _early_is_earlier(self) -> "SizesConfig":
        if self.early_steps >= self.training.steps:
            raise ValueError(
                f"early_steps must be < training.steps = {self.training.steps}, "
                f"got {self.early_steps}"
            )
        return self

    def shapes(self) -> list[ShapeConfig]:
        """Return the base and every model that differs from it in one size."""
        made = [self.base]
        for axis, values in self.axes.model_dump().items():
            changed = [self.base.model_copy(update={axis: value}) for value in values]
            made += [shape for shape in changed if shape not in made]
        return made

    def cells(self, drawn: Mapping[str, PowerDistributions]) -> Sweep:
        """Return a cell a model, by both budgets."""
        budgets: dict[str, Any] = {EXPERIMENT: self.training.steps, EARLY: self.early_steps}
        sweep: Sweep = {}
        for experiment, steps in budgets.items():
            engine = self.training.model_copy(update={"steps": steps})
            points = [(self.base, drawn[entry]) for entry in ENTRIES if entry != BASE]
            points += [(shape, drawn[BASE]) for shape in self.shapes()]
            sweep[experiment] = [_cell(shape, each, engine) for shape, each in points]
        return sweep


def _cell(shape: ShapeConfig, drawn: PowerDistributions, engine: FullBatchConfig) -> Cell:
    model = shape.model(drawn.N, engine.initial)
    # Every size, so that no two models share a name.
    sizes = f"d{model.d}_h{model.n_heads}_w{model.mlp_width}_l{model.n_layers}"
    return of_power(f"N{model.N}_{sizes}", model, drawn, engine)
