"""What the files of a stage hold, entry by entry, and how two of them differ under renames."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

Entries = dict[str, Any]  # a text, number, boolean or array for each named place


@dataclass
class Renames:
    """What is called otherwise now, and which of it a comparison has met."""

    table: Mapping[str, Mapping[str, Any]]
    met: dict[str, None] = field(default_factory=dict)

    def file(self, path: str) -> str:
        """Return where an old file stands now."""
        for pattern, replacement in self.table.get("files", {}).items():
            if re.fullmatch(pattern, path):
                return re.sub(f"^(?:{pattern})$", replacement, path)
        return path

    def apply(self, section: str, path: str, name: str) -> str:
        """Return the new name of a column, key or name of the file that is now at ``path``."""
        now = name
        for pattern, replacement in self._of_file(section, path):
            if re.fullmatch(pattern, now):
                now = re.sub(f"^(?:{pattern})$", replacement, now)
                self.met[f"{pattern} -> {replacement}"] = None
        return now

    def listed(self, section: str, path: str, name: str) -> bool:
        """Tell whether an entry may stand on one side alone."""
        return any(
            re.fullmatch(pattern, name)
            for files, patterns in self.table.get(section, {}).items()
            if fnmatchcase(path, files)
            for pattern in patterns
        )

    def change(self, path: str, name: str, result: "tuple[int, float] | str") -> str | None:
        """Return why an entry (by its present name) may differ so, or None if it may not."""
        for pattern, (limit, reason) in self._of_file("changed", path):
            small = not isinstance(result, str) and limit is not None and result[1] <= limit
            if re.fullmatch(pattern, name) and (limit is None or small):
                return str(reason)
        return None

    def reason(self, section: str, path: str) -> str | None:
        """Return why a file is expected to differ, or to be alone."""
        for files, reason in self.table.get(section, {}).items():
            if fnmatchcase(path, files):
                return str(reason)
        return None

    def _of_file(self, section: str, path: str) -> Iterator[tuple[str, Any]]:
        for files, renames in self.table.get(section, {}).items():
            if fnmatchcase(path, files):
                yield from renames.items()


def flat(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf of JSON with its dotted place; an empty list or object is a leaf."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        place = f"{above}{key}"
        if isinstance(child, dict | list) and child:
            yield from flat(child, f"{place}.")
        else:
            yield place, child


def read_npz(path: Path) -> Entries:
    """Return the arrays by name."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def read_csv(path: Path) -> Entries:
    """Return the columns by name, each an array of its cells' texts."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    cells = np.array(rows, dtype=np.str_).reshape(len(rows), len(header))
    return {name: cells[:, k] for k, name in enumerate(header)}


def read_json(path: Path) -> Entries:
    """Return the leaves by their dotted place."""
    return dict(flat(json.loads(path.read_text(encoding="utf-8"))))


def read_safetensors(path: Path) -> Entries:
    """Return the tensors, MODEL/NAME, and what is said of the models, MODEL/KEY, but their class.

    The path of a class is no result: it moves with the code.
    """
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    models = json.loads(header.pop("__metadata__", {}).get("models", "{}"))
    entries: Entries = {
        f"{model}/{key}": value
        for model, described in models.items()
        for key, value in flat(described)
        if key != "class"
    }
    for name, tensor in header.items():
        low, high = (start + offset for offset in tensor["data_offsets"])
        values = np.frombuffer(content[low:high], DTYPES[tensor["dtype"]])
        entries[name] = values.reshape(tensor["shape"])
    return entries


DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "BOOL": "?"}
READERS = {
    ".npz": read_npz,
    ".csv": read_csv,
    ".json": read_json,
    ".safetensors": read_safetensors,
}
SECTION_OF = {".npz": "names", ".csv": "columns", ".json": "keys"}


def renamed_entry(path: str, name: str, renames: Renames) -> str:
    """Return the new name of an entry of a file that is now at ``path``."""
    suffix = Path(path).suffix
    if suffix != ".safetensors":
        return renames.apply("parts", path, renames.apply(SECTION_OF[suffix], path, name))
    parts = [renames.apply("names", path, part) for part in name.split("/")]
    whole = "/".join(renames.apply("keys", path, part) for part in parts)
    return renames.apply("names", path, whole)


def with_parts(new: Entries, old: Entries) -> Entries:
    """Return ``new`` with the parts of its arrays that ``old`` (by present names) speaks of.

    A part is named ARRAY[INDEX]: numbers, ``:`` for a whole axis, ``*`` for as much of it as there
    was. An array of which there are parts is no entry by itself.
    """
    parts, wholes = {}, set()
    for name, value in old.items():
        match = re.fullmatch(r"(.*)\[(.*)\]", name)
        if match and match[1] in new:
            sizes = iter(np.shape(value))
            index: list[int | slice] = []
            for axis in match[2].split(","):
                fixed = axis.strip() not in (":", "*")
                size = None if fixed else next(sizes, None)
                index.append(int(axis) if fixed else slice(size if axis.strip() == "*" else None))
            parts[name] = np.asarray(new[match[1]])[tuple(index)]
            wholes.add(match[1])
    return {name: value for name, value in new.items() if name not in wholes} | parts


def as_number(text: Any) -> float:
    """Return a number, or nan for what is none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")


def differences(old: Any, new: Any, path: str, renames: Renames) -> tuple[int, float] | str:
    """Return how many values differ, and by how much at most; or what makes them incomparable.

    The difference is relative to the larger of the two; inf if one of them is no number.
    """
    a, b = np.asarray(old), np.asarray(new)
    if a.shape != b.shape:
        return f"shape {a.shape} -> {b.shape}"
    if a.dtype.kind != b.dtype.kind or (a.dtype.kind != "U" and a.dtype != b.dtype):
        return f"{a.dtype} -> {b.dtype}"
    a, b = np.ravel(a), np.ravel(b)
    unequal = a != b
    if a.dtype.kind == "f":
        bits = f"u{a.dtype.itemsize}"
        unequal = a.view(bits) != b.view(bits)
    a, b = a[unequal], b[unequal]
    if a.dtype.kind == "U":
        now = {text: renames.apply("names", path, text) for text in set(a.tolist())}
        pairs = zip(a.tolist(), b.tolist(), strict=True)
        kept = np.array([now[before] != after for before, after in pairs], dtype=bool)
        a, b = a[kept], b[kept]
    if not len(a):
        return 0, 0.0
    x, y = (np.array([as_number(value) for value in v.tolist()]) for v in (a, b))
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.abs(x - y) / np.maximum(np.abs(x), np.abs(y))
    relative[(x == y)] = 0.0
    return len(a), float(np.nan_to_num(relative, nan=np.inf).max())
