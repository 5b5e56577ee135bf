r"""Compare two ``data/`` folders: ``python -m bench.compare_outputs OLD NEW [--renames FILE]``.

A file is *same* (its bytes), *renamed* (every number and text the same bits, other names or another
form of file), *different*, or *only* in one folder. The exit code is 1 if a file is different or
missing and neither ``changed`` nor ``expected`` nor ``alone`` says why.

The renames are a YAML file. Patterns of names are regular expressions that match a whole name, with
groups for the replacement; those of files are globs over the path below ``data/`` as it is now.

    files:    {'lab_gains/(.*)': 'lab_measure_gains/\1'}    # old path -> new; the first that fits
    columns:  {'*/points.csv': {lean: covariance}}          # of tables
    keys:     {'*/results.json': {'(.*)\.m16': '\1.T16'}}   # dotted; also of a model's ``config``
    names:    {'*': {'head(_.*)?': 'cls_head\1'}}           # of arrays, models, tensors; any text
    parts:    {'*/heads.npz': {'map_(\d)': 'maps[\1,:]'}}   # arrays that are part of another now
    added:    {'*/points.csv': [seeds]}                     # columns, keys, arrays of the new alone
    removed:  {'*/table.csv': [note]}                       # of the old alone, where not renamed
    changed:  {'*/fits.csv': {low: [1e-12, 'in float64']}}  # entries (new name) that differ by no
                                                            # more (none: anyhow), and why
    expected: {'*/c7_*.png': 'the title says the seed'}     # files that differ, and why
    alone:    {'*/metrics.json': 'the headline alone'}      # files in one folder only, and why

Several patterns of ``columns``, ``keys`` and ``names`` may fit: all are applied, one after another.
In a file of models they are tried on MODEL and on each KEY or tensor's name, ``names`` then on
MODEL/NAME too.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from bench.output_entries import READERS, Entries, Renames, differences, renamed_entry, with_parts

SECTIONS = (
    "files", "columns", "keys", "names", "parts",
    "added", "removed", "changed", "expected", "alone",
)  # fmt: skip
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


def compare_entries(path: str, old: Entries, new: Entries, renames: Renames) -> Verdict:
    """Judge a file by its entries before and now."""
    renames.met.clear()
    now = {renamed_entry(path, name, renames): value for name, value in old.items()}
    new = with_parts(new, now)
    complaints: list[str] = []
    notes: list[str] = []
    reasons: dict[str, None] = {}
    if len(now) < len(old):
        complaints.append("two entries are renamed alike")
    lost, gained = now.keys() - new.keys(), new.keys() - now.keys()
    for section, names in (("removed", lost), ("added", gained)):
        listed = {name for name in names if renames.listed(section, path, name)}
        for group, where in ((listed, notes), (names - listed, complaints)):
            if group:
                where.append(f"{section}: {shortened(sorted(group))}")
    changes, unexpected = Unequal(), Unequal()
    for name in [name for name in now if name in new]:
        result = differences(now[name], new[name], path, renames)
        reason = None if result == (0, 0.0) else renames.change(path, name, result)
        if reason is not None:
            reasons[reason] = None
        (unexpected if reason is None else changes).note(name, result)
    complaints += unexpected.told()
    if complaints:
        return Verdict(path, "different", "; ".join(complaints))
    if reasons:
        return Verdict(path, "different", "; ".join(changes.told()), "; ".join(reasons))
    detail = "; ".join([*renames.met, *notes]) or "the same entries in another form"
    return Verdict(path, "renamed", detail)


@dataclass
class Unequal:
    """The entries of a file that are not the same, to be told in a line."""

    count: int = 0
    largest: float = 0.0
    names: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def note(self, name: str, result: tuple[int, float] | str) -> None:
        """Take what :func:`differences` says of an entry."""
        if isinstance(result, str):
            self.others.append(f"{name}: {result}")
        elif result[0]:
            self.count, self.largest = self.count + result[0], max(self.largest, result[1])
            self.names.append(name)

    def told(self) -> list[str]:
        """Return the values that differ, with names and greatest size, and what has no size."""
        if not self.count:
            return self.others
        size = "not numbers" if self.largest == float("inf") else f"by {self.largest:.2g} at most"
        return [f"{self.count} values differ, {size} ({shortened(self.names)})", *self.others]


def shortened(names: Sequence[str], limit: int = 4) -> str:
    """Join names, of many the first few."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def compare_file(path: str, old: Path, new: Path, renames: Renames) -> Verdict:
    """Judge a file that stands in both folders."""
    if old.read_bytes() == new.read_bytes():
        return Verdict(path, "same")
    reader = READERS.get(new.suffix)
    if reader is None:
        sizes = f"{old.stat().st_size} -> {new.stat().st_size}"
        return Verdict(path, "different", f"bytes ({sizes})")
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
            verdict = Verdict(path, "only", "in the old" if path in old else "in the new")
        else:
            verdict = compare_file(path, old[path][1], new[path], renames)
        if path in old and old[path][0] != path:
            kind = "renamed" if verdict.kind == "same" else verdict.kind
            detail = "; ".join(filter(None, [f"was {old[path][0]}", verdict.detail]))
            verdict = replace(verdict, kind=kind, detail=detail)
        if not verdict.explained:
            section = "alone" if verdict.kind == "only" else "expected"
            verdict = replace(verdict, reason=renames.reason(section, path))
        verdicts.append(verdict)
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
