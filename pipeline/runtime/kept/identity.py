"""What a cell's result depends on, as one key: its content, the code that computes it, the machine.

The code is that of the function and of every class in the cell, with all that these import, told as
a stage's code is told: comments and layout do not count, pinned packages and Python do. The last
bits of a result depend on the kind of processor, too.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pipeline
from pipeline.runtime import dag, fingerprint
from pipeline.runtime.compute import processor
from pipeline.runtime.kept.content import Digest

ROOT = Path(pipeline.__file__).resolve().parent.parent
# What every worker passes through before it computes: how many threads, which algorithms.
AROUND = ("pipeline.runtime.compute.numerics",)


class Identity:
    """Makes keys of the cells of one function; a fresh one for every map over cells."""

    def __init__(self, device: str, root: Path = ROOT):
        """``device`` is what the cells are computed on, in words."""
        self._digest, self._device, self._root = Digest(), device, root

    def keys(self, function: Any, cells: Sequence[Any]) -> list[str]:
        """Return the cells' keys; ContentError, FingerprintError if they cannot be told."""
        contents = [self._digest.of((function, cell)) for cell in cells]
        surroundings = (self.code(), processor.kind(), self._device)
        return [
            hashlib.sha256("\n".join((content, *surroundings)).encode()).hexdigest()
            for content in contents
        ]

    def code(self) -> str:
        """Return the hash of the code of all that was met so far, as the files now say."""
        modules = {name for name in self._digest.modules if name.partition(".")[0] == dag.PACKAGE}
        return fingerprint.of_modules(sorted({*modules, *AROUND}), self._root).code
