"""How many cores this process may use: those it is bound to, and what its control groups allow.

A container or a batch job is often held by a quota of processor time (Docker's ``--cpus``, a limit
of Kubernetes, systemd's ``CPUQuota``), which Python's counts of processors do not show. A quota may
stand at this process's control group or at any above it; the smallest holds. Linux only: elsewhere
there are no control groups. joblib's ``cpu_count`` looks at the topmost group alone, and takes
0.2 s to import.
"""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

SYSTEM = Path("/")
CGROUPS, MOUNTS = "proc/self/cgroup", "proc/self/mountinfo"
# Where the kernel's documentation has them mounted, for a system that hides its mounts:
# (controller, the group at the mount point, the mount point); "" is version 2, all in one.
USUAL_MOUNTS = (("", "/", "/sys/fs/cgroup"), ("cpu", "/", "/sys/fs/cgroup/cpu"))
PERIOD_US = 100_000  # the kernel's own, where none is written


def available(root: Path = SYSTEM, cores: int | None = None) -> int:
    """Return the number of cores to keep busy, at least 1; files are looked for below ``root``.

    A broken part of a core counts as one, as for the JVM and Go: one worker more than whole cores
    uses the rest of the quota, and workers wait for nobody when they are held back for a moment.
    ``cores`` are those that the process is bound to (default: asked of the system).
    """
    quota = min(quotas(root), default=math.inf)
    bound = bound_cores() if cores is None else cores
    return max(1, math.ceil(min(bound, quota)))


def bound_cores() -> int:
    """Return how many cores the system lets this process run on."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quotas(root: Path = SYSTEM) -> Iterator[float]:
    """Yield the quotas, in cores, of this process's control groups; what is unreadable has none."""
    groups = dict(_groups(_read(root / CGROUPS)))
    for controller, top, mount_point in list(_mounts(_read(root / MOUNTS))) or USUAL_MOUNTS:
        folder = root / mount_point.lstrip("/")
        for level in (folder, *_below(folder, top, groups.get(controller, top))):
            quota = _quota_v1(level) if controller else _quota_v2(level)
            if quota is not None:
                yield quota


def _groups(text: str) -> Iterator[tuple[str, str]]:
    """Yield (controller, group) of lines such as ``4:cpu,cpuacct:/docker/1f`` and ``0::/user``."""
    for line in text.splitlines():
        _, separator, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if separator:
            yield from ((name, group) for name in controllers.split(","))


def _mounts(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (controller, group, mount point) of the mounts that can hold a quota."""
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        fields, kind = left.split(" "), right.split(" ")
        if len(fields) < 5 or len(kind) < 3:
            continue
        top, mount_point = _unescaped(fields[3]), _unescaped(fields[4])
        if kind[0] == "cgroup2":
            yield "", top, mount_point
        elif kind[0] == "cgroup" and "cpu" in kind[2].split(","):
            yield "cpu", top, mount_point


def _unescaped(path: str) -> str:
    """Return a path of mountinfo, where a space is a backslash and 040."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), path)


def _below(folder: Path, top: str, group: str) -> Iterator[Path]:
    """Yield the folders from below a mount point, whose group is ``top``, down to ``group``'s."""
    inside, above = Path(group).parts, Path(top).parts
    # A container may see its group by the host's name, or by one outside of what it sees.
    if inside[: len(above)] != above or ".." in inside:
        return
    for part in inside[len(above) :]:
        folder = folder / part
        yield folder


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
    return _cores(quota, period or str(PERIOD_US))


def _quota_v1(folder: Path) -> float | None:
    return _cores(
        _read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip()
    )


def _cores(quota: str, period: str) -> float | None:
    """Return a quota in cores; none for ``max``, -1, and what is no such number."""
    if not (quota.isdecimal() and period.isdecimal()) or not (int(quota) and int(period)):
        return None
    return int(quota) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
