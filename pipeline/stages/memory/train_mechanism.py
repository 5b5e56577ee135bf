"""M5, M6, M7: the memories whose maps, heads and vectors are measured."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.data.draw import TabulatedDistributions
from pipeline.labs.memory.train.variants import MechanismConfig
from pipeline.runtime.formats import records
from pipeline.stages.memory._runs import read_power, train_sweep, write_runs


class Params(StageParams):
    """The models and their training."""

    mechanism: MechanismConfig = Field(alias="memory.train_mechanism")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the models ``maps``, ``heads`` and ``superposition`` and their loss curves."""
    file = inputs / "memory_data" / "superposition.npz"
    superposition = records.read_arrays(file, TabulatedDistributions)
    maps, heads = read_power(inputs, "maps"), read_power(inputs, "heads")
    write_runs(out, train_sweep(params.mechanism.cells(maps, heads, superposition)))
