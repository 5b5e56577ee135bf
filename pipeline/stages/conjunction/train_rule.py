"""C6, C7: train attention, and others beside it, on the task whose rule bit picks the targets."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.config import Section, StageParams
from pipeline.labs.conjunction.datasets import DataConfig
from pipeline.labs.conjunction.models import encode
from pipeline.labs.conjunction.training import AttentionFit, FitConfig, PerceptronFit
from pipeline.runtime import training_record
from pipeline.stages.conjunction._data import read_data
from pipeline.stages.conjunction._training import grouped, train_cells


class RuleTrainConfig(Section):
    """The models; the first seed of ``attention`` is registered under a name."""

    members_per_cell: Annotated[int, Field(ge=1)]
    attention: AttentionFit
    head: AttentionFit
    mlp: PerceptronFit
    linear: FitConfig
    register_as: str


class Params(StageParams):
    """The training, and the task's name."""

    data: DataConfig = Field(alias="conjunction.rule")
    train: RuleTrainConfig = Field(alias="conjunction.train_rule")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the models by name, all trained on the section's first task."""
    config, seeds = params.train, params.data.seeds
    [data, *_] = read_data(inputs, "rule.npz", list(params.data.tasks)).values()
    fits: dict[str, FitConfig] = {
        "attention": config.attention,
        "head": config.head,
        "mlp": config.mlp,
        "linear": config.linear,
    }
    cells = [
        cell
        for name, fit in fits.items()
        for cell in grouped(name, fit, seeds, data, config.members_per_cell)
    ]
    first, *others = train_cells("C7", cells)
    example = encode(first.model, data.valid[:1, :1])[0]
    first = replace(first, register=config.register_as, example=example)
    training_record.write(out, [first, *others])
