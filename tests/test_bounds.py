"""No number of params.yaml is free: each has a lower and an upper bound, at its class."""

import json
import types
from collections.abc import Iterator
from copy import deepcopy
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt
from params.test_params import REAL, put
from pydantic import ValidationError

from pipeline import bounds
from pipeline.__main__ import ROOT
from pipeline.config import Section
from pipeline.runtime import dag

STAGES = [dag.stage_module(name).Params for name in dag.stage_names(ROOT)]
CHECKED_BY_HAND = {"OptimizerConfig.options"}  # a number or a pair: known_option bounds both
HUGE = [1e13, 1e200, 10**13, 10**200, -1e200, -(10**200)]


def classes() -> set[type[Section]]:
    """Every class that a section of the file is built from."""
    reached: set[type[Section]] = set()
    waiting: list[Any] = [kind for stage in STAGES for kind in stage.sections().values()]
    while waiting:
        kind = waiting.pop()
        waiting += [part for part in get_args(kind) if part is not Ellipsis]
        if isinstance(kind, type) and issubclass(kind, Section) and kind not in reached:
            reached.add(kind)
            waiting += [field.annotation for field in kind.model_fields.values()]
    return reached


def plain(marks: tuple[Any, ...]) -> Iterator[Any]:
    """What stands behind a type; a Field keeps its bounds inside."""
    for mark in marks:
        yield from getattr(mark, "metadata", None) or [mark]


def numbers(kind: Any, marks: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The marks of every number in a type; of a list or a mapping those of what it holds."""
    if get_origin(kind) is Annotated:
        inner, *outer = get_args(kind)
        yield from numbers(inner, (*marks, *plain(tuple(outer))))
    elif kind in (int, float):
        yield marks
    else:
        kept = marks if get_origin(kind) in (Union, types.UnionType) else ()
        for part in get_args(kind):
            if part is not Ellipsis:
                yield from numbers(part, kept)


FIELDS = {
    f"{kind.__name__}.{name}": (field.annotation, tuple(field.metadata))
    for kind in classes()
    for name, field in kind.model_fields.items()
}
NUMERIC = sorted(name for name, taken in FIELDS.items() if list(numbers(*taken)))


def test_all_numeric_fields_are_looked_at() -> None:
    assert len(NUMERIC) > 180  # against a walk that finds little


@pytest.mark.parametrize("name", NUMERIC)
def test_a_number_has_a_lower_and_an_upper_bound(name: str) -> None:
    if name in CHECKED_BY_HAND:
        return
    for marks in numbers(*FIELDS[name]):
        lows = [m for m in marks if isinstance(m, (Ge, Gt))]
        highs = [m for m in marks if isinstance(m, (Le, Lt))]
        assert lows, f"{name} has no lower bound"
        assert highs, f"{name} has no upper bound"


def leaves(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, (dict, list)):
        for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves(inner, (*place, key))
    elif type(node) in (int, float):
        yield place


SECTIONS = {name: kind for stage in STAGES for name, kind in stage.sections().items()}


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_no_number_of_a_section_may_be_huge(name: str) -> None:
    lab, part = name.split(".")
    passed = []
    for place in leaves(REAL[lab][part]):
        for value in HUGE:
            content = deepcopy(REAL[lab][part])
            put(content, place, value)
            try:
                SECTIONS[name].model_validate_json(json.dumps(content))
            except ValidationError:
                continue
            passed.append((place, value))
    assert passed == []


@pytest.mark.parametrize(
    ("sizes", "refused"), [((2, 10**8), False), ((2, 10**8, 1), False), ((3, 10**8), True)]
)
def test_a_product_is_refused_beyond_the_largest_array(
    sizes: tuple[int, ...], refused: bool
) -> None:
    if not refused:
        bounds.refuse_large("rows * columns", *sizes)
        return
    with pytest.raises(ValueError, match=r"rows \* columns must be <= 2e\+08 numbers in memory"):
        bounds.refuse_large("rows * columns", *sizes)
