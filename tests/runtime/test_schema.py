"""schema: what an editor is told of params.yaml is what config checks, and up to date."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline import config, presets
from pipeline.__main__ import ROOT
from pipeline.runtime import dag, schema

TEXT = (ROOT / config.FILE).read_text(encoding="utf-8")
CONTENT = YAML(typ="safe", pure=True).load(TEXT)
WRITTEN = (ROOT / schema.FILE).read_text(encoding="utf-8")
SCHEMA = json.loads(WRITTEN)
Rule = dict[str, Any]


def test_the_committed_schema_is_current() -> None:
    stages = [dag.stage_module(name).Params for name in dag.stage_names(ROOT)]
    # Compared as text: git shows every change of it.
    current = json.dumps(schema.schema(ROOT / config.FILE, stages), indent=1, sort_keys=True)
    assert f"{current}\n" == WRITTEN, "run `python -m pipeline schema`"


def test_the_file_s_first_line_names_it() -> None:
    assert TEXT.splitlines()[0] == f"# yaml-language-server: $schema={schema.FILE}"


def options(rule: Rule) -> Iterator[Rule]:
    """A rule without references and alternatives."""
    if "$ref" in rule:
        yield from options(SCHEMA["$defs"][rule["$ref"].removeprefix("#/$defs/")])
    elif "anyOf" in rule:
        for option in rule["anyOf"]:
            yield from options(option)
    else:
        yield rule


TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
TYPES |= {"number": (int, float), "null": type(None)}  # type: ignore[dict-item]


def faults(value: Any, rule: Rule, place: str = "") -> list[str]:
    """Why a value is not as a rule of the schema says: this test's own, small reading of it."""
    complaints = []
    for option in options(rule):
        if not (complaint := list(broken(value, option, place))):
            return []
        complaints = complaints or complaint
    return complaints


def broken(value: Any, rule: Rule, place: str) -> Iterator[str]:
    kind = TYPES[rule["type"]] if "type" in rule else object
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        yield f"{place}: {value!r} is no {rule['type']}"
        return
    if "enum" in rule and value not in rule["enum"]:
        yield f"{place}: {value!r} is not of {rule['enum']}"
    bounds = {
        "minimum": lambda b: value >= b, "exclusiveMinimum": lambda b: value > b,
        "maximum": lambda b: value <= b, "exclusiveMaximum": lambda b: value < b,
        "minItems": lambda b: len(value) >= b, "maxItems": lambda b: len(value) <= b,
    }  # fmt: skip
    yield from (
        f"{place}: {value!r} breaks {k}"
        for k, ok in bounds.items()
        if k in rule and not ok(rule[k])
    )
    if isinstance(value, list):
        rules = rule.get("prefixItems") or [rule.get("items", {})] * len(value)
        for k, (item, inner) in enumerate(zip(value, rules, strict=True)):
            yield from faults(item, inner, f"{place}.{k}")
    if isinstance(value, dict):
        others = rule.get("additionalProperties", True)
        for key, item in value.items():
            inner = rule.get("properties", {}).get(key, others)
            if inner is False:
                yield f"{place}.{key} is not known"
            elif isinstance(inner, dict):
                yield from faults(item, inner, f"{place}.{key}")


def test_params_yaml_is_as_the_schema_says() -> None:
    assert faults(CONTENT, SCHEMA) == []


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (("oscillator", "task", "dt"), -1, ".oscillator.task.dt: -1 breaks minimum"),
        (("oscillator", "task", "dt"), "x", ".oscillator.task.dt: 'x' is no number"),
        (("oscillator", "task", "td"), 1, ".oscillator.task.td is not known"),
        (("oscillator", "tusk"), {}, ".oscillator.tusk is not known"),
        (("lab",), {}, ".lab is not known"),
        (("oscillator", "train_time", "training", "preset"), "cosin", "preset: 'cosin' is not of"),
        (("presets", "cosine", "steps"), 0, ".presets.cosine.steps: 0 breaks minimum"),
        (("presets", "cosine", "step"), 1, ".presets.cosine.step is not known"),
    ],
)  # fmt: skip
def test_what_config_would_refuse_an_editor_underlines(
    place: tuple[str, ...], value: Any, fault: str
) -> None:
    content = json.loads(json.dumps(CONTENT))
    holder = content
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = value
    (complaint,) = faults(content, SCHEMA)
    assert fault in complaint


def properties() -> list[tuple[str, str, Rule]]:
    return [
        (name, key, rule)
        for name, definition in SCHEMA["$defs"].items()
        for key, rule in definition.get("properties", {}).items()
        if key != presets.KEY
    ]


def test_every_key_has_a_type() -> None:
    assert len(properties()) > 300
    for name, key, rule in properties():
        assert rule.keys() & {"type", "$ref", "anyOf", "enum", "const", "allOf"}, (name, key)


def test_nearly_every_key_is_explained_where_an_editor_shows_it() -> None:
    # A key that holds other keys is explained by its class.
    values = [(name, key, rule) for name, key, rule in properties() if "$ref" not in rule]
    bare = [(name, key) for name, key, rule in values if not rule.get("description")]
    assert len(bare) <= 0.05 * len(values), bare
    assert [name for name, rule in SCHEMA["$defs"].items() if not rule.get("description")] == []
