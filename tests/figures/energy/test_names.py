import pytest

from pipeline.figures.energy import names
from pipeline.labs.energy.measure.capacity import Criterion

CRITERION = {
    "dimensions": (8, 12), "radius": 0.0, "retrieved": 0.5, "whole_draws": True,
    "offsets": (-1.5, 0.0, 1.5), "samples": 24,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "all patterns stable in 50% of draws"),
        ({"whole_draws": False, "retrieved": 0.95}, "95% of patterns stable"),
        ({"whole_draws": False, "radius": 0.125}, "50% come back from 0.125 d flips"),
    ],
)
def test_a_criterion_is_said_in_words(changes, words):
    assert names.criterion(Criterion(**(CRITERION | changes))) == words


def test_numbers_that_differ_are_a_span():
    assert names.span([8, 8]) == "8"
    assert names.span([96, 8, 256]) == "8 to 256"


def test_a_quantity_is_quoted_with_its_interval():
    summary = {"load": 0.13674, "load_low": 0.1306, "load_high": 0.1396}
    assert names.bracketed(summary, "load", 3) == "0.137 [0.131, 0.140]"
