"""params.yaml explains itself: each value has a comment with its unit and range."""

import re
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from pipeline import config, presets
from pipeline.__main__ import ROOT
from pipeline.config import Section
from pipeline.runtime import dag

STAGES = [dag.stage_module(name).Params for name in dag.stage_names(ROOT)]
SECTIONS = {name: kind for stage in STAGES for name, kind in stage.sections().items()}
TEXT = (ROOT / config.FILE).read_text(encoding="utf-8")
CONTENT = YAML().load(TEXT)
Line = tuple[int, str, str]


def values(node: Any, kind: Any) -> Iterator[Line]:
    """(line, key, what it takes) of every field in the file that holds values, not sections."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(bare) in (Union, types.UnionType):
        for option in set(get_args(bare)) - {types.NoneType}:
            yield from values(node, option)
    elif isinstance(node, list):
        for item in node:
            yield from values(item, get_args(bare)[0])
    elif isinstance(node, CommentedMap) and get_origin(bare) is Mapping:
        for key in node:
            if key != presets.KEY:
                yield from values(node[key], get_args(bare)[1])
    elif isinstance(node, CommentedMap):
        if presets.KEY in node:
            yield from values(CONTENT[presets.SECTION][node[presets.KEY]], bare)
        for key in node:
            if key not in bare.model_fields:  # a preset, or a key of another class of a union
                continue
            field = bare.model_fields[key]
            if list(sections_in(field.annotation)) and isinstance(node[key], (dict, list)):
                yield from values(node[key], field.annotation)
            else:
                yield node.lc.key(key)[0], key, repr((field.annotation, field.metadata))


def sections_in(kind: Any) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, Section):
        yield kind
    for part in get_args(kind):
        yield from sections_in(part)


def every_value() -> list[Line]:
    found: set[Line] = set()
    for name, kind in SECTIONS.items():
        lab, part = name.split(".")
        found |= set(values(CONTENT[lab][part], kind))
    return sorted(found)


def test_every_value_has_a_comment_where_its_kind_first_appears() -> None:
    # The same key with the same type and bounds (the fields of a training, say) is explained once,
    # in its section or in the preset that gives it.
    lines = TEXT.splitlines()
    explained: set[tuple[str, str]] = set()
    bare = []
    for line, key, takes in every_value():
        if re.search(r"\s#\s*\S", lines[line]):
            explained.add((key, takes))
        elif (key, takes) not in explained:
            bare.append(f"line {line + 1}: {lines[line].strip()}")
    assert len(explained) > 200
    assert bare == []


def test_the_values_that_are_looked_at_are_nearly_all_lines_of_the_file() -> None:
    # Against the test above passing because it looks at little; what it leaves are lines of names
    # that are the user's own.
    looked_at = {line for line, _, _ in every_value()}
    lines = TEXT.splitlines()
    holding = {k for k, line in enumerate(lines) if re.match(r"\s+(?!preset)\w+: *[^\s#{]", line)}
    assert len(holding) > 300
    assert len(holding & looked_at) > 0.95 * len(holding)
