"""O2: train the network of time, (x0, p0, t) -> (x, p)."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.oscillator.data.time import TimeTriples
from pipeline.labs.oscillator.train.time_network import (
    TimeNetworkConfig,
    time_cells,
    train_time_network,
)
from pipeline.runtime import training_record
from pipeline.runtime.formats import records


class Params(StageParams):
    """The network and its training."""

    train: TimeNetworkConfig = Field(alias="oscillator.train_time")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the networks, named ``time_network``."""
    triples = records.read_arrays(inputs / "oscillator_data" / "time_train.npz", TimeTriples)
    cells = time_cells(params.train, triples)
    training_record.write(out, training_record.train_cells(train_time_network, {"O2": cells}))
