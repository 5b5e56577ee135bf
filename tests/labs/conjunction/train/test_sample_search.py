import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.labs.conjunction.train import sample_search
from pipeline.labs.conjunction.train.curves import (
    CurveConfig,
    LinearCurve,
    SearchConfig,
    VotingCurve,
)
from pipeline.labs.conjunction.train.early_stopping import EarlyStopConfig
from pipeline.labs.conjunction.train.fit import FitConfig
from pipeline.labs.conjunction.train.sample_search import SearchCell, samples_at

OPTIMIZER = OptimizerConfig(
    name="Adam", learning_rate=0.01, options={}, schedule="constant", final_fraction=1.0,
    warmup_steps=0,
)  # fmt: skip
SEARCH = SearchConfig(
    function="sparse_and", targets=3, threshold=0.99, valid=200, stop_below=0.25, stop_above=0.75,
    early_stop=EarlyStopConfig(every=50, accuracy=0.998, loss=0.001),
)  # fmt: skip
CURVE = CurveConfig(
    seeds=tuple(range(10)),
    members_per_cell=4,
    sizes_per_doubling=2,
    first_samples={16: 20, 32: 40},
    max_samples=1000,
    stop_above=None,
)


def explore(solved, start=20, config=SEARCH):
    """Run a whole search on a known curve: level -> solved fraction."""
    curve = CURVE.model_copy(update={"first_samples": {16: start, 32: start}})
    tried = {}
    while levels := sample_search.next_levels(config, curve, 16, tried):
        for level in levels:
            assert level not in tried
            tried[level] = solved(level)
    return tried


@given(start=st.integers(1, 900), middle=st.integers(2, 17), width=st.floats(0.1, 3))
@settings(deadline=None)
def test_a_search_brackets_the_transition_from_any_start(start, middle, width):
    tried = explore(lambda level: min(1.0, max(0.0, 0.5 + (level - middle) / (2 * width))), start)
    assert sorted(tried) == list(range(min(tried), max(tried) + 1))
    assert tried[min(tried)] <= SEARCH.stop_below or min(tried) == 0
    assert tried[max(tried)] >= SEARCH.stop_above
    assert min(tried) <= middle <= max(tried)


def test_a_search_that_finds_nothing_ends_at_the_largest_size():
    tried = explore(lambda level: 0.0)
    sizes = [samples_at(level, 2) for level in tried]
    assert max(sizes) <= 1000 < samples_at(max(tried) + 1, 2)
    assert explore(lambda level: 0.0, start=4096)


def test_a_search_where_one_sample_is_enough_ends_there():
    assert samples_at(min(explore(lambda level: 1.0)), 2) == 1


def test_a_curves_own_end_takes_the_searchs_place():
    curve = CURVE.model_copy(update={"stop_above": 0.95})
    tried = {9: 0.1, 10: 0.8}
    assert sample_search.next_levels(SEARCH, CURVE, 16, tried) == []
    assert sample_search.next_levels(SEARCH, curve, 16, tried) == [11]


def test_the_vote_needs_fewer_samples_than_elimination():
    vote = VotingCurve(**CURVE.model_dump())
    solved = [
        (sample_search.learn(SearchCell(learner="a", positions=64, search=SEARCH, curve=each), 23))
        for each in (vote, CURVE)
    ]
    by_vote, by_elimination = (float((s.accuracy >= 0.99).double().mean()) for s in solved)
    assert by_vote > by_elimination


def test_rungs_double_as_often_as_asked():
    assert [samples_at(k, 2) for k in range(7)] == [1, 1, 2, 3, 4, 6, 8]
    assert [samples_at(k, 4) for k in (20, 21, 22, 23, 24)] == [32, 38, 45, 54, 64]


def cell(positions=16, **changes):
    curve = CURVE.model_copy(update=changes)
    return SearchCell(learner="a", positions=positions, search=SEARCH, curve=curve)


def test_there_is_a_search_for_every_learner_and_t_in_order():
    config = {"steps": 10, "optimizer": OPTIMIZER, "dtype": "float32", "record_every": 10}
    linear = LinearCurve(**CURVE.model_dump(), fit=FitConfig(**config))
    cells = sample_search.cells(SEARCH, {"limit": CURVE, "linear": linear})
    assert [(c.learner, c.positions) for c in cells] == [
        ("limit", 16), ("limit", 32), ("linear", 16), ("linear", 32),
    ]  # fmt: skip
    # By which the cores are given the longest first.
    assert cells[3].cost > cells[2].cost > cells[0].cost == 0


