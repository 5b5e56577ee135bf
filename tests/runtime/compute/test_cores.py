"""cores: a quota of a control group counts, of version 1 and 2, at any level, however written."""

import os
from pathlib import Path

import pytest

from pipeline.runtime.compute import cores

V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpuset rw shared:9 - cgroup cgroup rw,cpuset\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
)
MANY = 64  # cores of the host


def system(root: Path, groups: str, mounts: str, **files: str) -> Path:
    """Write what the kernel would show; a file's path is written from /sys/fs/cgroup on."""
    write(root / "proc/self/cgroup", groups)
    write(root / "proc/self/mountinfo", mounts)
    for path, content in files.items():
        write(root / "sys/fs/cgroup" / path, content)
    return root


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def v1(folder: str, quota: str, period: str = "100000") -> dict[str, str]:
    return {
        f"cpu,cpuacct/{folder}cpu.cfs_quota_us": f"{quota}\n",
        f"cpu,cpuacct/{folder}cpu.cfs_period_us": f"{period}\n",
    }


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("200000 100000\n", 2),
        ("50000 100000\n", 1),
        ("1000 100000\n", 1),
        ("150000 100000\n", 2),  # one worker would leave a quarter of it idle
        ("400000 200000\n", 2),
        ("300000\n", 3),  # the period may be left out
        ("6400000 100000\n", MANY),
        ("9900000 100000\n", MANY),
        ("max 100000\n", MANY),
        ("max\n", MANY),
    ],
)
def test_a_quota_of_version_2(tmp_path: Path, quota: str, expected: int) -> None:
    root = system(tmp_path, "0::/\n", V2, **{"cpu.max": quota})
    assert cores.available(root, MANY) == expected


@pytest.mark.parametrize(
    ("quota", "period", "expected"),
    [
        ("200000", "100000", 2),
        ("50000", "100000", 1),
        ("25000", "50000", 1),
        ("150000", "50000", 3),
        ("-1", "100000", MANY),
    ],
)
def test_a_quota_of_version_1(tmp_path: Path, quota: str, period: str, expected: int) -> None:
    root = system(tmp_path, "5:cpu,cpuacct:/\n4:cpuset:/\n", V1, **v1("", quota, period))
    assert cores.available(root, MANY) == expected


@pytest.mark.parametrize("where", ["", "batch.slice/", "batch.slice/job_7/"])
def test_the_smallest_quota_on_the_way_to_the_group_holds(tmp_path: Path, where: str) -> None:
    groups = "".join(f"{line}:/batch.slice/job_7\n" for line in ("0:", "5:cpu,cpuacct"))
    files = {f"{folder}cpu.max": "max 100000" for folder in ("batch.slice/", "batch.slice/job_7/")}
    root = system(tmp_path / "v2", groups, V2, **(files | {f"{where}cpu.max": "300000 100000"}))
    assert cores.available(root, MANY) == 3
    files = v1("batch.slice/", "-1") | v1("batch.slice/job_7/", "800000") | v1(where, "300000")
    assert cores.available(system(tmp_path / "v1", groups, V1, **files), MANY) == 3


def test_another_group_s_quota_is_not_ours(tmp_path: Path) -> None:
    files = {"job_8/cpu.max": "100000 100000", "job_7/step/cpu.max": "100000 100000"}
    root = system(tmp_path, "0::/job_7\n", V2, **files)
    assert cores.available(root, MANY) == MANY


@pytest.mark.parametrize(
    ("group", "top"),
    [
        ("/docker/1f", "/docker/1f"),  # the host's names, and only its own group mounted
        ("/", "/"),  # names of its own
        ("/../../1f", "/"),  # outside of what it sees
        ("/docker/1f", "/docker/2e"),
    ],
)
def test_a_container_sees_its_quota_at_the_mount_point(
    tmp_path: Path, group: str, top: str
) -> None:
    mounts = V2.replace("0:26 / ", f"0:26 {top} ")
    root = system(tmp_path / "v2", f"0::{group}\n", mounts, **{"cpu.max": "200000 100000"})
    assert cores.available(root, MANY) == 2
    mounts = V1.replace(" / /sys/fs/cgroup/cpu,", f" {top} /sys/fs/cgroup/cpu,")
    root = system(tmp_path / "v1", f"5:cpu,cpuacct:{group}\n", mounts, **v1("", "200000"))
    assert cores.available(root, MANY) == 2


def test_both_versions_may_be_mounted(tmp_path: Path) -> None:
    mounts = V1 + V2.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/unified ")
    groups = "5:cpu,cpuacct:/a\n0::/a\n"
    files = v1("a/", "200000") | {"unified/a/cpu.max": "400000 100000"}
    assert cores.available(system(tmp_path, groups, mounts, **files), MANY) == 2


def test_the_mount_point_may_be_anywhere_and_have_a_space(tmp_path: Path) -> None:
    mounts = V2.replace("/sys/fs/cgroup", r"/control\040groups")
    root = system(tmp_path, "0::/a:b\n", mounts)
    write(root / "control groups" / "a:b" / "cpu.max", "200000 100000\n")
    assert cores.available(root, MANY) == 2


def test_the_cores_that_a_process_is_bound_to_may_be_fewer(tmp_path: Path) -> None:
    root = system(tmp_path, "0::/\n", V2, **{"cpu.max": "400000 100000"})
    assert [cores.available(root, bound) for bound in (1, 3, 4, 5)] == [1, 3, 4, 4]


@pytest.mark.parametrize(
    "content", ["", "\n", "many 100000", "-5 100000", "1e5 100000", "200000 0", "0 100000", "\0²"]
)
def test_a_malformed_quota_is_none(tmp_path: Path, content: str) -> None:
    root = system(tmp_path / "v2", "0::/\n", V2, **{"cpu.max": content})
    assert cores.available(root, MANY) == MANY
    root = system(tmp_path / "v1", "5:cpu,cpuacct:/\n", V1, **v1("", content))
    assert cores.available(root, MANY) == MANY


@pytest.mark.parametrize(
    ("groups", "mounts"),
    [
        ("", V2),
        ("nonsense", V2),
        ("::\n:\n0::\n", V2),
        ("0::/\n", "nonsense - cgroup2\n - \n31 23 0:28 / - cgroup2 cgroup2 rw\n"),
        ("0::/\n", ""),
    ],
)
def test_malformed_lists_of_groups_and_mounts_leave_the_usual_places(
    tmp_path: Path, groups: str, mounts: str
) -> None:
    root = system(tmp_path, groups, mounts, **{"cpu.max": "200000 100000"})
    assert cores.available(root, MANY) == 2


def test_files_that_cannot_be_read_are_no_quota(tmp_path: Path) -> None:
    assert cores.available(tmp_path, MANY) == MANY
    (tmp_path / "proc/self/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/cpu.max").mkdir(parents=True)
    assert cores.available(tmp_path, MANY) == MANY
    root = system(tmp_path / "other", "0::/\n", V2)
    (root / "sys/fs/cgroup").mkdir(parents=True)
    (root / "sys/fs/cgroup/cpu.max").write_bytes(b"\xff\xfe 100000")
    assert cores.available(root, MANY) == MANY


def test_this_machine_has_cores() -> None:
    assert 1 <= cores.available() <= cores.bound_cores() <= (os.cpu_count() or 1)
