import pytest
import torch

from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.data.recall import RecallConfig
from pipeline.labs.energy.train.recall import (
    LossConfig,
    RecallCell,
    RecallModelConfig,
    RecallTrainConfig,
    cells_of,
    train_cell,
)

TASK = RecallConfig(keys=6, values=5, pairs=3)
MODEL = RecallModelConfig(d_model=8, d_head=4, n_layers=2, attention="softmax").transformer(TASK)


def training(steps):
    adam = OptimizerConfig(
        name="Adam", learning_rate=0.01, options={}, schedule="constant", final_fraction=1.0,
        warmup_steps=0,
    )  # fmt: skip
    return TrainingConfig(
        steps=steps, batch_size=8, optimizer=adam, clip_norm=1.0, dtype="float64", record_every=5
    )


def cell(seeds, task=1.0, alignment=0.0, energy=0.0, steps=10):
    loss = LossConfig(task=task, alignment=alignment, energy=energy)
    return RecallCell(
        name="x", loss=loss, seeds=seeds, task=TASK, model=MODEL, training=training(steps),
        validation=16,
    )  # fmt: skip


@pytest.mark.parametrize("alignment", [0.0, 0.5])
def test_a_member_trains_as_its_seed_alone(alignment):
    together, _ = train_cell(cell((3, 4), alignment=alignment), lambda: None)
    alone, _ = train_cell(cell((4,), alignment=alignment), lambda: None)
    for name, value in alone.state_dict().items():
        # Batched matrix products may sum in another order: rounding, over ten steps of Adam.
        torch.testing.assert_close(together.state_dict()[name][1:], value, rtol=0, atol=1e-9)


def test_training_on_the_alignment_raises_it():
    _, history = train_cell(cell((0, 1), task=0.0, alignment=1.0, steps=60), lambda: None)
    alignment = history.values["alignment"]
    assert (alignment[-1] > alignment[0] + 0.1).all()


def test_training_on_the_energy_lowers_the_loss_without_end():
    _, history = train_cell(cell((0, 1), task=0.0, energy=1.0, steps=60), lambda: None)
    loss = history.values["loss"]
    assert (loss[-1] < 2 * loss[-4]).all()  # below zero, and twice as far after 15 steps more
    assert (loss[-4] < 0).all()


def test_other_numbers_of_heads_share_the_stream_and_learn_the_task_alone():
    config = RecallTrainConfig(
        seeds=(0, 1, 2), members_per_cell=2,
        losses={"both": LossConfig(task=1, alignment=1, energy=0)},
        other_heads=(1, 4), validation=4, training=training(5),
    )  # fmt: skip
    model = RecallModelConfig(d_model=8, d_head=4, n_layers=2, attention="softmax")
    cells = cells_of(TASK, model, config)
    assert [c.name for c in cells] == ["both"] * 2 + ["heads_1"] * 2 + ["heads_4"] * 2
    assert [c.model.n_heads for c in cells[::2]] == [2, 1, 4]
    assert {c.model.d_model for c in cells} == {8}
    assert {c.loss.description for c in cells[2:]} == {"task alone"}
    with pytest.raises(ValueError, match="other_heads must divide d_model, got 3 heads"):
        model.with_heads(3)


def test_the_model_fits_the_task():
    model = Transformer(MODEL, generators([0]))
    drawn = recall.draw(TASK, 2, generators([0]))
    assert model(drawn.tokens).shape == (1, 2, TASK.length, TASK.values)


@pytest.mark.parametrize(
    ("task", "alignment", "energy", "words"),
    [
        (1.0, 0.0, 0.0, "task alone"),
        (1.0, 0.1, 0.0, "task + 0.1 cosine"),
        (1.0, 0.0, 0.01, "task + 0.01 energy"),
        (0.0, 1.0, 0.0, "cosine alone"),
        (0.0, 0.0, 0.0, "nothing"),
    ],
)
def test_a_loss_is_described_by_its_weights(task, alignment, energy, words):
    assert LossConfig(task=task, alignment=alignment, energy=energy).description == words
