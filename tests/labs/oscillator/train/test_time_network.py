import pytest
import torch
from pydantic import ValidationError

from pipeline.core.nn.mlp import MLP, MLPConfig
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.data.time import TimeDataConfig, time_data
from pipeline.labs.oscillator.train.time_network import (
    TimeCell,
    TimeNetworkConfig,
    time_cells,
    train_time_network,
)

DT, STEPS = 0.1, 20
SETTINGS = {
    "omega0": 2.0, "gamma": 0.1, "initial": (-1.0, 1.0), "duration": 3.0, "train": 300, "test": 6,
    "seed": 2,
}  # fmt: skip
SHAPE = MLPConfig(d_in=3, widths=(6, 5), d_out=2, activation="tanh")
OPTIMIZER = OptimizerConfig(
    name="AdamW", learning_rate=0.01, options={}, schedule="constant", final_fraction=1.0,
    warmup_steps=0,
)  # fmt: skip
TRAINING = TrainingConfig(
    steps=STEPS, batch_size=8, optimizer=OPTIMIZER, clip_norm=None, dtype="float64", record_every=5
)


def data(**changes):
    return time_data(TimeDataConfig(**{**SETTINGS, **changes}), DT)


def network(seeds=(0, 5)):
    triples, _ = data()
    return train_time_network(
        TimeCell(name="network", seeds=seeds, model=SHAPE, training=TRAINING, data=triples)
    )


def test_a_member_is_its_seed_trained_alone():
    together, history = network((0, 5))
    alone, its_history = network((5,))
    for name, value in alone.state_dict().items():
        # AdamW divides a rounding of 1e-16 by 1e-8 at worst: x rate 0.01 x 20 steps.
        torch.testing.assert_close(together.state_dict()[name][1], value[0], rtol=0, atol=2e-9)
    torch.testing.assert_close(
        history.values["loss"][:, 1], its_history.values["loss"][:, 0], rtol=0, atol=2e-8
    )


def test_training_lowers_the_loss_of_every_seed():
    triples, _ = data()
    before = MLP(SHAPE, generators([0, 5])).double()
    after, history = network()
    assert history.steps == [5, 10, 15, 20]

    def loss(model):
        found = model(triples.inputs.expand(2, -1, -1)) - triples.targets
        return found.square().sum(-1).mean(1)

    assert bool((loss(after) < loss(before)).all())


@pytest.mark.parametrize(("d_in", "d_out"), [(2, 2), (3, 1)])
def test_a_network_of_other_channels_is_refused(d_in, d_out):
    shape = {**SHAPE.model_dump(), "d_in": d_in, "d_out": d_out}
    expected = rf"model.d_in must be 3 .*model.d_out 2 .*got {d_in} and {d_out}"
    with pytest.raises(ValidationError, match=expected):
        TimeNetworkConfig(seeds=(0,), model=shape, training=TRAINING)


def test_the_work_is_a_cell_for_each_seed():
    triples, _ = data()
    config = TimeNetworkConfig(seeds=(3, 9), model=SHAPE, training=TRAINING)
    cells = time_cells(config, triples)
    assert [(cell.name, list(cell.seeds), cell.steps) for cell in cells] == [
        ("time_network", [3], STEPS), ("time_network", [9], STEPS),
    ]  # fmt: skip
    assert all(cell.data is triples for cell in cells)
    assert cells[0].params["widths"] == (6, 5)
