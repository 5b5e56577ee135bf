"""Draw the conjunction lab's figures from its measurements."""

from pathlib import Path

from pipeline.config import StageParams


class Params(StageParams):
    """x."""


def run(params: Params, inputs: Path, out: Path) -> None:
    """x."""
