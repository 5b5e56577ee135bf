"""The frame of the long tests: one code, a few rounds in ``make test`` and many in ``make soak``.

A test takes the fixture ``soak``, asks it how many rounds to make, and tells it what it counted.
``--soak=1`` makes the long form, ``--soak=0.1`` a tenth of it; the figures of all tests are printed
at the end and stand in soak.json.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

SUMMARY = "soak.json"
SEED = 20_260
PROPERTY = "soak"  # of a test's report, which also comes home from pytest-xdist's workers


class Soak:
    """How long a test is to be, what its random choices are, and what it counted."""

    def __init__(self, scale: float, seed: int) -> None:
        self.scale, self.seed = scale, seed
        self.figures: dict[str, Any] = {}

    @property
    def long(self) -> bool:
        """Whether this is the long form."""
        return self.scale > 0

    def rounds(self, short: int, long: int) -> int:
        """Choose between the numbers of rounds (rows, files, ...) of the two forms."""
        return max(short, round(self.scale * long)) if self.long else short

    def random(self, *names: object) -> Random:
        """Return a generator that the seed and the names alone determine."""
        return Random(":".join(map(str, (self.seed, *names))))

    def tell(self, **figures: int | float | str) -> None:
        """Keep figures for the summary; a number told again is added to what stands there."""
        for name, value in figures.items():
            before = self.figures.get(name)
            is_sum = isinstance(before, int | float) and isinstance(value, int | float)
            self.figures[name] = before + value if is_sum else value


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("soak", "long tests")
    group.addoption("--soak", type=float, default=0.0, metavar="SCALE", help="1: the long form")
    group.addoption("--soak-seed", type=int, default=SEED, metavar="N", help="of random choices")


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> Iterator[Soak]:
    given = Soak(request.config.getoption("--soak"), request.config.getoption("--soak-seed"))
    started = time.monotonic()
    yield given
    if given.long:  # a test's time is told of the long form alone
        given.tell(seconds=round(time.monotonic() - started))
    request.node.user_properties.append((PROPERTY, given.figures))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    scale = config.getoption("--soak")
    if not scale:
        return
    tests = {}
    for report in (r for group in terminalreporter.stats.values() for r in group):
        properties = dict(getattr(report, "user_properties", ()))
        if PROPERTY in properties and report.when == "teardown":
            tests[report.nodeid] = properties[PROPERTY]
    failed = [r.nodeid for key in ("failed", "error") for r in terminalreporter.stats.get(key, ())]
    terminalreporter.section(f"soak, scale {scale:g}, seed {config.getoption('--soak-seed')}")
    for name, figures in tests.items():
        told = ", ".join(f"{key} {value}" for key, value in figures.items())
        terminalreporter.write_line(f"{'FAILED' if name in failed else 'ok':6} {name}: {told}")
    summary = {
        "scale": scale,
        "seed": config.getoption("--soak-seed"),
        "failed": failed,
        "tests": tests,
    }
    path = Path(config.rootpath) / SUMMARY
    path.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    terminalreporter.write_line(f"written to {SUMMARY}")
