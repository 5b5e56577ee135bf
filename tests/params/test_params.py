"""params.yaml itself: it passes, and no mutation of it passes that should not."""

import json
import math
import types
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt
from faults import fault, refusal, write
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipeline import config
from pipeline.__main__ import ROOT
from pipeline.config import Section
from pipeline.runtime import dag

STAGES = [dag.stage_module(name).Params for name in dag.stage_names(ROOT)]
SECTIONS = {name: kind for stage in STAGES for name, kind in stage.sections().items()}
TEXT = (ROOT / config.FILE).read_text(encoding="utf-8")
# Presets laid out, each in an object of its own, to be changed alone.
REAL: dict[str, Any] = json.loads(json.dumps(config.read(ROOT / config.FILE).resolved.sections))
Place = tuple[str | int, ...]


def test_the_real_file_passes() -> None:
    config.check(ROOT / config.FILE, STAGES)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (
            ("oscillator", "fixed_data", "gammas"),
            [0.0, 2.0],
            "oscillator.fixed_data: gammas must be < omega0 = 2 (under-damped), got 2",
        ),
        (
            ("oscillator", "variable_data", "gamma"),
            [0.0, 1.0],
            "oscillator.variable_data: gamma must be < omega0 = 1 (under-damped), got 1",
        ),
        (
            ("oscillator", "variable_data", "initial_train"),
            [1.0, 1.0],
            "oscillator.variable_data.initial_train: must be an interval [low, high] with "
            "low < high, got [1.0, 1.0]",
        ),
        (
            ("oscillator", "variable_data", "omega0"),
            [4.0, 1.0],
            "oscillator.variable_data.omega0: must be a range [low, high] with low <= high, "
            "got [4.0, 1.0]",
        ),
        (
            ("oscillator", "measure", "rollout_steps"),
            [50, 201],
            "oscillator.measure.rollout_steps must be <= oscillator.aged_data.test_steps = 200, "
            "got 201",
        ),
        (
            ("oscillator", "train_fixed", "training", "optimizer", "name"),
            "LBFGS",
            "oscillator.train_fixed.training.optimizer.name: must be an element-wise optimiser",
        ),
    ],
)
def test_values_that_do_not_fit_each_other_are_refused(
    tmp_path: Path, place: Place, value: Any, message: str
) -> None:
    content = {
        "fixed_data": {"omega0": 2.0},
        "variable_data": {"omega0": [1.0, 4.0], "test_steps": 200},
        "aged_data": {"test_steps": 200},
    }
    known = deepcopy(REAL)
    for name, keys in content.items():  # so that the file may hold other numbers
        known["oscillator"][name] |= keys
    put(known, place, value)
    assert fault(tmp_path, known, STAGES).startswith(message)


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every number, text, ... of nested mappings and lists."""
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*place, key))
    else:
        yield place, value


def keys(value: Any, place: Place = ()) -> Iterator[Place]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*place, key)
            yield from keys(inner, (*place, key))


def at(content: Any, place: Place) -> Any:
    for part in place:
        content = content[part]
    return content


def put(content: Any, place: Place, value: Any) -> None:
    at(content, place[:-1])[place[-1]] = value


def annotation_at(place: Place) -> Any:
    """The type, with its bounds, of what stands at (lab, part, key, ...)."""
    kind: Any = SECTIONS[f"{place[0]}.{place[1]}"]
    for depth, part in enumerate(place[2:], 2):
        union = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        if get_origin(union) in (Union, types.UnionType):  # a section or null, or one of several
            sections = [option for option in get_args(union) if hasattr(option, "model_fields")]
            keys_there = at(REAL, place[:depth])
            kind = next((s for s in sections if set(s.model_fields) == set(keys_there)), kind)
        if isinstance(kind, type) and issubclass(kind, Section):
            field = kind.model_fields[str(part)]
            kind = (
                Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            )
            continue
        bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        if get_origin(bare) in (Union, types.UnionType):  # only a tuple has parts
            bare = next(option for option in get_args(bare) if get_origin(option) is tuple)
        inside = get_args(bare)
        if get_origin(bare) is tuple and inside[-1] is not Ellipsis:
            kind = inside[int(part)]
        else:
            kind = inside[0] if get_origin(bare) is tuple else inside[1]
    return kind


def fits(kind: Any, value: Any) -> bool:
    """Whether a value has a type, bounds included: the test's own reading of the annotations."""
    if get_origin(kind) is Annotated:
        bare, *bounds = get_args(kind)
        return fits(bare, value) and all(within(bound, value) for bound in bounds)
    if get_origin(kind) in (Union, types.UnionType):
        return any(fits(option, value) for option in get_args(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if kind is float:
        return type(value) in (int, float) and math.isfinite(value)
    if kind in (int, bool, str, types.NoneType):
        return type(value) is kind
    return False  # a list or a mapping, which no leaf below is replaced by


def within(bound: Any, value: Any) -> bool:
    if isinstance(bound, Gt):
        return value > bound.gt
    if isinstance(bound, Ge):
        return value >= bound.ge
    if isinstance(bound, Lt):
        return value < bound.lt
    if isinstance(bound, Le):
        return value <= bound.le
    return True  # a validator: what it says is tested on its own


def edges(kind: Any) -> list[Any]:
    """Values at and beyond the bounds of a type."""
    found: list[Any] = []
    for part in get_args(kind):
        for name in ("gt", "ge", "lt", "le"):
            if (bound := getattr(part, name, None)) is not None:
                found += [bound - 1, bound, bound + 1]
        found += edges(part)
    return found


LEAVES = [place for place, _ in leaves(REAL)]
KEYS = list(keys(REAL))
WRONG = ["text", True, None, [1], {"a": 1}, math.nan, math.inf, -math.inf, -1, 0, 1.5, 1e300]
folder_reused = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the file is written anew
)


def dotted(place: Place) -> str:
    return ".".join(str(part) for part in place)


def named_freely(place: Place) -> bool:
    """Whether a key is the user's own name (of a model, a recipe, an option), not a field."""
    if len(place) < 3:
        return False
    above = annotation_at(place[:-1])
    bare = get_args(above)[0] if get_origin(above) is Annotated else above
    return get_origin(bare) is Mapping


@folder_reused
@given(data=st.data())
def test_any_value_of_a_wrong_type_or_out_of_range_is_named(tmp_path: Path, data: Any) -> None:
    place = data.draw(st.sampled_from(LEAVES))
    kind = annotation_at(place)
    value = data.draw(st.sampled_from(WRONG + edges(kind)))
    assume(not fits(kind, value))
    content = deepcopy(REAL)
    put(content, place, value)
    # An option is checked as a whole: a wrong half of a pair is named by the pair.
    named = place[: place.index("options") + 2] if "options" in place else place
    assert dotted(named) in fault(tmp_path, content, STAGES)


@folder_reused
@given(data=st.data())
def test_any_value_of_the_right_type_passes_or_is_refused_with_its_section(
    tmp_path: Path, data: Any
) -> None:
    place = data.draw(st.sampled_from(LEAVES))
    kind = annotation_at(place)
    numbers = st.integers(-3, 5000) | st.floats(-10, 1000)
    value = data.draw(numbers | st.sampled_from(["AdamW", "linear", False, True]))
    assume(fits(kind, value))
    content = deepcopy(REAL)
    put(content, place, value)
    message = refusal(content, STAGES)
    # Refused only where it breaks a rule between values, such as gamma < omega0.
    assert message is None or message.startswith(f"{place[0]}.")


@folder_reused
@given(place=st.sampled_from(KEYS))
def test_any_deleted_key_is_named(tmp_path: Path, place: Place) -> None:
    assume(not named_freely(place))
    content = deepcopy(REAL)
    del at(content, place[:-1])[place[-1]]
    assert dotted(place) in fault(tmp_path, content, STAGES)


@folder_reused
@given(place=st.sampled_from(KEYS), name=st.text(min_size=1, max_size=8))
def test_any_renamed_key_is_named(tmp_path: Path, place: Place, name: str) -> None:
    above = at(REAL, place[:-1])
    assume(not named_freely(place) and name not in above)
    content = deepcopy(REAL)
    holder = at(content, place[:-1])
    holder[name] = holder.pop(place[-1])
    message = fault(tmp_path, content, STAGES)
    assert dotted(place) in message or " ".join(dotted((*place[:-1], name)).splitlines()) in message


@settings(folder_reused, max_examples=20)  # the file's reader takes a second
@given(cut=st.integers(0, len(TEXT) - 1))
def test_a_truncated_file_passes_or_is_refused_in_one_line(tmp_path: Path, cut: int) -> None:
    # Where it passes, only a comment or the last number's last digits are gone.
    if refusal(write(tmp_path, TEXT[:cut]), STAGES) is None:
        assert config.read(tmp_path / config.FILE).resolved.sections.keys() == REAL.keys()
