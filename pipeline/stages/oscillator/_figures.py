"""What the oscillator's figure stages share: reading rollouts, writing figures."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from pipeline.figures.oscillator.rollouts import Rollouts
from pipeline.runtime import artifacts, drawings

ROLLOUTS = {
    "names": "str model",
    "predicted": "float64 model step 2",
    "true": "float64 model step 2",
    "error": "float64 model 3 step",
}


def read_rollouts(path: Path) -> Rollouts:
    """Read what a measuring stage wrote with ``write_rollouts``."""
    arrays = artifacts.read_npz(path, **ROLLOUTS)
    names = [str(name) for name in arrays.pop("names")]
    return Rollouts(names, **arrays)


def write(out: Path, figures: Mapping[str, Figure]) -> None:
    """Write each figure as PNG and SVG."""
    for name, figure in figures.items():
        drawings.write_figure(out / name, figure)
