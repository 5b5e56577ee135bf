from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.data.task import (
    DatasetError,
    TaskConfig,
    draw_bits,
    draw_sample,
    draw_samples,
    draw_targets,
    is_identifiable,
    label,
)

PLAIN = {
    "function": "sparse_and", "positions": 8, "targets": 3, "p": None, "tolerance": None,
    "identifiable": False, "max_draws": 1,
}  # fmt: skip


def task(**changes):
    return TaskConfig(**{**PLAIN, **changes})


def truth_table(positions):
    return torch.tensor(list(product([0.0, 1.0], repeat=positions)), dtype=torch.float64)


@pytest.mark.parametrize(
    ("positions", "targets"), [(1, 1), (2, 1), (2, 2), (5, 1), (5, 4), (16, 1), (16, 2), (16, 4)]
)
def test_plain_labels_are_the_and_over_the_whole_truth_table(positions, targets):
    config = task(positions=positions, targets=targets)
    chosen = draw_targets(config, generators([positions * 10 + targets])[0])
    table = truth_table(positions)
    expected = [float(all(row[int(t)] == 1 for t in chosen[0])) for row in table]
    assert label(table, chosen).tolist() == expected
    assert sum(expected) == 2 ** (positions - targets)


@pytest.mark.parametrize(("positions", "targets"), [(3, 1), (7, 3), (11, 2), (16, 4)])
def test_query_labels_follow_the_rule_over_the_whole_truth_table(positions, targets):
    config = task(function="sparse_and_query", positions=positions, targets=targets)
    chosen = draw_targets(config, generators([positions])[0])
    table = truth_table(positions)
    expected = [float(all(row[int(t)] == 1 for t in chosen[int(row[-1])])) for row in table]
    assert label(table, chosen).tolist() == expected
    assert sum(expected) == 2 ** (positions - targets)


@given(targets=st.integers(1, 12), function=st.sampled_from(["sparse_and", "sparse_and_query"]))
@settings(deadline=None)
def test_labels_are_balanced_by_construction_for_every_s(targets, function):
    config = task(function=function, positions=2 * targets + 1, targets=targets)
    assert config.positive_fraction == pytest.approx(0.5, rel=1e-12)
    generator = generators([targets])[0]
    bits = draw_bits(config, 20_000, generator)
    # Binomial: five standard deviations of a fraction near 1/2.
    share = label(bits, draw_targets(config, generator)).mean()
    assert float(share) == pytest.approx(0.5, abs=5 * 0.5 / 20_000**0.5)


def test_bits_have_the_asked_probability_and_the_rule_is_fair():
    bits = draw_bits(task(function="sparse_and_query", p=0.8), 20_000, generators([0])[0]).mean(0)
    assert bits[:-1] == pytest.approx(torch.full((7,), 0.8).numpy(), abs=5 * 0.4 / 20_000**0.5)
    assert float(bits[-1]) == pytest.approx(0.5, abs=5 * 0.5 / 20_000**0.5)


@given(seed=st.integers(0, 10**6), targets=st.integers(1, 5))
@settings(deadline=None)
def test_target_sets_are_disjoint_and_never_the_rule(seed, targets):
    chosen = draw_targets(
        task(function="sparse_and_query", positions=12, targets=targets), generators([seed])[0]
    )
    assert chosen.shape == (2, targets)
    assert len(set(chosen.flatten().tolist())) == 2 * targets
    assert int(chosen.max()) <= 10


def test_every_position_is_equally_often_a_target():
    counts = torch.zeros(8)
    for generator in generators(range(4000)):
        counts[draw_targets(task(), generator)[0]] += 1
    # Hypergeometric, within five binomial deviations of 4000 * 3 / 8.
    assert float((counts - 1500).abs().max()) < 5 * (4000 * 3 / 8 * 5 / 8) ** 0.5


def test_a_sample_that_cannot_be_balanced_is_an_error_not_a_last_try():
    # The tutorial's p at s = 4: a quarter of the labels are 1.
    config = task(
        function="sparse_and_query",
        positions=17,
        targets=4,
        p=0.5**0.5,
        tolerance=0.05,
        max_draws=100,
    )
    targets = draw_targets(config, generators([0])[0])
    with pytest.raises(DatasetError) as raised:
        draw_sample(config, 200, targets, generators([1])[0])
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    assert "200 samples with 4 targets among 17 positions" in message
    assert "balanced within 0.05 in 100 draws" in message
    assert "p^s = 0.250" in message


def test_a_sample_that_cannot_be_identified_is_an_error():
    config = task(positions=12, identifiable=True, max_draws=20)
    targets = draw_targets(config, generators([0])[0])
    with pytest.raises(DatasetError, match="is identifiable in 20 draws"):
        draw_sample(config, 1, targets, generators([1])[0])


@given(seed=st.integers(0, 10**6))
@settings(deadline=None, max_examples=30)
def test_what_is_drawn_is_balanced_and_identified_as_asked(seed):
    config = task(
        function="sparse_and_query",
        positions=9,
        targets=2,
        tolerance=0.05,
        identifiable=True,
        max_draws=500,
    )
    targets = draw_targets(config, generators([seed])[0])
    bits = draw_sample(config, 60, targets, generators([seed], 1)[0])
    # 60 labels: the fraction is a multiple of 1 / 60, within 0.05 up to its own rounding.
    assert abs(float(label(bits, targets).mean()) - 0.5) <= 0.05 + 1e-12
    assert is_identifiable(config, bits, targets)


def test_identification_looks_at_each_rule_alone():
    config = task(function="sparse_and_query", positions=5, targets=1)
    targets = torch.tensor([[0], [1]])
    bits = torch.tensor(
        # 0, 1, 2, 3 and the rule: position 2 equals target 0 only where the rule is 0.
        [[1, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 1, 0, 0, 1], [0, 0, 1, 1, 1]],
        dtype=torch.float64,
    )
    assert not is_identifiable(config, bits, targets)
    bits[0, 2] = 0
    assert is_identifiable(config, bits, targets)


def test_a_members_data_are_those_of_its_seed_alone():
    config = task(tolerance=0.1, max_draws=200)
    targets = torch.stack([draw_targets(config, g) for g in generators([5, 6])])
    both = draw_samples(config, 50, targets, generators([5, 6]))
    alone = draw_samples(config, 50, targets[1:], generators([6]))
    assert torch.equal(both[1], alone[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": 9}, "targets must be <= 8 (the positions that carry bits), got 9"),
        (
            {"function": "sparse_and_query", "positions": 30, "targets": 15},
            "two disjoint sets of 15 targets do not fit into 29 positions beside the rule bit; "
            "targets must be <= 14",
        ),
        ({"function": "sparse_and_query", "targets": 8}, "targets must be <= 7"),
        ({"p": 0.0}, "greater than 0"),
        ({"p": 1.0}, "less than 1"),
        ({"targets": 0}, "greater than or equal to 1"),
        ({"tolerance": 0.0}, "greater than 0"),
    ],
)
def test_an_impossible_task_is_refused(changes, message):
    with pytest.raises(ValidationError) as raised:
        task(**changes)
    assert message in str(raised.value)
