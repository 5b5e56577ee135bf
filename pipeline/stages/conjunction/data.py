"""C3: draw the lab's data sets, and say how balanced their labels are."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.labs.conjunction.data.accuracy_data import AccuracyData
from pipeline.labs.conjunction.data.datasets import DataConfig, draw_all, pack
from pipeline.labs.conjunction.measure.balance import balance
from pipeline.runtime.formats import records

HEADLINE = ("C3.s4_tutorial.tutorial_failure_probability",)


class Params(StageParams):
    """The tasks to show, those of C4, and the rule task of C6 and C7."""

    plain: DataConfig = Field(alias="conjunction.plain_data")
    accuracy: AccuracyData = Field(alias="conjunction.accuracy_data")
    rule: DataConfig = Field(alias="conjunction.rule_data")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:  # noqa: ARG001
    """Write one file for each section, C4's for each group; return ``C3.TASK.*``."""
    results: dict[str, Summary] = {}
    sections = {"plain": params.plain, **params.accuracy.groups, "rule": params.rule}
    for section, config in sections.items():
        data = draw_all(config)
        records.write_arrays(out / f"{section}.npz", pack(data))
        results |= {name: balance(task, data[name]) for name, task in config.tasks.items()}
    return {"C3": results}
