"""params.yaml explains itself: each value has a comment with its unit and range."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from ruamel.yaml import YAML

from pipeline import config
from pipeline.__main__ import ROOT, stage_module
from pipeline.config import Section
from pipeline.runtime import dag

STAGES = [stage_module(name).Params for name in dag.stage_names(ROOT)]
SECTIONS = {name: kind for stage in STAGES for name, kind in stage.sections().items()}
TEXT = (ROOT / config.FILE).read_text(encoding="utf-8")


def fields_with_lines(node: Any, kind: Any) -> Iterator[tuple[str, str, int]]:
    """(key, what it takes, line) of every field in the file that holds values, not sections."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if isinstance(bare, type) and issubclass(bare, Section):
        for key in list(node.keys()):
            if key not in node.lc.data:  # merged from an anchor, where it has its comment
                continue
            field = bare.model_fields[key]
            inner = field.annotation
            if hasattr(node[key], "lc") and list(sections_in(inner)):
                yield from fields_with_lines(node[key], inner)
            else:
                yield key, repr((inner, field.metadata)), node.lc.key(key)[0]
    elif get_origin(bare) is Mapping:
        for key in node:
            yield from fields_with_lines(node[key], get_args(bare)[1])


def sections_in(kind: Any) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, Section):
        yield kind
    for part in get_args(kind):
        yield from sections_in(part)


def test_every_value_has_a_comment_where_its_kind_first_appears() -> None:
    # The same key with the same type and bounds (the fields of a training, say) is explained once.
    content, lines = YAML().load(TEXT), TEXT.splitlines()
    found = []
    for name, kind in SECTIONS.items():
        lab, part = name.split(".")
        found += [
            (line, key, takes) for key, takes, line in fields_with_lines(content[lab][part], kind)
        ]
    explained: set[tuple[str, str]] = set()
    bare = []
    for line, key, takes in sorted(found):
        if re.search(r"\s#\s*\S", lines[line]):
            explained.add((key, takes))
        elif (key, takes) not in explained:
            bare.append(f"line {line + 1}: {lines[line].strip()}")
    assert len(explained) > 20
    assert bare == []
