"""Strict ``params.yaml`` -> frozen typed objects.

Every section of the file is one :class:`Section` that stands beside its consumer; a stage's
:class:`StageParams` names the sections it reads. There are no defaults: the file is the only
source of values. An unknown, missing, mistyped, non-finite or out-of-range key is a
:class:`ConfigError` of one line: the file, the key, what was expected and what was found.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipeline import plain_yaml
from pipeline.bounds import Real, Seed
from pipeline.one_line import one_line, shortened, shown
from pipeline.presets import PresetError, Resolved, resolve

FILE = "params.yaml"
NARROWEST = 1e-6  # of an interval, or of its ends: squares in float32, and a line can be fitted

BOUNDS = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", ">="),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "<="),
    "multiple_of": ("multiple_of", "a multiple of"),
}
KINDS = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "finite_number": "finite",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "none_required": "null",
}


class ConfigError(ValueError):
    """A value in params.yaml that cannot be used; the message is one line for the user."""

    def __init__(self, message: str):
        super().__init__(one_line(message))  # a key may hold a line break, or worse


class Section(BaseModel):
    """One section of params.yaml: frozen, keyword-only, strict, without defaults."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
    )


class StageParams(BaseModel):
    """The sections that a stage reads; each field's alias is the section's dotted name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def sections(cls) -> dict[str, type[Section]]:
        """Map each dotted section name to the class that checks it."""
        found: dict[str, type[Section]] = {}
        for field in cls.model_fields.values():
            section = field.annotation
            assert isinstance(section, type)
            assert issubclass(section, Section)
            found[str(field.alias)] = section
        return found


def increasing(interval: tuple[float, float]) -> tuple[float, float]:
    """Return the interval unchanged; ValueError if it is empty or too narrow."""
    if not interval[0] < interval[1]:
        raise ValueError(f"must be an interval [low, high] with low < high, got {list(interval)}")
    width = NARROWEST * max(1.0, abs(interval[0]), abs(interval[1]))
    if interval[1] - interval[0] < width:
        raise ValueError(f"must be an interval of at least {width:g}, got {list(interval)}")
    return interval


def ordered(interval: tuple[float, float]) -> tuple[float, float]:
    """Return the range unchanged; ValueError if it is empty. One point is a range."""
    if not interval[0] <= interval[1]:
        raise ValueError(f"must be a range [low, high] with low <= high, got {list(interval)}")
    return interval


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values unchanged; ValueError if two are equal."""
    if len(set(values)) != len(values):
        raise ValueError(f"must be distinct, got {shown(list(values))}")
    return values


Interval = Annotated[tuple[Real, Real], AfterValidator(increasing)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1), AfterValidator(distinct)]
Params = TypeVar("Params", bound=StageParams)


@dataclass(frozen=True)
class Content:
    """A params file as text says it, presets laid out, not yet checked."""

    file: str
    resolved: Resolved

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the sections, ``<lab>.<part>``."""
        return (f"{lab}.{part}" for lab, parts in self.resolved.sections.items() for part in parts)

    def __getitem__(self, section: str) -> Any:
        """Return a section's keys; KeyError if there is none of that name."""
        lab, _, part = section.partition(".")
        return self.resolved.sections[lab][part]


def read(path: Path) -> Content:
    """Read the YAML file and lay its presets out; ConfigError if it has no such form."""
    text = read_bytes(path)
    try:
        raw = plain_yaml.parse(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name}: cannot be read: {error}") from error
    except plain_yaml.YamlError as error:
        raise ConfigError(f"{path.name}: is not valid YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path.name}: expected a mapping of labs, got {shown(raw)}")
    for lab, parts in raw.items():
        if not isinstance(lab, str):
            raise ConfigError(f"{path.name}: the name of a lab must be text, got {shown(lab)}")
        if not isinstance(parts, dict):
            raise ConfigError(
                f"{path.name}: {shortened(lab)} must be a mapping of sections, got {shown(parts)}"
            )
    try:
        return Content(path.name, resolve(raw))
    except PresetError as error:
        raise ConfigError(f"{path.name}: {error}") from error


def read_bytes(path: Path) -> bytes:
    """Return the file as it is; ConfigError if it cannot be a params file, by kind or by size."""
    try:
        return plain_yaml.read_bytes(path)
    except OSError as error:
        raise ConfigError(f"{path.name}: cannot be read: {error}") from error


def load(path: Path, params: type[Params]) -> Params:
    """Build a stage's parameters from its sections of the file.

    Raises ConfigError with one line that names the file and the key.
    """
    return build(read(path), params)


