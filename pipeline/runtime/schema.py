"""A JSON Schema of params.yaml, so that an editor completes keys and explains them.

The classes give keys, types and bounds; the comments of params.yaml, where every value has its unit
and range, give the descriptions.
"""

import json
import re
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic.json_schema import models_json_schema
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from pipeline import config, presets
from pipeline.config import Section, StageParams
from pipeline.runtime.files import atomic

FILE = "docs/params.schema.json"
COMMENT = re.compile(r"\s#\s*(\S.*)$")
PRESET = {"type": "string", "description": "a mapping of presets; keys beside it change it"}


def write(root: Path, stages: Iterable[type[StageParams]]) -> None:
    """Write the schema of a checkout's params.yaml."""
    text = json.dumps(schema(root / config.FILE, stages), indent=1, sort_keys=True)
    with atomic(root / FILE) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def schema(params: Path, stages: Iterable[type[StageParams]]) -> dict[str, Any]:
    """Return the schema; ``params`` gives the comments and the names of the presets."""
    text = params.read_text(encoding="utf-8")
    content = YAML().load(text)
    sections = {name: kind for stage in stages for name, kind in stage.sections().items()}
    models = [(kind, "validation") for kind in dict.fromkeys(sections.values())]
    references, made = models_json_schema(models)  # type: ignore[arg-type]
    definitions = made.get("$defs", {})
    names = {kind: references[kind, "validation"]["$ref"].split("/")[-1] for kind, _ in models}
    seen = _Seen(text, content, sections)
    for kind in _inner(sections.values()):
        properties = definitions[_name(kind, definitions)]["properties"]
        for key, field in kind.model_fields.items():
            comment = seen.comments.get((kind, key)) or seen.alike.get((key, _takes(field)))
            if comment:
                properties[key].setdefault("description", comment)
    for definition in definitions.values():
        _allow_presets(definition)
        _allow_either(definition)
    labs: dict[str, Any] = {}
    for name, kind in sections.items():
        lab, _, part = name.partition(".")
        properties = labs.setdefault(lab, _mapping())["properties"]
        properties[part] = {"$ref": f"#/$defs/{names[kind]}"}
    shared = {
        name: {"$ref": f"#/$defs/{_name(kind, definitions)}"} for name, kind in seen.presets.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": config.FILE,
        **_mapping(labs | {presets.SECTION: _mapping(shared) | {"additionalProperties": True}}),
        "$defs": definitions | {"preset": PRESET | {"enum": sorted(content[presets.SECTION])}},
    }


def _takes(field: FieldInfo) -> str:
    """Return what a key takes: its type and bounds."""
    return repr((field.annotation, field.metadata))


def _inner(kinds: Iterable[type[Section]]) -> dict[type[Section], None]:
    """Return section classes and all classes inside them, each once."""
    known: dict[type[Section], None] = {}
    waiting: list[Any] = list(kinds)
    while waiting:
        kind = waiting.pop(0)
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            waiting += get_args(kind)
        elif kind not in known:
            known[kind] = None
            waiting += [field.annotation for field in kind.model_fields.values()]
    return known


def _name(kind: type[Section], definitions: Mapping[str, Any]) -> str:
    """Return a class's name among the definitions: with its module where two have the same."""
    long = f"{kind.__module__}.{kind.__qualname__}".replace(".", "__")
    return long if long in definitions else kind.__name__


def _mapping(properties: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties or {}),
        "additionalProperties": False,
    }


def _allow_presets(rule: Any) -> None:
    """Let every mapping inside a rule name a preset, which may give all that is required."""
    if not isinstance(rule, dict):
        return
    rule.pop("required", None)
    others = rule.get("additionalProperties")
    inside = [*rule.get("properties", {}).values(), others, rule.get("items")]
    for inner in (*inside, *rule.get("anyOf", []), *rule.get("prefixItems", [])):
        _allow_presets(inner)
    if "properties" in rule or isinstance(others, dict):
        rule.setdefault("properties", {})[presets.KEY] = {"$ref": "#/$defs/preset"}


def _allow_either(definition: dict[str, Any]) -> None:
    """Let any of several sections stand where the word that chooses one is in a preset."""
    for value in definition.get("properties", {}).values():
        if "discriminator" in value:
            value.pop("discriminator")
            value["anyOf"] = value.pop("oneOf")


class _Seen:
    """What params.yaml shows of the classes: a comment for each key, the class of each preset."""

    def __init__(self, text: str, content: CommentedMap, sections: Mapping[str, type[Section]]):
        self.lines = text.splitlines()
        self.comments: dict[tuple[type[Section], str], str] = {}
        self.alike: dict[tuple[str, str], str] = {}  # by key and what it takes, of any class
        self.presets: dict[str, type[Section]] = {}
        self.named = content[presets.SECTION]
        for name, kind in sections.items():
            lab, _, part = name.partition(".")
            self.walk(content.get(lab, {}).get(part), kind)

    def walk(self, value: Any, kind: Any) -> None:
        """Look at a value of the file that is to be a ``kind``, and at all inside it."""
        if isinstance(value, list):
            for item in value:
                self.walk(item, _inside(kind))
        if not isinstance(value, CommentedMap):
            return
        section = _section(kind, self.keys(value))
        name = value.get(presets.KEY)
        if name in self.named and section is not None and name not in self.presets:
            self.presets[name] = section
            self.walk(self.named[name], kind)
        for key, inner in value.items():
            if section is None:  # a mapping by the user's names
                self.walk(inner, _inside(kind))
            elif key in section.model_fields:
                self.comment(section, key, self.lines[value.lc.key(key)[0]])
                self.walk(inner, section.model_fields[key].annotation)

    def keys(self, value: CommentedMap) -> set[str]:
        """Return the keys of a mapping, and of the presets that it names."""
        preset = self.named.get(value.get(presets.KEY))
        return set(value) | (self.keys(preset) if isinstance(preset, CommentedMap) else set())

    def comment(self, section: type[Section], key: str, line: str) -> None:
        """Keep a key's comment: that at the end of its line, the first of the file."""
        if match := COMMENT.search(line):
            self.comments.setdefault((section, key), match[1])
            self.alike.setdefault((key, _takes(section.model_fields[key])), match[1])


def _bare(kind: Any) -> Any:
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        options = [option for option in get_args(kind) if option is not types.NoneType]
        return _bare(options[0])
    return kind


def _section(kind: Any, keys: set[str]) -> type[Section] | None:
    """Return the section that stands there; of several that may, the one with most of the keys."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    union = get_origin(kind) in (Union, types.UnionType)
    options = [
        option
        for option in (get_args(kind) if union else (kind,))
        if isinstance(option, type) and issubclass(option, Section)
    ]
    return max(options, key=lambda o: len(keys & o.model_fields.keys()), default=None)


def _inside(kind: Any) -> Any:
    arguments = get_args(_bare(kind))
    return arguments[-1] if arguments else None
