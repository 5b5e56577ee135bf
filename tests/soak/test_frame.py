"""The frame itself: the short form by default, sums, and a seed that makes the choices."""

import json

from soak import frame

pytest_plugins = ["pytester"]
TEST = """
import pytest

@pytest.mark.parametrize("part", [1, 2])
def test_rounds(soak, part):
    n = soak.rounds(short=2, long=200)
    soak.tell(rounds=n, store="sqlite")
    soak.tell(rounds=1)
    assert part == 1
"""


def test_the_short_form_is_the_default():
    assert frame.Soak(0, 0).rounds(short=3, long=200) == 3
    assert frame.Soak(1, 0).rounds(short=3, long=200) == 200
    assert frame.Soak(0.1, 0).rounds(short=3, long=200) == 20
    assert frame.Soak(0.001, 0).rounds(short=3, long=200) == 3


def test_the_same_seed_makes_the_same_choices():
    drawn = [frame.Soak(1, seed).random("kills", 3).random() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_summary_names_every_test_its_sums_and_what_failed(pytester):
    pytester.makepyfile(TEST)
    result = pytester.runpytest_inprocess("-p", "soak.frame", "--soak=0.5", "--soak-seed=7")
    summary = json.loads((pytester.path / frame.SUMMARY).read_text())
    assert summary["scale"] == 0.5
    assert summary["seed"] == 7
    passed_figures = next(iter(summary["tests"].values()))
    failed = list(summary["tests"])[1]
    assert passed_figures["rounds"] == 101
    assert passed_figures["store"] == "sqlite"
    assert summary["failed"] == [failed]
    result.stdout.fnmatch_lines(["ok * rounds 101, store sqlite,*", "FAILED * rounds 101*"])


def test_without_the_option_nothing_is_written(pytester):
    pytester.makepyfile(TEST)
    pytester.runpytest_inprocess("-p", "soak.frame").assert_outcomes(passed=1, failed=1)
    assert not (pytester.path / frame.SUMMARY).exists()
