"""Tests compute as stages do: one numeric thread, deterministic algorithms."""

from pipeline import execution

execution.use_one_thread()
