"""Tests compute as stages do: one numeric thread, deterministic algorithms."""

import os

import hypothesis
import pytest

from pipeline.runtime.compute import numerics
from pipeline.runtime.kept import store

pytest_plugins = ["soak.frame"]
numerics.use_one_thread()
os.environ[store.FOLDER] = store.OFF  # what the user's own runs kept proves nothing here
# An example's time is the machine's affair: the first one pays for imports, all for what else runs.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the whole DAG: it is as long as half of the rest, which runs beside it."""
    items.sort(key=lambda item: item.get_closest_marker("pipeline") is None)
