"""YAML as params.yaml uses it: mappings, lists, numbers, words, true, false and null.

A value means what stands there. There are no tags (they would choose what is built), no anchors,
aliases and merges (``dvc exp run -S`` would set a key in many places), no directives, and nothing
too large or too deep to be read in a moment.
"""

import stat
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError

from pipeline.one_line import one_line, shortened, shown

# The whole file is 40 kB; every stage and DVC read it.
MOST_BYTES = 160_000
DEEPEST = 20  # mappings and lists inside one another; params.yaml has 8
LARGEST = 2**64  # of an integer: no number here is beyond it, and one of 5,000 digits is no number
LONGEST = 200  # characters of a name or a word; a preset may repeat it thousands of times
EXCERPT = 250  # characters of what the parser says, which quotes the file


class YamlError(ValueError):
    """A text is no such YAML; the message says why, without the file's name."""


class _PlainComposer(Composer):
    """Refuses what is no plain value while the text is read, before anything is built from it."""

    depth = 0

    def compose_document(self) -> Any:
        """Compose the one document of the file."""
        start = self.parser.peek_event()
        if start.version or start.tags:
            _refuse("directives (%YAML, %TAG) are not used here", start)
        return super().compose_document()

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node of the file."""
        event = self.parser.peek_event()
        if getattr(event, "anchor", None) or getattr(event, "value", None) == "<<":
            _refuse("anchors, aliases and merges are not used here: name a preset instead", event)
        if getattr(event, "tag", None):
            _refuse("tags are not used here: write the value alone", event)
        self.depth += 1
        if self.depth > DEEPEST:
            _refuse(f"more than {DEEPEST} mappings and lists inside one another", event)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _refuse(problem: str, event: Any) -> None:
    raise MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def read_bytes(path: Path) -> bytes:
    """Return a file's content; OSError if it is no file, or larger than one can be."""
    state = path.stat()
    if not stat.S_ISREG(state.st_mode):  # to open a pipe would wait for ever
        raise OSError("it is no regular file")
    if state.st_size > MOST_BYTES:
        raise OSError(f"it has {state.st_size} bytes, at most {MOST_BYTES} are read")
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def parse(text: str) -> Any:
    """Return the value that a text says; YamlError if it is not as above."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _PlainComposer
    try:
        content = yaml.load(text)
    # Beside its own errors the parser raises what Python's date, int and its own slips raise.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        reason = reason.replace(
            ' in "<unicode string>",', " at"
        )  # the parser does not know the file
        raise YamlError(one_line(reason, EXCERPT)) from error
    _refuse_odd(content, "")
    return content


def _refuse_odd(value: Any, where: str) -> None:
    """Raise YamlError for a word or a number beyond all others, and for a date."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(key, tuple):  # of a list, and of whatever stands in it
                raise YamlError(f"{shortened(where)}: the key {shown(key)} must be text")
            if not isinstance(key, date):  # told with the place in the file, as 1 and true are
                _refuse_odd(key, where)
            _refuse_odd(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _refuse_odd(inner, f"{where}.{index}")
    elif isinstance(value, str) and len(value) > LONGEST:
        raise YamlError(
            f"{shortened(where)}: a word of {len(value)} characters, at most {LONGEST} are read"
        )
    elif isinstance(value, int) and abs(value) > LARGEST:
        raise YamlError(
            f"{shortened(where)}: an integer of {value.bit_length()} bits is beyond all numbers"
        )
    elif not isinstance(value, (str, int, float, bool, type(None))):
        raise YamlError(
            f"{shortened(where)}: {shown(value)} is neither a number nor a word: write it in quotes"
        )
