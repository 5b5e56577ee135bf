"""C6, C7: train attention, and others beside it, on the task whose rule bit picks the targets."""

from dataclasses import replace
from pathlib import Path

from pydantic import Field

from pipeline.bounds import Members
from pipeline.config import Section, StageParams
from pipeline.labs.conjunction.data.datasets import DataConfig, file_of, unpack
from pipeline.labs.conjunction.models.encoding import encode
from pipeline.labs.conjunction.train.additions import InputGainsFit
from pipeline.labs.conjunction.train.fit import AttentionFit, FitConfig, MLPFit, cells, fit
from pipeline.runtime import training_record
from pipeline.runtime.formats import records


class RuleTrainConfig(Section):
    """The models; the first seed of ``attention`` is registered under a name."""

    members_per_cell: Members
    attention: AttentionFit
    cls_head: AttentionFit
    mlp: MLPFit
    input_gains: InputGainsFit
    linear: FitConfig
    register_as: str


class Params(StageParams):
    """The training, and the task's name."""

    data: DataConfig = Field(alias="conjunction.rule_data")
    train: RuleTrainConfig = Field(alias="conjunction.train_rule")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the models by name, all trained on the section's first task."""
    config, seeds = params.train, params.data.seeds
    path, tasks = inputs / "conjunction_data" / "rule.npz", params.data.tasks
    [data, *_] = unpack(records.read_arrays(path, file_of(tasks)), tasks).values()
    fits: dict[str, FitConfig] = {
        "attention": config.attention,
        "cls_head": config.cls_head,
        "mlp": config.mlp,
        "input_gains": config.input_gains,
        "linear": config.linear,
    }
    work = [
        cell
        for name, config_of in fits.items()
        for cell in cells(name, config_of, seeds, data, config.members_per_cell)
    ]
    first, *others = training_record.train_cells(fit, {"C7": work})
    example = encode(first.model, data.valid[:1, :1])[0]
    first = replace(first, register=config.register_as, example=example)
    training_record.write(out, [first, *others])
