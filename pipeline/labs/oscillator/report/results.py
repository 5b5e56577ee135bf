"""What the lab's measuring stages write of their numbers, and what reads it."""

from dataclasses import dataclass

from pydantic import RootModel

# {experiment: {model: {quantity: value, quantity_low, quantity_high, n}}}
Results = dict[str, dict[str, dict[str, int | float]]]


class ResultsFile(RootModel[Results]):
    """The file results.json of a measuring stage of the lab."""


@dataclass(frozen=True)
class QuantityRow:
    """One row of a table of results: a quantity of one model, its median over n seeds, interval."""

    experiment: str
    condition: str
    quantity: str
    median: float
    low: float
    high: float
    n: int


def greatest_n(results: Results, experiment: str) -> int:
    """Return over how many seeds the models of an experiment were measured, at most."""
    return int(max(quantities["n"] for quantities in results[experiment].values()))
