"""The cells of one map over cells: those that are kept already, and a place for what finishes."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from pipeline.runtime import dag
from pipeline.runtime.fingerprint import FingerprintError
from pipeline.runtime.kept import store as stores
from pipeline.runtime.kept.content import ContentError
from pipeline.runtime.kept.encoding import EncodingError, decode
from pipeline.runtime.kept.identity import Identity


class Finished:
    """Takes and keeps results of one function.

    Only a function of this package is kept: another's code is not in the checkout to be told.
    """

    def __init__(self, function: Any, cells: Sequence[Any], device: str):
        """Tell the cells' keys; StoreError if the environment's word on the store is none.

        ``device`` is what the cells are computed on, in words.
        """
        self._store = stores.configured() if _of_package(function) else None
        self._keys: list[str] = []
        self._identity = Identity(device)
        if self._store is not None:
            self._tell(function, cells)

    def _tell(self, function: Any, cells: Sequence[Any]) -> None:
        try:
            self._keys = self._identity.keys(function, cells)
            self._code = self._identity.code()
        except (ContentError, FingerprintError) as error:
            sys.stderr.write(
                f"warning: cells of {_name(function)} are computed and not kept: {error}\n"
            )
            self._store, self._keys = None, []

    def take(self) -> dict[int, Any]:
        """Return the results that are kept, by the cells' places."""
        found = {}
        for place, key in enumerate(self._keys):
            assert self._store is not None
            content = self._store.get(key)
            if content is not None:
                try:
                    found[place] = decode(content)
                except EncodingError:  # sound bytes of another layout: made by other code
                    self._store.drop(key)
        return found

    def keep(self, place: int, content: bytes) -> None:
        """Keep a cell's result, unless its code has been edited since its key was told."""
        if self._store is None or self._edited():
            return
        try:
            self._store.put(self._keys[place], content)
        except OSError as error:
            stores.warn(error, self._store)
            self._store = None  # once is enough

    def close(self) -> None:
        """Remove what is over the store's limit."""
        if self._store is not None:
            self._store.shrink()

    def _edited(self) -> bool:
        # Workers import the code when they start: an edit before that makes another result.
        try:
            return self._identity.code() != self._code
        except FingerprintError:
            return True


def _name(function: Any) -> str:
    inner = function.func if isinstance(function, partial) else function
    return str(getattr(inner, "__qualname__", inner))


def _of_package(function: Any) -> bool:
    inner = function.func if isinstance(function, partial) else function
    return str(getattr(inner, "__module__", "")).partition(".")[0] == dag.PACKAGE
