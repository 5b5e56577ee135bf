import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.labs.conjunction import search
from pipeline.labs.conjunction.search import CurveConfig, Rung, SearchConfig, samples_at

SEARCH = SearchConfig(targets=3, threshold=0.99, valid=200, low=0.25, high=0.75)
CURVE = CurveConfig(
    seeds=tuple(range(10)),
    members_per_cell=4,
    rungs_per_doubling=2,
    contexts={16: 20, 32: 40},
    max_samples=1000,
)


def explore(solved, start=20, config=SEARCH):
    """Run a whole search on a known curve: rung -> solved fraction."""
    curve = CURVE.model_copy(update={"contexts": {16: start, 32: start}})
    tried = {}
    while rungs := search.next_rungs(config, curve, 16, tried):
        for rung in rungs:
            assert rung not in tried
            tried[rung] = solved(rung)
    return tried


@given(start=st.integers(1, 900), middle=st.integers(2, 17), width=st.floats(0.1, 3))
@settings(deadline=None)
def test_a_search_brackets_the_transition_from_any_start(start, middle, width):
    tried = explore(lambda rung: min(1.0, max(0.0, 0.5 + (rung - middle) / (2 * width))), start)
    assert sorted(tried) == list(range(min(tried), max(tried) + 1))
    assert tried[min(tried)] <= SEARCH.low or min(tried) == 0
    assert tried[max(tried)] >= SEARCH.high
    assert min(tried) <= middle <= max(tried)


def test_a_search_that_finds_nothing_ends_at_the_largest_size():
    tried = explore(lambda rung: 0.0)
    sizes = [samples_at(rung, 2) for rung in tried]
    assert max(sizes) <= 1000 < samples_at(max(tried) + 1, 2)
    assert explore(lambda rung: 0.0, start=4096)


def test_a_search_where_one_sample_is_enough_ends_there():
    assert samples_at(min(explore(lambda rung: 1.0)), 2) == 1


def test_rungs_double_as_often_as_asked():
    assert [samples_at(k, 2) for k in range(7)] == [1, 1, 2, 3, 4, 6, 8]
    assert [samples_at(k, 4) for k in (20, 21, 22, 23, 24)] == [32, 38, 45, 54, 64]


def test_cells_share_out_all_seeds_and_the_last_takes_the_rest():
    cells = [search.cell(SEARCH, CURVE, None, Rung("a", 16, 8), k) for k in (0, 4, 8)]
    assert [tuple(cell.seeds) for cell in cells] == [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9)]
    assert {cell.samples for cell in cells} == {16}
    assert {cell.task.positions for cell in cells} == {16}


def test_a_cells_accuracies_are_those_of_its_seeds_alone():
    whole = search.cell(SEARCH, CURVE, None, Rung("a", 16, 9), 0)
    part = search.cell(SEARCH, CURVE, None, Rung("a", 16, 9), 0)
    again = torch.cat([search.learn(part)])
    assert torch.equal(search.learn(whole), again)
    assert bool(((again > 0.4) & (again <= 1)).all())


def test_more_samples_solve_more_seeds():
    fractions = []
    for rung in (6, 9, 14):
        cell = search.cell(SEARCH, CURVE.model_copy(update={"members_per_cell": 10}), None,
                           Rung("a", 16, rung), 0)  # fmt: skip
        fractions.append(float((search.learn(cell) >= 0.99).double().mean()))
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0


@pytest.mark.parametrize("changes", [{"low": 0.5}, {"high": 0.5}, {"valid": 0}, {"threshold": 0.5}])
def test_values_out_of_range_are_refused(changes):
    with pytest.raises(ValidationError):
        SearchConfig(**(SEARCH.model_dump() | changes))


@pytest.mark.parametrize("changes", [{"contexts": {16: 0, 32: 1}}, {"max_samples": 0}])
def test_zero_samples_are_refused(changes):
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        CurveConfig(**(CURVE.model_dump() | changes))


def test_more_targets_than_positions_are_refused():
    with pytest.raises(ValidationError, match="targets must be <= 2"):
        SEARCH.task(2)
