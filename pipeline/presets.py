"""Presets: mappings that several places of params.yaml share, named instead of repeated.

A mapping that holds ``preset: NAME`` is the preset of that name with the other keys laid over it,
deeply: a nested mapping changes the keys that it names and keeps the rest. A nested mapping that
names a preset of its own starts from that one instead. Presets may name presets.

Unlike YAML's anchors, a preset is plain text: ``dvc exp run -S`` sets a key where it stands and
nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pipeline.one_line import shortened, shown

SECTION, KEY = "presets", "preset"
DEEPEST = 30  # mappings and lists inside one another, presets laid out; params.yaml has 9
MOST_VALUES = 50_000  # presets laid out, of which each may name several more; params.yaml has 4,000


class PresetError(ValueError):
    """A preset cannot be used; the message names the place in params.yaml."""


@dataclass(frozen=True)
class Resolved:
    """Sections without presets; ``origins`` has their shape, with where each value's text stands.

    A text that stands in its section itself has the origin "".
    """

    sections: dict[str, Any]
    origins: dict[str, Any]

    def origin(self, place: Sequence[str | int]) -> str:
        """Return where the text of the value at ``place``, (lab, section, key, ...), stands."""
        origin: Any = self.origins
        for part in place:
            try:
                origin = origin[part]
            except (KeyError, IndexError, TypeError):  # a value that is missing, or refused whole
                return ""
        return origin if isinstance(origin, str) else ""


def resolve(content: Mapping[Any, Any]) -> Resolved:
    """Return the labs of a params file, ``{lab: {section: keys}}``, with all presets laid out.

    Raises PresetError for an unknown preset, one that no section uses, one that names itself, and
    for a key that is not text (``-S`` could not set it).
    """
    presets = content.get(SECTION, {})
    if not isinstance(presets, Mapping):
        raise PresetError(f"{SECTION} must be a mapping of names, got {shown(presets)}")
    for name, keys in presets.items():
        if not isinstance(name, str):
            raise PresetError(f'{SECTION}: the name {shown(name)} must be text: write "{name}"')
        if not isinstance(keys, Mapping):
            raise PresetError(
                f"{SECTION}.{shortened(name)} must be a mapping of keys, got {shown(keys)}"
            )
    expander = _Expander(presets)
    sections, origins = {}, {}
    for lab, parts in content.items():
        if lab != SECTION:
            sections[lab], origins[lab] = expander.expand(parts, str(lab))
    if unused := [name for name in presets if name not in expander.used]:
        raise PresetError(
            f"{SECTION}.{shortened(unused[0])} is used by no section: name it, or take it out"
        )
    return Resolved(sections, origins)


class _Expander:
    """Lays presets out; every value goes with its origin, a tree of the same shape."""

    def __init__(self, presets: Mapping[str, Any]):
        self.presets = presets
        self.used: set[str] = set()
        self.open: list[str] = []
        self.depth = self.values = 0

    def expand(
        self, value: Any, where: str, base: Any = None, above: Any = None
    ) -> tuple[Any, Any]:
        """Return a value whose text stands at ``where``, laid over ``base`` of origin ``above``."""
        self.values += 1
        if self.values > MOST_VALUES:
            raise PresetError(f"{shortened(where)}: presets of presets make > {MOST_VALUES} values")
        if self.depth == DEEPEST:
            raise PresetError(
                f"{shortened(where)}: more than {DEEPEST} mappings inside one another"
            )
        self.depth += 1
        try:
            return self._expand(value, where, base, above)
        finally:
            self.depth -= 1

    def _expand(self, value: Any, where: str, base: Any, above: Any) -> tuple[Any, Any]:
        if isinstance(value, Mapping):
            return self._mapping(value, where, base, above)
        if isinstance(value, list):
            pairs = [self.expand(item, f"{where}.{k}") for k, item in enumerate(value)]
            return [item for item, _ in pairs], [origin for _, origin in pairs]
        return value, where if self.open else ""

    def _mapping(
        self, value: Mapping[Any, Any], where: str, base: Any, above: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        if KEY in value:
            base, above = self._preset(value[KEY], where)
        elif not isinstance(base, Mapping):
            base, above = {}, {}
        result, origins = dict(base), dict(above)
        for key, item in value.items():
            if not isinstance(key, str):
                raise PresetError(
                    f"{shortened(where)}: the key {shown(key)} must be text: "
                    f'write "{shortened(str(key))}"'
                )
            if key != KEY:
                result[key], origins[key] = self.expand(
                    item, f"{where}.{key}", base.get(key), above.get(key)
                )
        return result, origins

    def _preset(self, name: Any, where: str) -> tuple[Any, Any]:
        if not isinstance(name, str) or name not in self.presets:
            match = get_close_matches(shortened(str(name)), self.presets, n=1)
            hint = f"did you mean {match[0]}?" if match else f"known: {', '.join(self.presets)}"
            raise PresetError(
                f"{shortened(where)}.{KEY}: there is no preset {shown(name)}; "
                f"{shortened(hint, 300)}"
            )
        if name in self.open:
            chain = " -> ".join([*self.open, name])
            raise PresetError(f"{SECTION}.{shortened(name)} names itself: {shortened(chain, 300)}")
        self.used.add(name)
        self.open.append(name)
        expanded = self.expand(self.presets[name], f"{SECTION}.{name}")
        self.open.pop()
        return expanded
