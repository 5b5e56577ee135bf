"""The low-rank optimum of every law whose models it bounds (M1, M3, M7, M8, M9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field, model_validator

from pipeline.config import Section, StageParams
from pipeline.core.nn.layers import concatenate
from pipeline.core.training.sampling import generators
from pipeline.labs.memory import datasets, low_rank
from pipeline.labs.memory.laws import Law
from pipeline.runtime import artifacts, parallel, saved_models
from pipeline.stages.memory._runs import read_power

Size = Annotated[int, Field(ge=1)]
DENSE = ("superposition", "rank", "almost_rank")
POWER = ("curves_certain", "curves_uncertain", "scaling")


class LowRankStageConfig(Section):
    """The dimension for each entry of the laws, and the fit."""

    d: Mapping[str, Size]
    fit: low_rank.FitConfig

    @model_validator(mode="after")
    def _entries_exist(self) -> "LowRankStageConfig":
        if set(self.d) != {*DENSE, *POWER}:
            raise ValueError(f"d must name {sorted({*DENSE, *POWER})}, got {sorted(self.d)}")
        return self


class Params(StageParams):
    """The fits."""

    low_rank: LowRankStageConfig = Field(alias="memory.low_rank")


@dataclass(frozen=True)
class Fit:
    """A cell: one law of an entry, and its start's seed."""

    entry: str
    number: int
    law: Law
    seed: int
    d: int
    config: low_rank.FitConfig


def compute(cell: Fit) -> tuple[low_rank.LowRank, float]:
    """Fit one law in a worker."""
    return low_rank.fit(cell.law, cell.d, cell.config, generators([cell.seed])[0])


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, and the models of the small laws as models.safetensors."""
    cells: list[Fit] = []
    for name, d in params.low_rank.d.items():
        laws, seeds = read(inputs, name)
        cells += [
            Fit(name, k, law, seed, d, params.low_rank.fit)
            for k, (law, seed) in enumerate(zip(laws, seeds, strict=True))
        ]
    done = parallel.map_cells(compute, cells, description="low rank")
    rows = [
        {"laws": c.entry, "law": c.number, "seed": c.seed, "d": c.d, "loss": loss}
        for c, (_, loss) in zip(cells, done, strict=True)
    ]
    artifacts.write_csv(out / "table.csv", pd.DataFrame(rows))
    kept = {
        name: concatenate([m for c, (m, _) in zip(cells, done, strict=True) if c.entry == name])
        for name in params.low_rank.d
        if name in DENSE
    }
    saved_models.write_models(out / "models.safetensors", kept)


def read(inputs: Path, name: str) -> tuple[list[Law], list[int]]:
    """Read all laws of an entry, with their seeds."""
    if name in POWER:
        power = read_power(inputs, name)
        laws = [law for k in range(len(power.alphas)) for law in power.laws(k)]
        return laws, list(power.seeds) * len(power.alphas)
    schema = datasets.RANKED if name == "rank" else datasets.DENSE
    arrays = artifacts.read_tensors(inputs / "memory_laws" / f"{name}.npz", **schema)
    return datasets.dense_laws(arrays), arrays["seeds"].tolist()
