"""``dvc exp run -S KEY=VALUE`` sets a key of params.yaml where it stands, and nothing else.

DVC writes the whole file anew. It is kept in the form that DVC writes, so one value is one line.
"""

import difflib
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
    # Rounded: 0.07600000000000001 is longer than a user would write, and than a line has room for.
    return value + 7 if isinstance(value, int) else round(value * 0.75 + 0.001, 12)


def dotted(place: Place) -> str:
    return ".".join(str(part) for part in place)


def typed(content: Any) -> list[tuple[Place, type, Any]]:
    return [(place, type(value), value) for place, value in leaves(content)]


def put(content: Any, place: Place, value: Any) -> None:
    for part in place[:-1]:
        content = content[part]
    content[place[-1]] = value


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file as DVC writes it, so that one list in another form is one failure."""
    copy = Path(shutil.copy(FILE, tmp_path_factory.mktemp("written")))
    apply_overrides(copy, [])
    return copy


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(written, tmp_path))


def test_the_drawn_numbers_stand_everywhere() -> None:
    labs = {place[0] for place, _ in DRAWN}
    assert labs >= {"presets", "oscillator", "memory", "conjunction", "energy"}
    assert any(isinstance(place[-1], int) for place, _ in DRAWN), "an item of a list"


@pytest.mark.parametrize("drawn", [DRAWN, DRAWN[:1]], ids=["a hundred", "one"])
def test_what_is_set_is_set_exactly_and_nothing_else(
    written: Path, copy: Path, drawn: list[tuple[Place, float]]
) -> None:
    # All at once, for the file's round trip takes seconds: every value is compared.
    apply_overrides(copy, [f"{dotted(place)}={other(value)!r}" for place, value in drawn])
    expected = loaded(FILE)
    for place, value in drawn:
        put(expected, place, other(value))
    assert typed(loaded(copy)) == typed(expected)
    removed, added = difference(written, copy)
    assert len(removed) == len(added) <= len(drawn)


def difference(written: Path, copy: Path) -> tuple[list[str], list[str]]:
    """Return the lines of a file that its changed copy lacks, and those that it has instead."""
    old, new = (path.read_text(encoding="utf-8").splitlines() for path in (written, copy))
    if len(old) == len(new):  # long lists of seeds have many shortest differences
        pairs = [pair for pair in zip(old, new, strict=True) if len(set(pair)) > 1]
        return [before for before, _ in pairs], [after for _, after in pairs]
    lines = list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]
    removed, added = ([line[1:] for line in lines if line[0] == sign] for sign in "-+")
    return removed, added


def test_the_file_is_in_the_form_that_dvc_writes(written: Path) -> None:
    # The same call on params.yaml itself brings it into this form. It drops comments and empty
    # lines that follow a list: a list cannot be the last thing in a section.
    command = "dvc.utils.hydra.apply_overrides('params.yaml', [])"
    assert difference(FILE, written) == ([], []), f"call {command}"


def test_what_is_in_braces_stays_one_line_when_it_grows() -> None:
    wide = [
        line
        for line in FILE.read_text(encoding="utf-8").splitlines()
        if "{" in line and not line.startswith("#") and len(line[: line.rindex("}") + 1]) > 75
    ]
    assert wide == [], "DVC breaks these at 80 columns: write a line for each key"


def first(kind: type, inside: type = dict) -> Place:
    """Return the place of the first value of a kind in a mapping or a list."""
    key = int if inside is list else str
    return next(p for p, v in leaves(CONTENT) if type(v) is kind and isinstance(p[-1], key))


@pytest.mark.parametrize(
    ("place", "text", "value"),
    [
        (first(int), "12345", 12345),
        (first(float), "null", None),
        (first(float, list), "1.5e-7", 1.5e-7),
        (first(bool), "true", True),
        (first(str), "'a: b # c'", "a: b # c"),
        (first(type(None)), "0.25", 0.25),
    ],
    ids=str,
)
def test_one_value_is_one_line_and_its_comment_stays(
    written: Path, copy: Path, place: Place, text: str, value: Any
) -> None:
    unchanged = loaded(FILE)
    apply_overrides(copy, [f"{dotted(place)}={text}"])
    put(unchanged, place, value)
    assert typed(loaded(copy)) == typed(unchanged)
    removed, added = difference(written, copy)
    assert len(removed) == len(added) <= 1
    for before, after in zip(removed, added, strict=True):
        assert before.partition(" #")[2] in after


def test_a_longer_list_is_one_more_line(written: Path, copy: Path) -> None:
    place = first(float, list)[:-1]
    items = loaded(FILE)
    for part in place:
        items = items[part]
    apply_overrides(copy, [f"{dotted(place)}={[*items, 0.125]!r}"])
    removed, added = difference(written, copy)
    assert (removed, [line.strip() for line in added]) == ([], ["- 0.125"])


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
    written: Path, copy: Path, place: Place
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
    removed, added = difference(written, copy)
    assert len(removed) <= len(added) <= len(place)  # a line, and one for each mapping on the way


def test_no_anchor_alias_or_merge_is_left() -> None:
    config.read(FILE)  # which refuses them, as its own test shows
    assert not re.search(r"(?m)^[^#\n]*[:\-\[,{] [&*]\w|<<:", FILE.read_text(encoding="utf-8"))
