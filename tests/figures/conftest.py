import matplotlib.collections
import pytest

from pipeline.figures.style import StyleConfig, applied
from pipeline.runtime.formats import drawings


@pytest.fixture
def style():
    """The smallest style, with the project's settings in force."""
    config = StyleConfig(dpi=50, font_size=6.0, panel_width=1.6, panel_height=1.3)
    with applied(config):
        yield config


@pytest.fixture
def assert_labelled():
    def check(figure):
        for axes in figure.axes:
            assert axes.get_xlabel(), axes.get_title(loc="left")
            assert axes.get_ylabel(), axes.get_title(loc="left")

    return check


@pytest.fixture
def bands():
    """Return the shaded bands of a panel, each as its (x, y) outline."""

    def found(axes):
        kind = matplotlib.collections.FillBetweenPolyCollection
        shaded = [c for c in axes.collections if isinstance(c, kind)]
        return [c.get_paths()[0].vertices for c in shaded]

    return found


@pytest.fixture
def assert_same_bytes(tmp_path):
    """Draw and write twice: the files must be the same."""

    def check(draw):
        for folder in ("one", "two"):
            drawings.write_figure(tmp_path / folder / "figure", draw())
        for suffix in (".png", ".svg"):
            first, second = (
                (tmp_path / f / f"figure{suffix}").read_bytes() for f in ("one", "two")
            )
            assert first == second
            assert len(first) > 1000

    return check
