"""M5-M9: attention maps, heads, superposition, geometry, and the second-order theory."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import table
from pipeline.core.training.sampling import generators
from pipeline.labs.memory import datasets, looking
from pipeline.labs.memory.comparison import MeasureConfig, Metrics
from pipeline.labs.memory.low_rank import LowRank
from pipeline.labs.memory.models import AttentionMemory
from pipeline.runtime import artifacts, saved_models
from pipeline.stages.memory._runs import read_power

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """Draws of the random baseline."""

    measure: MeasureConfig = Field(alias="memory.measure")


def run(params: Params, inputs: Path, out: Path) -> Metrics:
    """Write what the figures draw, and table.csv; return the metrics M5.*, ..., M9.*."""
    models = saved_models.read_models(
        inputs / "memory_train_inside" / "models.safetensors", AttentionMemory
    )
    low = saved_models.read_models(inputs / "memory_low_rank" / "models.safetensors", LowRank)
    folder = inputs / "memory_laws"
    metrics: Metrics = {}
    metrics["M5"], maps = looking.attention(models["maps"], read_power(inputs, "maps").laws())
    metrics["M6"], heads = looking.contributions(
        models["heads"], read_power(inputs, "heads").laws()
    )
    certain = artifacts.read_tensors(folder / "superposition.npz", **datasets.DENSE)
    metrics["M7"], vectors = looking.superposition(
        models["superposition"], low["superposition"], datasets.dense_laws(certain)
    )
    ranked = artifacts.read_tensors(folder / "rank.npz", **datasets.RANKED)
    metrics["M8"], geometry = looking.geometry_table(
        ranked, low["rank"], params.measure.random_draws, generators([0])[0]
    )
    almost = artifacts.read_tensors(folder / "almost_rank.npz", **datasets.DENSE)
    metrics["M9"], theory = looking.theory_table(datasets.dense_laws(almost), low["almost_rank"])
    for name, arrays in (("maps", maps), ("heads", heads), ("superposition", vectors)):
        artifacts.write_npz(out / f"{name}.npz", **arrays)
    artifacts.write_csv(out / "geometry.csv", geometry)
    artifacts.write_csv(out / "theory.csv", theory)
    artifacts.write_csv(out / "table.csv", table(metrics))
    return metrics
