"""config: strict typed sections, and one line for every fault."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from faults import as_yaml, fault
from pydantic import Field

from pipeline import config
from pipeline.config import ConfigError, Interval, Section, Seeds, StageParams


class Inner(Section):
    depth: Annotated[int, Field(ge=1, le=8)]
    rate: Annotated[float, Field(gt=0, lt=1)]


class Part(Section):
    size: Annotated[int, Field(ge=1)]
    dt: Annotated[float, Field(gt=0)]
    on: bool
    name: str
    kind: Literal["softmax", "linear"]
    limit: Annotated[float, Field(gt=0)] | None
    interval: Interval
    seeds: Seeds
    inner: Inner
    maybe: Inner | None
    by_name: Mapping[str, Inner]
    listed: tuple[Inner, ...]


class PartParams(StageParams):
    part: Part = Field(alias="lab.part")


GOOD: dict[str, Any] = {
    "size": 2,
    "dt": 0.1,
    "on": True,
    "name": "a",
    "kind": "linear",
    "limit": None,
    "interval": [0.0, 1.0],
    "seeds": [0, 1],
    "inner": {"depth": 1, "rate": 0.5},
    "maybe": {"depth": 1, "rate": 0.5},
    "by_name": {"x": {"depth": 1, "rate": 0.5}},
    "listed": [{"depth": 1, "rate": 0.5}],
}


def fault_of(folder: Path, **changes: Any) -> str:
    return fault(folder, as_yaml({"lab": {"part": GOOD | changes}}), [PartParams])


def test_a_good_file_becomes_frozen_typed_objects(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(as_yaml({"lab": {"part": GOOD}}))
    part = config.load(path, PartParams).part
    assert (part.size, part.limit, part.seeds) == (2, None, (0, 1))
    assert isinstance(part.by_name["x"], Inner)
    with pytest.raises(ValueError, match="frozen"):
        part.size = 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 0}, "lab.part.size must be >= 1, got 0"),
        ({"dt": -0.1}, "lab.part.dt must be > 0, got -0.1"),
        ({"size": 1.5}, "lab.part.size must be an integer, got 1.5"),
        ({"size": 2.0}, "lab.part.size must be an integer, got 2.0"),
        ({"size": "2"}, "lab.part.size must be an integer, got '2'"),
        ({"size": True}, "lab.part.size must be an integer, got True"),
        ({"size": math.nan}, "lab.part.size must be an integer, got nan"),
        ({"dt": math.nan}, "lab.part.dt must be finite, got nan"),
        ({"dt": math.inf}, "lab.part.dt must be finite, got inf"),
        ({"dt": -math.inf}, "lab.part.dt must be finite, got -inf"),
        ({"dt": None}, "lab.part.dt must be a number, got None"),
        ({"dt": "0.1"}, "lab.part.dt must be a number, got '0.1'"),
        ({"on": 1}, "lab.part.on must be true or false, got 1"),
        ({"on": "yes"}, "lab.part.on must be true or false, got 'yes'"),
        ({"name": 3}, "lab.part.name must be text, got 3"),
        ({"kind": "relu"}, "lab.part.kind must be 'softmax' or 'linear', got 'relu'"),
        ({"limit": 0}, "lab.part.limit must be > 0, got 0"),
        ({"seeds": 3}, "lab.part.seeds must be a list, got 3"),
        ({"seeds": [0, -1]}, "lab.part.seeds.1 must be >= 0, got -1"),
        ({"seeds": [1, 1]}, "lab.part.seeds: must be distinct, got [1, 1]"),
        ({"inner": 3}, "lab.part.inner must be a mapping of keys, got 3"),
        ({"inner": {"depth": 9, "rate": 0.5}}, "lab.part.inner.depth must be <= 8, got 9"),
        ({"inner": {"depth": 1, "rate": 1}}, "lab.part.inner.rate must be < 1, got 1"),
        ({"inner": {"rate": 0.5}}, "lab.part.inner.depth is missing"),
        ({"by_name": [1]}, "lab.part.by_name must be a mapping, got [1]"),
        ({"by_name": {"x": {"depth": 1}}}, "lab.part.by_name.x.rate is missing"),
        (
            {"interval": [1.0, 1.0]},
            "lab.part.interval: must be an interval [low, high] with low < high, got [1.0, 1.0]",
        ),
        (
            {"interval": [2.0, 1.0]},
            "lab.part.interval: must be an interval [low, high] with low < high, got [2.0, 1.0]",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_expectation(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    assert fault_of(tmp_path, **changes) == message


@pytest.mark.parametrize("key", ["seeds", "interval"])
def test_an_empty_list_is_named(tmp_path: Path, key: str) -> None:
    assert fault_of(tmp_path, **{key: []}).startswith(f"lab.part.{key}")


@pytest.mark.parametrize("key", list(GOOD))
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    content = {name: value for name, value in GOOD.items() if name != key}
    assert (
        fault(tmp_path, as_yaml({"lab": {"part": content}}), [PartParams])
        == f"lab.part.{key} is missing"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sise": 1}, "lab.part.sise is not a known key; did you mean size?"),
        (
            {"inner": GOOD["inner"] | {"zzz": 1}},
            "lab.part.inner.zzz is not a known key (known: depth, rate)",
        ),
        (
            {"maybe": GOOD["maybe"] | {"rates": 1}},
            "lab.part.maybe.rates is not a known key; did you mean rate?",
        ),
        (
            {"by_name": {"x": GOOD["inner"] | {"rates": 1}}},
            "lab.part.by_name.x.rates is not a known key; did you mean rate?",
        ),
        (
            {"listed": [GOOD["inner"] | {"rates": 1}]},
            "lab.part.listed.0.rates is not a known key; did you mean rate?",
        ),
        ({"a\nb": 1, "size": 1}, "lab.part.a b is not a known key (known: "),
    ],
)
def test_an_unknown_key_is_named_with_the_keys_of_its_own_place(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    assert fault_of(tmp_path, **changes).startswith(message)


def test_an_unknown_section_is_named_with_the_nearest_known_one(tmp_path: Path) -> None:
    text = as_yaml({"lab": {"part": GOOD, "pard": {}}})
    assert (
        fault(tmp_path, text, [PartParams])
        == "lab.pard is not a known section; did you mean lab.part?"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a mapping of labs, got None"),
        ("# only a comment\n", "expected a mapping of labs, got None"),
        ("text", "expected a mapping of labs, got 'text'"),
        ("[1, 2]", "expected a mapping of labs, got [1, 2]"),
        ("lab: 3", "lab must be a mapping of sections, got 3"),
        ("lab:", "lab must be a mapping of sections, got None"),
        ("lab: {}", "lab.part is missing: expected a section with its keys"),
        ("lab: {part: }", "lab.part must be a mapping of keys, got None"),
        ("lab: {part: [1]}", "lab.part must be a mapping of keys, got [1]"),
        ("lab: [", "is not valid YAML: "),
        ("lab:\n\tpart: 1", "is not valid YAML: "),
        ("\0", "is not valid YAML: "),
        ("a: 1\n---\nb: 2", "is not valid YAML: "),
        ("lab: *nowhere", "is not valid YAML: "),
        ("lab: {part: !!python/object:os.system {}}", "is not valid YAML: "),
        ("lab: {part: {dt: 2020-13-45}}", "is not valid YAML: month must be in 1..12"),
        (f"lab: {{part: {{size: {'9' * 5000}}}}}", "is not valid YAML: "),
        ("[" * 500, "is not valid YAML: "),
        ("lab: {part: {size: 1}}\nlab: {part: {size: 2}}", 'is not valid YAML: .*duplicate key "l'),
        ("lab: {part: {size: 1, size: 2}}", 'is not valid YAML: .*duplicate key "size"'),
        ("1: {part: {size: 1}}", "the name of a lab must be text, got 1"),
        ("lab: {1: {size: 1}}", 'lab: the key 1 must be text: write "1"'),
        ("lab: {part: {16: 1}}", 'lab.part: the key 16 must be text: write "16"'),
        (
            "lab: {part: {2020-01-01: 1}}",
            "lab.part: the key datetime.date(2020, 1, 1) must",
        ),
        (
            "lab: {part: &a {size: 1}}",
            "is not valid YAML: anchors, aliases and merges are not used",
        ),
        ("lab: {part: {<<: {size: 1}}}", "is not valid YAML: anchors, aliases and merges are not"),
        ("lab: {part: &itself {size: *itself}}", "is not valid YAML: anchors, aliases and merges"),
    ],
)
def test_a_file_that_is_no_mapping_of_sections_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    assert re.match(re.escape(message).replace(r"\.\*", ".*"), fault(tmp_path, text, [PartParams]))


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^params\.yaml: cannot be read: "):
        config.read(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match=r"^params\.yaml: cannot be read: "):
        config.read(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", "1E-3", "0.001", ".001"])
def test_every_notation_of_a_number_is_a_number(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    written = as_yaml({"lab": {"part": GOOD | {"dt": "DT"}}}).replace('"DT"', text)
    path.write_text(written)
    assert config.load(path, PartParams).part.dt == 0.001


def test_a_file_s_content_is_its_sections_by_dotted_name_without_presets(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("presets: {p: {a: 1}}\nlab: {x: {preset: p}, y: {b: 2}}\nother: {z: {}}\n")
    content = config.read(path)
    assert list(content) == ["lab.x", "lab.y", "other.z"]
    assert (content["lab.x"], content["lab.y"]) == ({"a": 1}, {"b": 2})
    with pytest.raises(KeyError):
        content["lab.z"]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            {"inner": {"preset": "p"}},
            "inner.depth must be <= 8, got 9 (it stands at presets.q.depth)",
        ),
        ({"inner": {"preset": "p", "depth": 0}}, "inner.depth must be >= 1, got 0"),
        (
            {"by_name": {"x": {"preset": "p"}}},
            "by_name.x.depth must be <= 8, got 9 (it stands at presets.q.depth)",
        ),
        (
            {"inner": {"preset": "p", "depth": 1, "deep": 1}},
            "inner.deep is not a known key; did you mean depth?",
        ),
    ],
)
def test_a_refused_value_of_a_preset_is_named_with_the_place_where_it_stands(
    tmp_path: Path, part: dict[str, Any], message: str
) -> None:
    presets = {"p": {"preset": "q", "rate": 0.5}, "q": {"depth": 9, "rate": 0.1}}
    text = as_yaml({"presets": presets, "lab": {"part": GOOD | part}})
    assert fault(tmp_path, text, [PartParams]) == f"lab.part.{message}"
