"""``dvc exp run -S KEY=VALUE`` sets a key of params.yaml where it stands, and nothing else."""

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.exceptions import InvalidArgumentError
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from pipeline import config, presets
from pipeline.__main__ import ROOT

FILE = ROOT / config.FILE
Place = tuple[str | int, ...]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # hydra's own


def loaded(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*place, key))
    else:
        yield place, value


def mappings(value: Any, place: Place = ()) -> Iterator[tuple[Place, dict[Any, Any]]]:
    if isinstance(value, dict):
        yield place, value
        for key, inner in value.items():
            yield from mappings(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from mappings(inner, (*place, index))


CONTENT = loaded(FILE)
NUMBERS = [
    (place, value)
    for place, value in leaves(CONTENT)
    if isinstance(value, (int, float)) and not isinstance(value, bool)
]
DRAWN = random.Random(0).sample(NUMBERS, 100)


def other(value: float) -> float:
    return value + 7 if isinstance(value, int) else value * 0.75 + 0.001


def dotted(place: Place) -> str:
    return ".".join(str(part) for part in place)


def typed(content: Any) -> list[tuple[Place, type, Any]]:
    return [(place, type(value), value) for place, value in leaves(content)]


def put(content: Any, place: Place, value: Any) -> None:
    for part in place[:-1]:
        content = content[part]
    content[place[-1]] = value


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copy(FILE, tmp_path))


def test_the_drawn_numbers_stand_everywhere() -> None:
    labs = {place[0] for place, _ in DRAWN}
    assert labs >= {"presets", "oscillator", "memory", "conjunction", "energy"}
    assert any(isinstance(place[-1], int) for place, _ in DRAWN), "an item of a list"


@pytest.mark.parametrize("drawn", [DRAWN, DRAWN[:1]], ids=["a hundred", "one"])
def test_what_is_set_is_set_exactly_and_nothing_else(
    copy: Path, drawn: list[tuple[Place, float]]
) -> None:
    # All at once, for the file's round trip takes seconds: every value is compared.
    apply_overrides(copy, [f"{dotted(place)}={other(value)!r}" for place, value in drawn])
    expected = loaded(FILE)
    for place, value in drawn:
        put(expected, place, other(value))
    assert typed(loaded(copy)) == typed(expected)


def test_every_key_is_one_that_an_override_can_name() -> None:
    for place, mapping in mappings(CONTENT):
        for key in mapping:
            assert isinstance(key, str), f"{dotted((*place, key))} must be quoted"
            assert re.fullmatch(r"[A-Za-z_]\w*|\d+", key), dotted((*place, key))


def given_by_presets() -> list[tuple[Place, float]]:
    """Numbers of sections that stand in a preset, as (place, value)."""
    resolved = presets.resolve(CONTENT)
    return [
        (place, value)
        for place, value in leaves(resolved.sections)
        if isinstance(value, float) and resolved.origin(place) and
        all(isinstance(part, str) for part in place)
    ]  # fmt: skip


@pytest.mark.parametrize("place", [p for p, _ in random.Random(1).sample(given_by_presets(), 1)])
def test_a_key_that_a_preset_gives_is_refused_with_the_way_to_set_it_here_alone(
    copy: Path, place: Place
) -> None:
    before = copy.read_bytes()
    with pytest.raises(InvalidArgumentError) as refused:
        apply_overrides(copy, [f"{dotted(place)}=0.123"])
    assert copy.read_bytes() == before
    advice = f"+{dotted(place)}=0.123"
    assert advice in str(refused.value.__cause__)  # "To append to your config use +..."
    apply_overrides(copy, [advice])
    changed = presets.resolve(loaded(copy)).sections
    expected = presets.resolve(CONTENT).sections
    put(expected, place, 0.123)
    assert changed == expected


def test_no_anchor_alias_or_merge_is_left() -> None:
    config.read(FILE)  # which refuses them, as its own test shows
    assert not re.search(r"(?m)^[^#\n]*[:\-\[,{] [&*]\w|<<:", FILE.read_text(encoding="utf-8"))
