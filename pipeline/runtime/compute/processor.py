"""The machine's processor, as the system tells of it."""

import json
import platform
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def model(cpuinfo: Path = CPUINFO) -> str:
    """Return the name that a reader knows it by."""
    return _told(cpuinfo).get("model name") or platform.processor() or platform.machine()


@cache
def kind(cpuinfo: Path = CPUINFO) -> str:
    """Return what decides the last bits of a result: the model, and what it can compute with."""
    known = [_told(cpuinfo).get(name, "") for name in ("vendor_id", "model name", "flags")]
    return json.dumps([platform.machine(), platform.processor(), *known])


def _told(cpuinfo: Path) -> dict[str, str]:
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return {}
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}