def build(content: Content, params: type[Params]) -> Params:
    """Build a stage's parameters from a file's content; ConfigError as :func:`load`."""
    file, known = content.file, set(content)
    for name in params.sections():
        if name not in known:
            raise ConfigError(f"{file}: {name} is missing: expected a section with its keys")
    # JSON mode keeps the types strict and still takes a YAML list for a tuple.
    chosen = {name: content[name] for name in params.sections()}
    try:
        return params.model_validate_json(json.dumps(chosen))
    except ValidationError as error:
        raise ConfigError(
            f"{file}: {explain(error, params)}{_from(error, params, content)}"
        ) from error


def _from(error: ValidationError, params: type[StageParams], content: Content) -> str:
    """Say which preset a refused value comes from, if it does not stand in its section."""
    section, *keys = resolved(params, error.errors(include_url=False)[0]["loc"])[0] or ("",)
    lab, _, part = str(section).partition(".")
    origin = content.resolved.origin([lab, part, *keys])
    return f" (it stands at {origin})" if origin else ""


def check(path: Path, stages: Iterable[type[StageParams]]) -> None:
    """Check the whole file against the sections of all stages; ConfigError on the first fault."""
    check_content(read(path), stages)


def check_content(content: Content, stages: Iterable[type[StageParams]]) -> None:
    """Check a file's content; ConfigError as :func:`check`."""
    known: set[str] = set()
    for params in stages:
        build(content, params)
        known |= params.sections().keys()
    for name in content:
        if name not in known:
            hint = closest(name, known)
            raise ConfigError(f"{content.file}: {shortened(name)} is not a known section{hint}")


def explain(error: ValidationError, params: type[StageParams]) -> str:
    """Say in one line what is wrong: key, expectation, finding."""
    fault = error.errors(include_url=False)[0]
    kind, context = fault["type"], fault.get("ctx", {})
    place, section = resolved(params, fault["loc"])
    key = shortened(".".join(str(part) for part in place))
    if kind == "missing":
        return f"{key} is missing"
    if kind == "extra_forbidden":
        known = list(section.model_fields)
        return f"{key} is not a known key{closest(str(fault['loc'][-1]), known)}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        word = str(context["discriminator"]).strip("'")
        if kind == "union_tag_not_found":
            return f"{key}.{word} is missing"
        expected = " or ".join(context["expected_tags"].split(", "))
        return f"{key}.{word} must be {expected}, got {shown(context['tag'])}"
    if kind == "value_error":
        reason = shortened(str(context["error"]), 600)
        return f"{key}: {reason}" if key else reason
    found = shown(fault["input"])
    if kind in BOUNDS:
        bound, sign = BOUNDS[kind]
        return f"{key} must be {sign} {context[bound]:g}, got {found}"
    if kind in KINDS:
        return f"{key} must be {KINDS[kind]}, got {found}"
    if kind in ("literal_error", "enum"):
        return f"{key} must be {context['expected']}, got {found}"
    return f"{key}: {fault['msg']}, got {found}"


def resolved(
    params: type[StageParams], loc: tuple[int | str, ...]
) -> tuple[tuple[int | str, ...], Any]:
    """Return the place of a fault as the file has it, and the class of the section it is in.

    Where one of two sections may stand, pydantic names the chosen one in its place: the file has no
    such key.
    """
    if not loc or str(loc[0]) not in params.sections():
        return loc, None
    place, section = [loc[0]], params.sections()[str(loc[0])]
    kind: Any = section
    for part in loc[1:]:
        kinds = [a for a in get_args(kind) if a not in (str, NoneType, ...)]
        if kinds and part in (tags := _tagged(kinds)):
            kind = section = tags[str(part)]
            continue
        place.append(part)
        if kinds and get_origin(kind) not in (Union, UnionType):  # of a mapping or a list
            kind = kinds[0]
        elif part in getattr(kind, "model_fields", {}):
            kind = kind.model_fields[str(part)].annotation
        if NoneType in get_args(kind):
            kind = get_args(kind)[0]
        if isinstance(kind, type) and issubclass(kind, Section):
            section = kind
    return tuple(place), section


def _tagged(kinds: list[Any]) -> dict[str, Any]:
    """Return the sections that one may choose from, by their word."""
    return {
        str(word): kind
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, Section)
        for field in kind.model_fields.values()
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1
        for word in get_args(field.annotation)
    }


def closest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name nearest to a mistyped one."""
    names = sorted(known)
    match = get_close_matches(shortened(name), names, n=1)  # it takes the square of a length
    return f"; did you mean {match[0]}?" if match else f" (known: {', '.join(names)})"
