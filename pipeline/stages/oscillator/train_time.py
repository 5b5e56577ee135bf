"""O2: train the network of time, (x0, p0, t) -> (x, p)."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.mlp import MLP
from pipeline.core.training.ensemble import History
from pipeline.labs.oscillator.time_network import TimeCell, TimeNetworkConfig, train_time_network
from pipeline.runtime import artifacts, parallel, training_record


class Params(StageParams):
    """The network and its training."""

    train: TimeNetworkConfig = Field(alias="oscillator.train_time")


def compute(cell: TimeCell) -> tuple[MLP, History]:
    """Train in a worker."""
    return train_time_network(cell, parallel.report)


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the networks, a seed in each cell."""
    data = artifacts.read_tensors(
        inputs / "oscillator_data" / "time_train.npz",
        inputs="float64 sample 3",
        targets="float64 sample 2",
    )
    config = params.train
    cells = [
        TimeCell(seeds=[seed], model=config.model, training=config.training, **data)
        for seed in config.seeds
    ]
    steps = config.training.steps * len(cells)
    done = parallel.map_cells(compute, cells, description="O2", units=steps)
    model, history = training_record.joined(done)
    network = training_record.Trained(
        experiment="O2",
        name="time_network",
        seeds=config.seeds,
        model=model,
        history=history,
        params={**config.model.model_dump(), **config.training.model_dump(mode="json")},
    )
    training_record.write(out, [network])
