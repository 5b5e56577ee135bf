import pytest

from pipeline.labs.conjunction.data.task import TaskConfig


@pytest.fixture
def task():
    return TaskConfig(
        function="sparse_and_query", positions=6, targets=2, p=None, tolerance=None,
        identifiable=False, max_draws=1,
    )  # fmt: skip


@pytest.fixture
def assert_named():
    """Every axis of data has names, or ticks of words in their place."""

    def check(figure):
        for axes in figure.axes:
            if axes.get_label() == "<colorbar>" or not axes.has_data():
                continue
            for axis in (axes.xaxis, axes.yaxis):
                ticks = [label.get_text() for label in axis.get_ticklabels()]
                words = [t for t in ticks if t[:1].isalpha()]  # numbers begin with a digit or $
                assert axis.get_label_text() or words, axes.get_title(loc="left")

    return check
