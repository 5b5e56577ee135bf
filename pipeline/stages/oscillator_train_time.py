"""O2: train the network of time, (x0, p0, t) -> (x, p)."""

from pathlib import Path

from pydantic import Field

from pipeline import artifacts, execution, trained
from pipeline.config import StageParams
from pipeline.core.ensemble import History
from pipeline.core.mlp import MLP
from pipeline.labs.oscillator.time_network import TimeCell, TimeNetworkConfig, train_time_network


class Params(StageParams):
    """The network and its training."""

    train: TimeNetworkConfig = Field(alias="oscillator.train_time")


def compute(cell: TimeCell) -> tuple[MLP, History]:
    """Train in a worker."""
    return train_time_network(cell, execution.report)


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
    done = execution.map_cells(compute, cells, description="O2", units=steps)
    model, history = trained.joined(done)
    network = trained.Trained(
        experiment="O2",
        name="time_network",
        seeds=config.seeds,
        model=model,
        history=history,
        params={**config.model.model_dump(), **config.training.model_dump(mode="json")},
    )
    trained.write(out, [network])
