"""C3: draw the lab's data sets, and say how balanced their labels are."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary, summary
from pipeline.labs.conjunction import datasets
from pipeline.labs.conjunction.datasets import DataConfig
from pipeline.stages.conjunction._data import write_data

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The tasks to show, those of C4, and the rule task of C6 and C7."""

    samples: DataConfig = Field(alias="conjunction.samples")
    compare: DataConfig = Field(alias="conjunction.compare")
    rule: DataConfig = Field(alias="conjunction.rule")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:  # noqa: ARG001
    """Write one file for each section; return the metrics ``C3.TASK.*``."""
    metrics: dict[str, Summary] = {}
    sections = {"samples": params.samples, "compare": params.compare, "rule": params.rule}
    for section, config in sections.items():
        data = {
            name: datasets.draw_data(task, config.train, config.valid, config.seeds)
            for name, task in config.tasks.items()
        }
        write_data(out / f"{section}.npz", data)
        for name, task in config.tasks.items():
            own = data[name]
            metrics[name] = summary(
                {
                    "positive": datasets.positives(own.train, own.targets),
                    "positive_valid": datasets.positives(own.valid, own.targets),
                }
            ) | {
                "positive_expected": task.positive_fraction,
                "retries_fail": datasets.retries_fail(task, config.train),
            }
    return {"C3": metrics}
