"""Write figures: the same bytes for the same figure. Apart from artifacts, for matplotlib's sake.

Every stage reads and writes files, few draw: a new matplotlib is to rerun these alone.
"""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from pipeline.runtime.files import atomic


def write_figure(path: Path, figure: Figure) -> None:
    """Write a figure as PNG and SVG beside each other, without dates or versions."""
    without: Mapping[str, None]
    for suffix, without in (
        (".png", {"Software": None}),
        (".svg", {"Date": None, "Creator": None}),
    ):
        # The salt makes the names inside an SVG file, else random ones.
        salted = mpl.rc_context({"svg.hashsalt": path.name})
        with salted, atomic(path.with_suffix(suffix)) as temporary:
            figure.savefig(temporary, format=suffix[1:], metadata=without)
        # What is laid out stays so: finding it again for the other file takes half of its time.
        figure.set_layout_engine("none")
