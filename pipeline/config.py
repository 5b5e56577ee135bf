"""Strict ``params.yaml`` -> frozen typed objects.

Every section of the file is one :class:`Section` that stands beside its consumer; a stage's
:class:`StageParams` names the sections it reads. There are no defaults: the file is the only
source of values. An unknown, missing, mistyped, non-finite or out-of-range key is a
:class:`ConfigError` of one line: the file, the key, what was expected and what was found.
"""

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

FILE = "params.yaml"

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
        super().__init__(" ".join(message.splitlines()))  # a key may hold a line break


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
    """Return the interval unchanged; ValueError if it is empty."""
    if not interval[0] < interval[1]:
        raise ValueError(f"must be an interval [low, high] with low < high, got {list(interval)}")
    return interval


def ordered(interval: tuple[float, float]) -> tuple[float, float]:
    """Return the range unchanged; ValueError if it is empty. One point is a range."""
    if not interval[0] <= interval[1]:
        raise ValueError(f"must be a range [low, high] with low <= high, got {list(interval)}")
    return interval


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values unchanged; ValueError if two are equal."""
    if len(set(values)) != len(values):
        raise ValueError(f"must be distinct, got {list(values)}")
    return values


Interval = Annotated[tuple[float, float], AfterValidator(increasing)]
Range = Annotated[tuple[float, float], AfterValidator(ordered)]
Seeds = Annotated[
    tuple[Annotated[int, Field(ge=0, lt=2**32)], ...], Field(min_length=1), AfterValidator(distinct)
]
Params = TypeVar("Params", bound=StageParams)


def read(path: Path) -> dict[str, Any]:
    """Read the YAML file into {section: its keys, unchecked}; sections are ``<lab>.<part>``."""
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: cannot be read: {error}") from error
    except (YAMLError, ValueError, RecursionError) as error:  # 2020-13-45 is a ValueError
        raise ConfigError(
            f"{path.name}: is not valid YAML: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path.name}: expected a mapping of labs, got {raw!r}")
    for lab, parts in raw.items():
        if not isinstance(parts, dict):
            raise ConfigError(f"{path.name}: {lab} must be a mapping of sections, got {parts!r}")
    return {f"{lab}.{part}": keys for lab, parts in raw.items() for part, keys in parts.items()}


def load(path: Path, params: type[Params]) -> Params:
    """Build a stage's parameters from its sections of the file.

    Raises ConfigError with one line that names the file and the key.
    """
    return build(read(path), params, path.name)


def build(content: Mapping[str, Any], params: type[Params], file: str = FILE) -> Params:
    """Build a stage's parameters from ``{section: keys}``; ConfigError as :func:`load`."""
    for name in params.sections():
        if name not in content:
            raise ConfigError(f"{file}: {name} is missing: expected a section with its keys")
    # JSON mode keeps the types strict and still takes a YAML list for a tuple.
    chosen = ", ".join(f'"{name}": {_json(file, name, content)}' for name in params.sections())
    try:
        return params.model_validate_json(f"{{{chosen}}}")
    except ValidationError as error:
        raise ConfigError(f"{file}: {explain(error, params)}") from error


def _json(file: str, name: str, content: Mapping[str, Any]) -> str:
    try:
        return json.dumps(content[name], default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"{file}: {name} must have keys that are text, and no alias inside its anchor: {error}"
        ) from error


def check(path: Path, stages: Iterable[type[StageParams]]) -> None:
    """Check the whole file against the sections of all stages; ConfigError on the first fault."""
    content = read(path)
    known: set[str] = set()
    for params in stages:
        build(content, params, path.name)
        known |= params.sections().keys()
    for name in content:
        if name not in known:
            raise ConfigError(f"{path.name}: {name} is not a known section{closest(name, known)}")


def explain(error: ValidationError, params: type[StageParams]) -> str:
    """Say in one line what is wrong: key, expectation, finding."""
    fault = error.errors(include_url=False)[0]
    kind, context = fault["type"], fault.get("ctx", {})
    key = ".".join(str(part) for part in fault["loc"])
    if kind == "missing":
        return f"{key} is missing"
    if kind == "extra_forbidden":
        known = known_keys(params, fault["loc"][:-1])
        return f"{key} is not a known key{closest(str(fault['loc'][-1]), known)}"
    if kind == "value_error":
        return f"{key}: {context['error']}" if key else str(context["error"])
    found = fault["input"]
    if kind in BOUNDS:
        bound, sign = BOUNDS[kind]
        return f"{key} must be {sign} {context[bound]:g}, got {found!r}"
    if kind in KINDS:
        return f"{key} must be {KINDS[kind]}, got {found!r}"
    if kind in ("literal_error", "enum"):
        return f"{key} must be {context['expected']}, got {found!r}"
    return f"{key}: {fault['msg']}, got {found!r}"


def known_keys(params: type[StageParams], place: tuple[int | str, ...]) -> Iterable[str]:
    """Return the keys that may stand at a place, (section, key, ...)."""
    kind: Any = params.sections()[str(place[0])]
    for part in place[1:]:
        inside = [a for a in get_args(kind) if a not in (str, ...)]  # of a mapping or a list
        kind = inside[0] if inside else kind.model_fields[str(part)].annotation
        if NoneType in get_args(kind):
            kind = get_args(kind)[0]
    return list(kind.model_fields)


def closest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name nearest to a mistyped one."""
    names = sorted(known)
    match = get_close_matches(name, names, n=1)
    return f"; did you mean {match[0]}?" if match else f" (known: {', '.join(names)})"
