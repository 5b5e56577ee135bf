"""What tests of params.yaml share: writing a file, and catching the one line that refuses it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

from pipeline import config, presets
from pipeline.config import ConfigError, Content, StageParams

_build = config.build
_passed: set[tuple[type[StageParams], str]] = set()


def as_yaml(content: Any) -> str:
    """JSON is YAML, but for the names of what is not finite."""
    return json.dumps(content).replace("NaN", ".nan").replace("Infinity", ".inf")


def write(folder: Path, text: str) -> Path:
    path = folder / config.FILE
    path.write_text(text, encoding="utf-8")
    return path


def refusal(given: Path | dict[str, Any], stages: Iterable[type[StageParams]]) -> str | None:
    """The line that refuses a file, or what it would hold, without its name; None if it passes."""
    try:
        if isinstance(given, Path):
            config.check(given, stages)
        else:  # without YAML's reader, which takes a second for all of params.yaml
            content = Content(config.FILE, presets.resolve(json.loads(json.dumps(given))))
            with mock.patch.object(config, "build", _built_once):
                config.check_content(content, stages)
    except ConfigError as error:
        message = str(error)
    else:
        return None
    assert message.startswith("params.yaml: ")
    assert len(message.splitlines()) == 1
    return message.removeprefix("params.yaml: ")


def _built_once(content: Content, params: type[StageParams]) -> None:
    """Build a stage's params, unless the same ones of the same stage have passed before."""
    known = set(content)
    chosen = [content[name] if name in known else None for name in params.sections()]
    key = (params, json.dumps(chosen))
    if key not in _passed:
        _build(content, params)
        _passed.add(key)


def fault(folder: Path, given: str | dict[str, Any], stages: Iterable[type[StageParams]]) -> str:
    """The line that refuses what must be refused: the text of a file, or what it would hold."""
    message = refusal(write(folder, given) if isinstance(given, str) else given, stages)
    assert message is not None
    return message
