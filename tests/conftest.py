"""Tests compute as stages do: one numeric thread, deterministic algorithms."""

import hypothesis
import pytest

from pipeline.runtime.compute import numerics

pytest_plugins = ["soak.frame"]
numerics.use_one_thread()
# An example's time is the machine's affair: the first one pays for imports, all for what else runs.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the whole DAG: it is as long as half of the rest, which runs beside it."""
    items.sort(key=lambda item: item.get_closest_marker("pipeline") is None)
