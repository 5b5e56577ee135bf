"""numerics: every library computes with one thread, whatever the user's environment says."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_info

from pipeline.__main__ import ROOT
from pipeline.runtime.compute import numerics

FOUR = dict.fromkeys((*numerics.ONE_THREAD, *numerics.OVERRULING), "4")


def test_the_environment_gets_one_thread_whatever_it_said() -> None:
    environment = {"HOME": "/home/a", "MKL_DOMAIN_NUM_THREADS": "MKL_BLAS=4"} | FOUR
    numerics.set_environment(environment)
    assert environment == {
        "HOME": "/home/a",
        **dict.fromkeys(numerics.ONE_THREAD, "1"),
        **numerics.FIXED_WORKSPACE,
    }


# What is loaded before and after the call, with the user's four threads a library.
POOLS = """
import json, sys
from importlib import import_module
from pipeline.runtime.compute import numerics

with_torch, before, after = json.loads(sys.argv[1])
for name in before:
    import_module(name)
numerics.use_one_thread(torch=with_torch)
for name in after:
    import_module(name)
from threadpoolctl import threadpool_info
print(json.dumps([[pool["filepath"], pool["num_threads"]] for pool in threadpool_info()]))
print(json.dumps("torch" in sys.modules))
"""


@pytest.mark.parametrize(
    ("before", "after", "libraries"),
    [
        (["numpy"], ["scipy.linalg"], ["numpy", "scipy"]),
        ([], ["numpy", "sklearn.cluster"], ["numpy", "scipy", "scikit_learn"]),
    ],
    ids=["loaded before", "loaded after"],
)
def test_libraries_have_one_thread_without_torch(
    before: list[str], after: list[str], libraries: list[str]
) -> None:
    pools, imported = _pools(False, before, after)
    assert [count for _, count in pools] == [1] * len(pools)
    assert all(any(library in path for path, _ in pools) for library in libraries)
    assert not imported


def _pools(*request: Any) -> tuple[list[tuple[str, int]], bool]:
    told = subprocess.run(
        [sys.executable, "-c", POOLS, json.dumps(request)],
        env=os.environ | FOUR,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    pools, imported = map(json.loads, told.stdout.splitlines())
    return pools, imported


def test_this_very_process_has_one_thread_a_library() -> None:
    import sklearn.cluster  # noqa: F401 - both bring libraries of their own

    assert {Path(pool["filepath"]).name: pool["num_threads"] for pool in threadpool_info()} == {
        Path(pool["filepath"]).name: 1 for pool in threadpool_info()
    }


KEEPING = """
import resource, sys, torch
from pipeline.runtime.compute import numerics

torch.set_num_threads(1)
if sys.argv[1] == "keep":
    assert numerics.keep_freed_memory()
for step in range(30):
    if step == 20:  # the heap has found its size
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(2**24)  # 64 MiB, more than glibc keeps by itself
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_freed_memory_is_kept_for_the_next_array() -> None:
    faults = {
        word: int(
            subprocess.run(
                [sys.executable, "-c", KEEPING, word], capture_output=True, text=True, check=True
            ).stdout
        )
        for word in ("keep", "give")
    }
    assert faults["give"] >= 10  # ten arrays of a page at least, however large the system's pages
    assert faults["keep"] < faults["give"] / 10


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numerics.ctypes, "CDLL", lambda name: object())
    assert numerics.keep_freed_memory() is False
