"""Sweeps to the end of training: every cell again with a quarter of its steps, to see what is left.

The quarter begins anew with a schedule of its own: what a training holds on its way down one long
schedule is not what a shorter training would reach.
"""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.labs.memory.train.cells import Cell
from pipeline.labs.memory.train.engines import FullBatchConfig

QUARTER = "_quarter"  # of an experiment's name


def with_quarters(experiment: str, cells: Sequence[Cell]) -> dict[str, list[Cell]]:
    """Return the cells by experiment, and those of a quarter of the steps by another."""
    return {experiment: list(cells), experiment + QUARTER: [_quartered(cell) for cell in cells]}


def _quartered(cell: Cell) -> Cell:
    engine = cell.engine
    if not isinstance(engine, FullBatchConfig):
        raise ValueError(f"{cell.name}: an engine with steps of its own is needed to cut them")
    return replace(cell, engine=engine.model_copy(update={"steps": -(-engine.steps // 4)}))
