"""M5-M9: attention maps, heads, superposition, geometry, and the second-order theory."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import table
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data.draw import (
    RankedDistributions,
    ScaledDistributions,
    TabulatedDistributions,
)
from pipeline.labs.memory.measure import mechanism, theory, transposition
from pipeline.labs.memory.models.attention import AttentionMemory
from pipeline.labs.memory.models.low_rank import LowRank
from pipeline.labs.memory.report.fits import MeasureConfig
from pipeline.labs.memory.report.points import Metrics
from pipeline.runtime.formats import artifacts, records, saved_models
from pipeline.stages.memory._runs import read_power

HEADLINE = (
    "M5.heads_seen.effective_rank",
    "M6.heads.logit_difference_positive",
    "M7.attention.cosine",
    "M8.aligned_rank5.distance",
    "M9.scale_1.cosine",
    "M9.scale_30.cosine",
    "M9.transposed.separated",
)


class Params(StageParams):
    """Draws of the random baseline."""

    measure: MeasureConfig = Field(alias="memory.measure")


def run(params: Params, inputs: Path, out: Path) -> Metrics:
    """Write what the figures draw, and table.csv; return the results M5.*, ..., M9.*."""
    file = inputs / "memory_train_mechanism" / "models.safetensors"
    models = saved_models.read_models(file, AttentionMemory)
    file = inputs / "memory_train_low_rank" / "models.safetensors"
    optima = saved_models.read_models(file, LowRank)
    folder, metrics = inputs / "memory_data", {}
    maps, heads = (read_power(inputs, name).all() for name in ("maps", "heads"))
    metrics["M5"], map_arrays = mechanism.attention(models["maps"], *maps)
    metrics["M6"], head_arrays = mechanism.contributions(models["heads"], *heads)
    likely = records.read_arrays(folder / "superposition.npz", TabulatedDistributions)
    metrics["M7"], vector_arrays = mechanism.superposition(
        models["superposition"], optima["superposition"], *likely.all()
    )
    by_scale = [
        theory.directions(
            records.read_arrays(folder / f"{name}.npz", RankedDistributions), optima[name],
            params.measure.random_draws, generators([0])[0],
        )
        for name in ("rank", "rank_scaled")
    ]  # fmt: skip
    geometry = pd.concat(by_scale, ignore_index=True)
    metrics["M8"] = theory.by_rank(by_scale[0]) | theory.by_scale(by_scale[1])
    almost = records.read_arrays(folder / "almost_rank.npz", ScaledDistributions)
    second_order = theory.second_order(almost, optima["almost_rank"])
    file = inputs / "reference" / "second_order" / "printed_ratios.csv"
    printed = records.read_table(file, transposition.PrintedRatioRow)
    ratios = transposition.compared(almost, optima["almost_rank"], second_order, printed)
    metrics["M9"] = theory.explained(second_order) | transposition.separation(ratios)
    records.write_arrays(out / "maps.npz", map_arrays)
    records.write_arrays(out / "heads.npz", head_arrays)
    records.write_arrays(out / "superposition.npz", vector_arrays)
    records.write_table(out / "geometry.csv", geometry, theory.GeometryRow)
    records.write_table(out / "theory.csv", second_order, theory.TheoryRow)
    records.write_table(out / "ratios.csv", ratios, transposition.RatioRow)
    artifacts.write_csv(out / "table.csv", table(metrics))
    return metrics
