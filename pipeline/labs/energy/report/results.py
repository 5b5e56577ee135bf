"""The form of every measuring stage's ``results.json``."""

from pydantic import RootModel

from pipeline.core.stats.intervals import Summary


class Results(RootModel[dict[str, dict[str, Summary]]]):
    """``results.json``: by experiment and condition, each quantity with its interval and n."""
