"""A stage that DVC started ends with DVC, even if DVC is killed while the stage's Python starts.

The runner asks the kernel for that, but only after torch is imported, seconds later: what lost its
parent before would run to its end, for nobody, while the next ``dvc repro`` waits for it.
"""

import os
import sys

from pipeline.runtime import locks

STARTED_BY_DVC = "DVC_STAGE"  # DVC sets it for the commands of its stages


def end_with_dvc() -> None:
    """End with the parent from now on; exit at once if DVC started this and is gone already."""
    locks.end_with_parent()
    if STARTED_BY_DVC in os.environ and _adopted():
        sys.exit(1)


def _adopted() -> bool:
    # Whoever starts a process is in its session; who takes in orphans (init) is in another.
    try:
        return os.getsid(os.getppid()) != os.getsid(0)
    except OSError:  # not ours to know
        return False
