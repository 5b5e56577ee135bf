import pytest
import torch

from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.energy import recall
from pipeline.labs.energy.recall import RecallConfig
from pipeline.labs.energy.recall_training import (
    LossConfig,
    RecallCell,
    RecallModelConfig,
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


def cell(seeds, task=1.0, alignment=0.0, steps=10):
    loss = LossConfig(task=task, alignment=alignment)
    return RecallCell(
        name="x", loss=loss, seeds=seeds, task=TASK, model=MODEL, training=training(steps),
        validation=16,
    )  # fmt: skip


def test_every_second_key_has_its_first_value_as_the_answer():
    drawn = recall.draw(TASK, 40, generators([0]))
    tokens = drawn.tokens.argmax(-1)[0]
    first, second = tokens[:, :6], tokens[:, 6:]
    for row in range(40):
        told = dict(zip(first[row, ::2].tolist(), first[row, 1::2].tolist(), strict=True))
        assert len(told) == 3  # keys are distinct
        assert [told[key] for key in second[row, ::2].tolist()] == second[row, 1::2].tolist()
        assert (drawn.answers[0, row] + TASK.keys).tolist() == second[row, 1::2].tolist()
    assert tokens.shape[1] == TASK.length
    assert (tokens[:, recall.asked(TASK)] < TASK.keys).all()


def test_members_draw_as_their_seeds_alone():
    together, alone = (recall.draw(TASK, 4, generators(s)) for s in ([1, 2], [2]))
    assert torch.equal(together.tokens[1:], alone.tokens)


def test_batches_are_the_draws_cut_up():
    stream = recall.batches(TASK, 3, generators([0]), block=2)
    whole = recall.draw(TASK, 6, generators([0]))
    got = torch.cat([next(stream).tokens, next(stream).tokens], dim=1)
    assert torch.equal(got, whole.tokens)


class Oracle(torch.nn.Module):
    """Says the right answer at each asked position, from the tokens themselves."""

    def forward(self, tokens):
        outputs = torch.zeros(*tokens.shape[:3], TASK.values)
        at = recall.asked(TASK)
        outputs[:, :, at] = tokens[:, :, at.start + 1 :: 2, TASK.keys :] * 50
        return outputs


def test_an_oracle_has_accuracy_one_and_no_loss():
    drawn = recall.draw(TASK, 20, generators([0, 1]))
    assert recall.accuracy(TASK, Oracle(), drawn).tolist() == [1.0, 1.0]
    loss = -recall.log_likelihood(TASK, Oracle()(drawn.tokens), drawn)
    assert loss.max() < 1e-6  # log(1 + 4 e^-50) is 0 in float32


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


def test_more_pairs_than_keys_are_refused():
    with pytest.raises(ValueError, match=r"pairs must be <= keys .*, got 7 and 6"):
        RecallConfig(keys=6, values=5, pairs=7)


def test_the_model_fits_the_task():
    model = Transformer(MODEL, generators([0]))
    drawn = recall.draw(TASK, 2, generators([0]))
    assert model(drawn.tokens).shape == (1, 2, TASK.length, TASK.values)
