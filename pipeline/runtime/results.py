"""What a stage measured: everything in results.json, the few numbers to compare in metrics.json.

Results are keyed by experiment, model or condition, and quantity. A stage's ``HEADLINE`` names the
numbers that DVC's tables and MLflow's columns show, by their dotted place; ``*`` stands for any
name, so that a model of the user's own is shown beside the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

Results = Mapping[str, Any]


def flat(results: Results, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every number with its dotted place, ``O7.small_polished.r50``."""
    for key, value in results.items():
        place = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from flat(value, f"{place}.")
        else:
            yield place, value


def headline(results: Results, patterns: Sequence[str]) -> dict[str, Any]:
    """Return the numbers whose places match, in the patterns' order.

    A pattern that matches nothing is no fault: a model may not be among today's params.
    """
    numbers = [(place, value) for place, value in flat(results) if value is not None]
    return {
        place: value
        for pattern in patterns
        for place, value in numbers
        if fnmatchcase(place, pattern)
    }
