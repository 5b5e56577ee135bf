import pytest
import torch
from pydantic import ValidationError
from torch import nn

from pipeline.core.nn.mlp import MLP, MLPConfig
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.task import propagator
from pipeline.labs.oscillator.time_network import (
    TimeCell,
    TimeDataConfig,
    TimeNetworkConfig,
    time_data,
    time_rollouts,
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
    return train_time_network(TimeCell(seeds=seeds, model=SHAPE, training=TRAINING, **triples))


def test_a_triple_leads_where_the_exact_motion_leads():
    triples, test = data()
    inputs, t = triples["inputs"], triples["inputs"][:, 2]
    assert inputs.shape == (300, 3)
    assert bool((inputs[:, :2].abs() <= 1).all())
    assert bool(((t >= 0) & (t <= 3)).all())
    k = propagator(torch.full_like(t, 2.0), torch.full_like(t, 0.1), t)
    expected = (k @ inputs[:, :2, None])[:, :, 0]
    torch.testing.assert_close(triples["targets"], expected, rtol=0, atol=1e-14)
    assert test["states"].shape == (6, 31, 2)
    assert set(test["omega0"].tolist()) == {2.0}


def test_test_trajectories_do_not_depend_on_the_number_of_triples():
    assert torch.equal(data()[1]["states"], data(train=50)[1]["states"])
    assert not torch.equal(data()[1]["states"], data(seed=3)[1]["states"])


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
        found = model(triples["inputs"].expand(2, -1, -1)) - triples["targets"]
        return found.square().sum(-1).mean(1)

    assert bool((loss(after) < loss(before)).all())


class Exact(MLP):
    """A network that has found the motion."""

    def forward(self, x):
        t = x[0, :, 2]
        k = propagator(torch.full_like(t, 2.0), torch.full_like(t, 0.1), t)
        return (k @ x[:, :, :2, None])[..., 0]


def test_rollouts_are_of_every_later_state_from_the_first_alone():
    _, test = data()
    exact = Exact(SHAPE, generators([0, 1])).double()
    found = time_rollouts(exact, test["states"], DT)
    assert found.shape == (2, 6, 30, 2)
    # Six doublings of states below four.
    expected = test["states"][:, 1:].expand(2, -1, -1, -1)
    torch.testing.assert_close(found, expected, rtol=0, atol=100 * 2.2e-16 * 4)
    spoilt = test["states"].clone()
    spoilt[:, 1:] = torch.nan
    assert torch.equal(time_rollouts(exact, spoilt, DT), found)


def test_rollouts_of_a_float32_network_are_float64():
    model, _ = network()
    _, test = data()
    assert isinstance(model.layers[0], nn.Module)
    assert time_rollouts(model.float(), test["states"], DT).dtype == torch.float64


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"gamma": 2.0}, r"gamma must be < omega0 = 2 \(under-damped\), got 2"),
        ({"gamma": -0.1}, "greater than or equal to 0"),
        ({"omega0": 0.0}, "greater than 0"),
        ({"initial": (1.0, 1.0)}, "low < high"),
        ({"duration": 0.0}, "greater than 0"),
        ({"train": 0}, "greater than or equal to 1"),
        ({"test": 0}, "greater than or equal to 1"),
        ({"seed": -1}, "greater than or equal to 0"),
    ],
)
def test_data_that_cannot_be_made_is_refused(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        TimeDataConfig(**{**SETTINGS, **changes})


@pytest.mark.parametrize(("d_in", "d_out"), [(2, 2), (3, 1)])
def test_a_network_of_other_channels_is_refused(d_in, d_out):
    shape = {**SHAPE.model_dump(), "d_in": d_in, "d_out": d_out}
    expected = rf"model.d_in must be 3 .*model.d_out 2 .*got {d_in} and {d_out}"
    with pytest.raises(ValidationError, match=expected):
        TimeNetworkConfig(seeds=(0,), model=shape, training=TRAINING)
