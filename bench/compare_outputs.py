r"""Compare two ``data/`` folders: ``python -m bench.compare_outputs OLD NEW [--renames FILE]``.

A file is *same* (its bytes), *renamed* (every number and text the same bits, other names or another
form of file), *different*, or *only* in one folder. The exit code is 1 if a file is different or
missing and no ``expected`` reason names it.

The renames are a YAML file. Patterns of names are regular expressions that match a whole name, with
groups for the replacement; those of files are globs over the path below ``data/`` as it is now.

    files:    {'lab_gains/(.*)': 'lab_measure_gains/\1'}    # old path -> new; the first that fits
    columns:  {'*/points.csv': {lean: covariance}}          # of tables
    keys:     {'*/results.json': {'(.*)\.m16': '\1.T16'}}   # dotted; also of a model's ``config``
    names:    {'*': {'head(_.*)?': 'cls_head\1'}}           # of arrays, models, tensors; any text
    added:    {'*/points.csv': [seeds]}                     # columns, keys, arrays of the new alone
    removed:  {'*/table.csv': [note]}                       # of the old alone, where not renamed
    expected: {'*/c7_*.png': 'the title says the seed'}     # files that differ, and why

Several patterns of ``columns``, ``keys`` and ``names`` may fit: all are applied, one after another.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.output_entries import READERS, Entries, Renames, differences, renamed_entry

SECTIONS = ("files", "columns", "keys", "names", "added", "removed", "expected")
KINDS = ("same", "renamed", "different", "only")


@dataclass(frozen=True)
class Verdict:
    """How a file compares: same, renamed, different or only; and what a reader wants to know."""

    path: str
    kind: str
    detail: str = ""
    reason: str | None = None

    @property
    def explained(self) -> bool:
        """Whether nothing is left to ask."""
        return self.kind in ("same", "renamed") or self.reason is not None


def compare_entries(path: str, old: Entries, new: Entries, renames: Renames) -> tuple[str, str]:
    """Return the kind of a file's verdict and its detail, from its entries before and now."""
    renames.met.clear()
    now = {renamed_entry(path, name, renames): value for name, value in old.items()}
    complaints, notes = [], []
    if len(now) < len(old):
        complaints.append("two entries are renamed alike")
    lost, gained = now.keys() - new.keys(), new.keys() - now.keys()
    for section, names in (("removed", lost), ("added", gained)):
        listed = {name for name in names if renames.listed(section, path, name)}
        for group, where in ((listed, notes), (names - listed, complaints)):
            if group:
                where.append(f"{section}: {shortened(sorted(group))}")
    count, largest, where_found = 0, 0.0, []
    for name in [name for name in now if name in new]:
        result = differences(now[name], new[name], path, renames)
        if isinstance(result, str):
            complaints.append(f"{name}: {result}")
        elif result[0]:
            count, largest = count + result[0], max(largest, result[1])
            where_found.append(name)
    if count:
        size = "not numbers" if largest == float("inf") else f"by {largest:.2g} at most"
        complaints.insert(0, f"{count} values differ, {size} ({shortened(where_found)})")
    if complaints:
        return "different", "; ".join(complaints)
    return "renamed", "; ".join([*renames.met, *notes]) or "the same entries in another form"


def shortened(names: Sequence[str], limit: int = 4) -> str:
    """Join names, of many the first few."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def compare_file(path: str, old: Path, new: Path, renames: Renames) -> tuple[str, str]:
    """Return the kind of a file's verdict and its detail."""
    if old.read_bytes() == new.read_bytes():
        return "same", ""
    reader = READERS.get(new.suffix)
    if reader is None:
        return "different", f"bytes ({old.stat().st_size} -> {new.stat().st_size})"
    return compare_entries(path, reader(old), reader(new), renames)


def outputs(root: Path) -> dict[str, Path]:
    """Return the files of all stages' folders by their path; what is hidden is no output."""
    found = {path.relative_to(root): path for path in root.glob("*/**/*") if path.is_file()}
    visible = {p: path for p, path in found.items() if not any(x.startswith(".") for x in p.parts)}
    return {p.as_posix(): visible[p] for p in sorted(visible)}


def compare(old_root: Path, new_root: Path, renames: Renames) -> list[Verdict]:
    """Compare all files, by their present paths."""
    before, new = outputs(old_root), outputs(new_root)
    old = {renames.file(path): (path, file) for path, file in before.items()}
    if len(old) < len(before):
        raise SystemExit("error: two files of the old folder are renamed alike")
    verdicts = []
    for path in sorted(old.keys() | new.keys()):
        if path not in new or path not in old:
            kind, detail = "only", "in the old" if path in old else "in the new"
        else:
            kind, detail = compare_file(path, old[path][1], new[path], renames)
        if path in old and old[path][0] != path:
            kind = "renamed" if kind == "same" else kind
            detail = "; ".join(filter(None, [f"was {old[path][0]}", detail]))
        reason = renames.reason(path) if kind in ("different", "only") else None
        verdicts.append(Verdict(path, kind, detail, reason))
    return verdicts


def load_renames(path: Path | None) -> Renames:
    """Read the renames; an unknown section is an error."""
    table = yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path else {}
    unknown = table.keys() - set(SECTIONS)
    if unknown:
        raise SystemExit(f"error: {path}: no section {sorted(unknown)[0]!r}, only {SECTIONS}")
    return Renames({name: section or {} for name, section in table.items()})


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a file that is not the same, and the counts; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--renames", type=Path, help="a YAML file: see the head of this script")
    parser.add_argument("--all", action="store_true", help="name the same files too")
    options = parser.parse_args(arguments)
    for folder in (options.old, options.new):
        if not folder.is_dir():
            raise SystemExit(f"error: {folder} is no folder")
    verdicts = compare(options.old, options.new, load_renames(options.renames))
    for verdict in verdicts:
        if verdict.kind != "same" or options.all:
            mark = " " if verdict.explained else "!"
            why = f" [{verdict.reason}]" if verdict.reason else ""
            print(f"{mark} {verdict.kind:9} {verdict.path}: {verdict.detail}{why}")
    counts = {kind: sum(v.kind == kind for v in verdicts) for kind in KINDS}
    unexplained = sum(not v.explained for v in verdicts)
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()), end="")
    print(f"; {unexplained} without an explanation")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
