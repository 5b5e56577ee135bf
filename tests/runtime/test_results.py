"""results: everything that was measured, and the few numbers of it that are compared."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime import results

MEASURED = {
    "O3": {
        "gamma_0": {"r_50": 1e-5, "r_50_low": 1e-6, "n": 5},
        "gamma_0.1": {"r_50": 2e-5, "r_50_low": None, "n": 5},
    },
    "O7": {"small": {"r_50": 3e-7}, "steps": 40},
}


def test_every_number_has_its_dotted_place() -> None:
    assert dict(results.flat(MEASURED)) == {
        "O3.gamma_0.r_50": 1e-5, "O3.gamma_0.r_50_low": 1e-6, "O3.gamma_0.n": 5,
        "O3.gamma_0.1.r_50": 2e-5, "O3.gamma_0.1.r_50_low": None, "O3.gamma_0.1.n": 5,
        "O7.small.r_50": 3e-7, "O7.steps": 40,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("patterns", "places"),
    [
        ([], []),
        (["O7.small.r_50"], ["O7.small.r_50"]),
        (["O7.*.r_50", "O3.*.r_50"], ["O7.small.r_50", "O3.gamma_0.r_50", "O3.gamma_0.1.r_50"]),
        (["O3.*.r_50_low"], ["O3.gamma_0.r_50_low"]),  # what is null is no number to compare
        (["O7.large.r_50"], []),  # a model that is not among today's params
        (["o7.small.r_50", "O7.small", "small.r_50"], []),  # the whole place, as it is written
        (["O7.*", "O7.small.*"], ["O7.small.r_50", "O7.steps"]),  # each once
    ],
)
def test_a_headline_is_the_numbers_at_the_patterns_places_in_their_order(
    patterns: list[str], places: list[str]
) -> None:
    numbers = dict(results.flat(MEASURED))
    found = results.headline(MEASURED, patterns)
    assert list(found) == places
    assert found == {place: numbers[place] for place in places}


TREES = st.recursive(
    st.integers() | st.none(), lambda t: st.dictionaries(st.text("ab", min_size=1), t, max_size=3)
)


@given(st.dictionaries(st.text("ab", min_size=1), TREES, max_size=3))
def test_all_of_what_was_measured_is_the_headline_of_a_star(measured: dict[str, Any]) -> None:
    numbers = {place: value for place, value in results.flat(measured) if value is not None}
    assert results.headline(measured, ["*"]) == numbers
