import pytest
import torch

from labs.energy.measure.trained.recall_models import TASK, model_of, sequences
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.measure.trained import basins


def test_the_pair_that_goes_is_the_asked_one_and_its_key_is_shown_no_more():
    shown = sequences((0, 1), 30)
    changed = basins.without_the_pair(TASK, shown, generators((0, 1)))
    tokens, before = (x.tokens.argmax(-1) for x in (changed, shown))
    asked = tokens[..., recall.query_positions(TASK)][..., -1]
    first = tokens[..., : 2 * TASK.pairs]
    assert not bool((first == asked[..., None]).any())
    assert bool((changed.tokens.sum(-1) == 1).all())
    # One key and at most its value differ, and nothing in the second half.
    assert int((tokens != before).sum(-1).max()) <= 2
    assert torch.equal(tokens[..., 2 * TASK.pairs :], before[..., 2 * TASK.pairs :])
    assert bool((tokens[..., : 2 * TASK.pairs : 2] < TASK.keys).all())
    assert bool((tokens[..., 1 : 2 * TASK.pairs : 2] >= TASK.keys).all())


def test_all_numbers_are_fractions_of_sequences():
    seeds = (0, 1)
    found = basins.basins(
        TASK, model_of(seeds), sequences(seeds, 10), sequences(seeds, 10, purpose=1),
        generators(seeds, purpose=2),
    )  # fmt: skip
    assert set(found) == {
        f"{removed}{name}" for removed in ("", "removed_") for name in ("step", "end", "accuracy")
    }
    for values in found.values():
        assert values.shape == (2,)
        assert bool(((values >= 0) & (values <= 1)).all())


def test_a_pair_cannot_go_if_every_key_is_shown():
    task = recall.RecallConfig(keys=2, values=3, pairs=2)
    drawn = recall.draw(task, 3, generators([0]))
    with pytest.raises(ValueError, match="more keys than pairs"):
        basins.without_the_pair(task, drawn, generators([0]))
