from itertools import combinations

import pytest
import torch

from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import DatasetError, TaskConfig, label
from pipeline.labs.conjunction.models import elimination, voting

TASK = TaskConfig(
    function="sparse_and", positions=9, targets=3, p=None, tolerance=None, identifiable=False,
    max_draws=1,
)  # fmt: skip
DATA = draw_data(TASK, 8, 60, range(12))
LABELS, TRUTH = (label(bits, DATA.targets) for bits in (DATA.train, DATA.valid))


def by_hand(bits, labels):
    """All sets of three positions whose AND is every sample's label."""
    return [
        chosen
        for chosen in combinations(range(9), 3)
        if torch.equal(bits[:, chosen].amin(1), labels)
    ]


def test_the_sets_are_all_that_agree_with_every_sample(monkeypatch):
    kept = elimination.candidates(TASK, DATA.train, LABELS)[:, 0]
    for chunk in (2**16, 3):
        monkeypatch.setattr(voting, "CHUNK", chunk)
        for k in range(12):
            sets = voting.consistent_sets(kept[k], DATA.train[k], LABELS[k], 3)
            assert list(map(tuple, sets.tolist())) == by_hand(DATA.train[k], LABELS[k])
            assert DATA.targets[k, 0].tolist() in sets.tolist()


def test_the_majority_is_predicted(monkeypatch):
    for chunk in (2**16, 2):
        monkeypatch.setattr(voting, "CHUNK", chunk)
        found = voting.accuracy(TASK, DATA.train, LABELS, DATA.valid, TRUTH)
        for k in range(12):
            sets = by_hand(DATA.train[k], LABELS[k])
            votes = sum(DATA.valid[k][:, chosen].amin(1) for chosen in sets)
            said = (2 * votes > len(sets)).double()
            assert float(found[k]) == float((said == TRUTH[k]).double().mean())


def test_voting_errs_less_than_elimination_on_average():
    reasoned = [
        learner.accuracy(TASK, DATA.train, LABELS, DATA.valid, TRUTH).mean()
        for learner in (voting, elimination)
    ]
    assert reasoned[0] > reasoned[1]


def test_a_learner_that_knows_the_targets_makes_no_error():
    many = draw_data(TASK, 200, 60, [3])
    labels, truth = (label(bits, many.targets) for bits in (many.train, many.valid))
    assert voting.accuracy(TASK, many.train, labels, many.valid, truth).tolist() == [1.0]


def test_more_sets_than_can_be_listed_are_refused():
    bits = torch.zeros(2, 600, dtype=torch.float64)
    with pytest.raises(DatasetError, match=r"3\.6e\+07 sets of 3 targets among 600 positions"):
        voting.consistent_sets(torch.ones(600).bool(), bits, torch.zeros(2).double(), 3)
