"""What tests of params.yaml share: writing a file, and catching the one line that refuses it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline import config
from pipeline.config import ConfigError, StageParams


def as_yaml(content: Any) -> str:
    """JSON is YAML, but for the names of what is not finite."""
    return json.dumps(content).replace("NaN", ".nan").replace("Infinity", ".inf")


def write(folder: Path, text: str) -> Path:
    path = folder / config.FILE
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path, stages: Iterable[type[StageParams]]) -> str | None:
    """The line that refuses a file, without the file's name; None if the file passes."""
    try:
        config.check(path, stages)
    except ConfigError as error:
        message = str(error)
    else:
        return None
    assert message.startswith("params.yaml: ")
    assert len(message.splitlines()) == 1
    return message.removeprefix("params.yaml: ")


def fault(folder: Path, text: str, stages: Iterable[type[StageParams]]) -> str:
    """The line that refuses a file that must be refused."""
    message = refusal(write(folder, text), stages)
    assert message is not None
    return message
