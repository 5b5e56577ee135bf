"""JSON as this project writes it: finite numbers, no key twice."""

import json
import math
from typing import Any

from pipeline.one_line import shown


def parse(text: str) -> Any:
    """Return what a text says; ValueError if it is no JSON, or none that is written here.

    Python's reader alone takes NaN and Infinity, turns 1e400 into infinity, and keeps the last of
    two values of one key.
    """
    try:
        return json.loads(
            text, parse_constant=_constant, parse_float=_float, object_pairs_hook=_mapping
        )
    except RecursionError:
        raise ValueError("too many lists and objects inside one another") from None


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{shown(text)} is beyond all numbers")
    return value


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {shown(twice)} stands twice")
    return content
