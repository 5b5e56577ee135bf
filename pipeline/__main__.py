"""The shell: ``python -m pipeline STAGE`` and the commands beside the stages.

params.yaml -> the stage's ``run`` -> its files, complete -> tracking. The only place where stages
meet exit codes.
"""

import gc
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run one command; return the exit code."""
    # MLflow's and DVC's children end on SIGTERM with a traceback unless it is an exit.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    from pipeline import commands

    return commands.run(sys.argv[1:] if arguments is None else arguments, root)


if __name__ == "__main__":
    code = main()
    # At its end Python would look through all objects of torch and MLflow for garbage: a second.
    gc.freeze()
    sys.exit(code)
