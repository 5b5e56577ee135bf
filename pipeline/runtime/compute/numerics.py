"""How a process computes here: with one numeric thread, deterministically, and keeping its memory.

A sum that several threads share is added in another order, which changes its last bits; and
workers that each start a thread for every core are in each other's way. So torch, and the BLAS and
OpenMP libraries that numpy, scipy and scikit-learn bring, get one thread in every process that
computes, whatever the user's environment says.
"""

import ctypes
import os
import threading
from collections.abc import MutableMapping

# Read by the libraries when they are loaded; the one with the most specific name has the last word.
ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
# cuBLAS adds in one order only with a fixed workspace; torch refuses to multiply without one.
FIXED_WORKSPACE = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
OVERRULING = ("MKL_DOMAIN_NUM_THREADS",)  # MKL's numbers for parts of it
# glibc's mallopt(3), and the values that keep every freed array for the next.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
NEVER_TRIM, NEVER_MMAP = 2**31 - 1, 0

_this_thread = threading.local()


def set_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Give one thread to each numeric library that this process or its children load from now on.

    To be called before they are loaded: OpenBLAS starts its threads then, and fails where a
    container allows fewer.
    """
    environment.update(dict.fromkeys(ONE_THREAD, "1") | FIXED_WORKSPACE)
    for name in OVERRULING:
        environment.pop(name, None)


def use_one_thread(*, torch: bool = True) -> None:
    """Compute with one numeric thread and deterministic algorithms in this thread of execution.

    Without ``torch`` it is not imported: a stage that does without it starts faster.
    """
    set_environment()
    if torch:
        _set_torch()
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)
    keep_freed_memory()


def use_one_thread_once() -> None:
    """Do :func:`use_one_thread` in a thread's first call only: OpenMP counts for each thread."""
    if not getattr(_this_thread, "is_set", False):
        use_one_thread()
        _this_thread.is_set = True


def _set_torch() -> None:
    import torch

    torch.set_num_threads(1)
    # What torch.use_deterministic_algorithms sets, without its 2 s import of the compiler.
    torch.set_deterministic_debug_mode("error")


def keep_freed_memory() -> bool:
    """Let this process keep the memory of freed arrays for the next ones; tell whether it will.

    glibc gives an array of more than 32 MiB back to the system when it is freed, and a training
    step that makes the same arrays again pays for every page of them again: up to half of its time.
    Another C library is left as it is (False).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; another system
        return False
    return bool(mallopt(M_MMAP_MAX, NEVER_MMAP) and mallopt(M_TRIM_THRESHOLD, NEVER_TRIM))
