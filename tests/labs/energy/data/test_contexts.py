import pytest
import torch

from pipeline.labs.energy.data import contexts


def test_contexts_are_distinct_and_neighbours_differ_in_the_first_token():
    drawn = contexts.draw(10, 40, torch.Generator().manual_seed(0))
    assert len({tuple(row) for row in drawn.tolist()}) == 40
    assert bool(((drawn >= 0) & (drawn < 10)).all())
    assert len(set(drawn[:, 0].tolist())) > 5  # not the first few tokens alone
    assert bool((drawn[:, 0] != drawn[:, 0].roll(1)).all())


def test_an_odd_number_is_made_even():
    assert len(contexts.draw(9, 7, torch.Generator().manual_seed(0))) == 6


def test_the_same_first_token_everywhere_is_refused(monkeypatch):
    # Three of four contexts start with one token: two of them must be neighbours.
    monkeypatch.setattr(torch, "randperm", lambda *_, **__: torch.tensor([0, 1, 2, 5]))
    with pytest.raises(ValueError, match="4 contexts of 3 tokens leave neighbours"):
        contexts.draw(3, 4, torch.Generator())