def test_a_search_does_not_depend_on_where_those_of_other_t_start():
    other = CURVE.model_copy(update={"first_samples": {16: 20, 64: 80}})
    before, after = (sample_search.cells(SEARCH, {"limit": curve}) for curve in (CURVE, other))
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_accuracies_do_not_depend_on_how_seeds_are_grouped():
    together, alone = (sample_search.learn(cell(members_per_cell=k), 23) for k in (10, 1))
    assert torch.equal(together.accuracy, alone.accuracy)
    assert torch.equal(together.covariance, alone.covariance)
    assert bool(((alone.accuracy > 0.4) & (alone.accuracy <= 1)).all())


def test_the_statistic_is_the_covariance_of_label_and_count_of_ones():
    generator = torch.Generator().manual_seed(0)
    ones, labels = torch.rand(2, 3, 20, generator=generator, dtype=torch.float64)
    expected = [
        torch.cov(torch.stack(pair), correction=0)[0, 1] for pair in zip(ones, labels, strict=True)
    ]
    # Sums of 20 products below 1.
    assert torch.allclose(
        sample_search.covariance(ones, labels), torch.stack(expected), rtol=0, atol=1e-14
    )


def test_more_samples_solve_more_seeds():
    fractions = [
        float((sample_search.learn(cell(), samples).accuracy >= 0.99).double().mean())
        for samples in (8, 23, 128)
    ]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0


def test_a_search_returns_every_size_it_tried_in_order():
    by_size = sample_search.explore(cell())
    sizes = [samples_at(level, 2) for level in range(40)]
    first, last = sizes.index(min(by_size)), sizes.index(max(by_size))
    assert list(by_size) == sizes[first : last + 1]
    solved = {
        m: float((t.accuracy >= SEARCH.threshold).double().mean()) for m, t in by_size.items()
    }
    assert solved[min(by_size)] <= SEARCH.stop_below
    assert solved[max(by_size)] >= SEARCH.stop_above


@pytest.mark.parametrize(
    "changes", [{"stop_below": 0.5}, {"stop_above": 0.5}, {"valid": 0}, {"threshold": 0.5}]
)
def test_values_out_of_range_are_refused(changes):
    with pytest.raises(ValidationError):
        SearchConfig(**(SEARCH.model_dump() | changes))


@pytest.mark.parametrize("changes", [{"first_samples": {16: 0, 32: 1}}, {"max_samples": 0}])
def test_zero_samples_are_refused(changes):
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        CurveConfig(**(CURVE.model_dump() | changes))


def test_more_targets_than_positions_are_refused():
    with pytest.raises(ValidationError, match="targets must be <= 2"):
        SEARCH.task(2)


def test_the_smallest_t_limits_the_targets():
    SEARCH.require({"a": CURVE}, "conjunction.learners")
    search = SEARCH.model_copy(update={"targets": 17})
    with pytest.raises(
        ValueError, match=r"must be <= 16, the smallest T in here\.a\.first_samples"
    ):
        search.require({"a": CURVE}, "here")


def test_with_a_rule_two_sets_must_fit():
    search = SEARCH.model_copy(update={"function": "sparse_and_query", "targets": 7})
    search.require({"a": CURVE}, "here")
    with pytest.raises(ValueError, match="two disjoint sets of 8 targets do not fit"):
        search.model_copy(update={"targets": 8}).require({"a": CURVE}, "here")


def test_points_are_in_the_learners_order_whatever_went_first():
    learners = {"small": CURVE, "large": CURVE.model_copy(update={"first_samples": {8: 4, 12: 4}})}
    cells = sample_search.cells(SEARCH, learners)[::-1]

    def learned(cell, samples):
        values = torch.arange(10.0).double() + samples
        return sample_search.Learned(accuracy=values / 100, covariance=-values)

    results = [{m: learned(cell, m) for m in (cell.positions, 99)} for cell in cells]
    points = sample_search.points(learners, cells, results)
    assert list(points.learner.unique()) == ["small", "large"]
    assert list(points.positions.unique()) == [16, 32, 8, 12]
    row = points[(points.positions == 12) & (points.samples == 99)].iloc[3]
    assert (row.learner, row.seed, row.accuracy, row.covariance) == ("large", 3, 1.02, -102.0)
