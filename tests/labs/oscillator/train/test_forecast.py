import pytest
import torch

from pipeline.core.nn.layers import MemberModule
from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.labs.oscillator.data.task import TaskConfig
from pipeline.labs.oscillator.data.windows import WindowDataConfig, windows
from pipeline.labs.oscillator.models.attention import ShapeConfig
from pipeline.labs.oscillator.train.forecast import ForecastCell, squared_error, train_forecaster

DATA = windows(
    TaskConfig(dt=0.1),
    WindowDataConfig(
        omega0=(1.0, 4.0), gamma=(0.1, 0.1), age=(0.0, 0.0), window=6,
        initial_train=(0.0, 1.0), initial_valid=(1.0, 1.5),
        train=64, valid=16, test=2, test_steps=1, example_omega0=2.0, example_initial=(0.8, 0.6),
        seed=0,
    ),
)  # fmt: skip
OPTIMIZER = OptimizerConfig(
    name="AdamW", learning_rate=0.01, options={}, schedule="constant", final_fraction=1.0,
    warmup_steps=0,
)  # fmt: skip
SHAPE = ShapeConfig(d_model=4, d_head=2, n_layers=1, causal=True).transformer
LINEAR = LinearWindowConfig(window=6, d_in=2, d_out=2)
KINDS = [
    (Transformer, SHAPE, "last"),
    (Transformer, SHAPE, "sequence"),
    (LinearWindow, LINEAR, "last"),
]


def cell(kind=Transformer, config=SHAPE, loss="last", seeds=(0, 5), dtype="float64", steps=20):
    training = TrainingConfig(
        steps=steps, batch_size=8, optimizer=OPTIMIZER, clip_norm=None, dtype=dtype, record_every=5
    )
    return ForecastCell(
        name="model", kind=kind, config=config, seeds=seeds, loss=loss, training=training,
        train=DATA["train"].states, valid=DATA["valid"].states,
    )  # fmt: skip


class Persistence(MemberModule):
    """Predicts that nothing changes."""

    def forward(self, x, *, last_only):
        return x[:, :, -1:] if last_only else x


def persistence(members):
    return Persistence(LINEAR, [torch.Generator()] * members)


def test_the_last_loss_is_the_squared_error_of_the_state_after_the_window():
    batch = torch.tensor(
        [[[[0.0, 0.0], [1.0, 2.0], [4.0, 6.0]], [[0.0, 0.0], [7.0, 7.0], [8.0, 7.0]]]]
    )
    assert squared_error(persistence(1), batch.double(), "last").tolist() == [(25 + 1) / 2]


def test_the_sequence_loss_is_the_mean_over_positions_of_each_one_s_successor():
    batch = torch.tensor(
        [[[[0.0, 0.0], [1.0, 2.0], [4.0, 6.0]]], [[[0.0, 0.0], [2.0, 0.0], [2.0, 0.0]]]]
    )
    found = squared_error(persistence(2), batch.double(), "sequence")
    assert found.tolist() == [(5 + 25) / 2, 4 / 2]


@pytest.mark.parametrize(("kind", "config", "loss"), KINDS)
def test_a_member_is_its_seed_trained_alone(kind, config, loss):
    model, history = train_forecaster(cell(kind, config, loss))
    for k, seed in enumerate((0, 5)):
        alone, its_history = train_forecaster(cell(kind, config, loss, seeds=(seed,)))
        for name, value in alone.state_dict().items():
            # As for the trainer: 1e-16 / 1e-8 x rate 0.01 x 20 steps.
            torch.testing.assert_close(model.state_dict()[name][k], value[0], rtol=0, atol=2e-9)
        for name, values in its_history.values.items():
            torch.testing.assert_close(history.values[name][:, k], values[:, 0], rtol=0, atol=2e-8)


def test_the_same_cell_twice_gives_the_same_bits():
    for dtype in ("float32", "float64"):
        (one, first), (two, second) = (train_forecaster(cell(dtype=dtype)) for _ in range(2))
        for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True):
            assert a.dtype == getattr(torch, dtype)
            assert torch.equal(a, b)
        assert all(torch.equal(first.values[k], second.values[k]) for k in first.values)


@pytest.mark.parametrize(("kind", "config", "loss"), KINDS)
def test_the_history_holds_the_losses_on_validation_after_the_step(kind, config, loss):
    trained = cell(kind, config, loss)
    model, history = train_forecaster(trained)
    assert history.steps == [5, 10, 15, 20]
    assert set(history.values) == {"loss", "validation_loss", "validation_last"}
    valid = trained.valid.expand(2, -1, -1, -1)
    for name, its_kind in (("validation_loss", loss), ("validation_last", "last")):
        expected = squared_error(model, valid, its_kind).detach()
        torch.testing.assert_close(history.values[name][-1], expected)
        assert bool((history.values[name][-1] < history.values[name][0]).all())


def test_every_step_is_reported():
    seen = []
    train_forecaster(cell(), lambda: seen.append(1))
    assert len(seen) == 20
