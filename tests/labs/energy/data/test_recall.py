import pytest
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.data.recall import RecallConfig

TASK = RecallConfig(keys=6, values=5, pairs=3)


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
    assert (tokens[:, recall.query_positions(TASK)] < TASK.keys).all()


def test_members_draw_as_their_seeds_alone():
    together, alone = (recall.draw(TASK, 4, generators(s)) for s in ([1, 2], [2]))
    assert torch.equal(together.tokens[1:], alone.tokens)


def test_batches_are_the_draws_cut_up():
    stream = recall.batches(TASK, 3, generators([0]), block=2)
    whole = recall.draw(TASK, 6, generators([0]))
    got = torch.cat([next(stream).tokens, next(stream).tokens], dim=1)
    assert torch.equal(got, whole.tokens)


def test_an_asked_key_is_found_where_it_was_shown():
    drawn = recall.draw(TASK, 20, generators([0, 1]))
    tokens, at = drawn.tokens.argmax(-1), recall.shown_at(TASK, drawn)
    assert torch.equal(tokens.gather(-1, at), tokens[..., recall.query_positions(TASK)])
    assert torch.equal(tokens.gather(-1, at + 1) - TASK.keys, drawn.answers)


class Oracle(torch.nn.Module):
    """Says the right answer at each asked position, from the tokens themselves."""

    def forward(self, tokens):
        outputs = torch.zeros(*tokens.shape[:3], TASK.values)
        at = recall.query_positions(TASK)
        outputs[:, :, at] = tokens[:, :, at.start + 1 :: 2, TASK.keys :] * 50
        return outputs


def test_an_oracle_has_accuracy_one_and_no_loss():
    drawn = recall.draw(TASK, 20, generators([0, 1]))
    assert recall.accuracy(TASK, Oracle(), drawn).tolist() == [1.0, 1.0]
    loss = -recall.log_likelihood(TASK, Oracle()(drawn.tokens), drawn)
    assert loss.max() < 1e-6  # log(1 + 4 e^-50) is 0 in float32


def test_more_pairs_than_keys_are_refused():
    with pytest.raises(ValueError, match=r"pairs must be <= keys .*, got 7 and 6"):
        RecallConfig(keys=6, values=5, pairs=7)
