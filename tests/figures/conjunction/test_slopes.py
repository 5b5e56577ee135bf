import pandas as pd
import pytest

from figures.conjunction.test_scaling import ABOUT, SEARCH
from pipeline.figures.conjunction.slopes import slopes

TABLE = pd.DataFrame(
    [("mlp", 16, 32, 0.9, 0.5, 1.2), ("mlp", 32, 64, 1.1, 0.8, 1.3),
     ("cls_head", 16, 32, 0.2, -0.1, 0.4)],
    columns=["learner", "near", "far", "slope", "low", "high"],
)  # fmt: skip


def test_each_learners_slopes_stand_between_their_t_with_intervals(style):
    [axis] = slopes(style, TABLE, SEARCH).axes
    assert axis.get_legend_handles_labels()[1] == ["MLP", "one query (CLS)"]
    mlp = axis.containers[0]
    assert list(mlp[0].get_ydata()) == [0.9, 1.1]
    # Two learners stand apart by 4 %, half of it to each side.
    assert list(mlp[0].get_xdata()) == pytest.approx([22.6, 45.3], rel=0.05)
    ends = [segment[:, 1].tolist() for segment in mlp[2][0].get_segments()]
    assert ends[0] == pytest.approx([0.5, 1.2])


def test_the_title_says_of_what_and_ticks_are_the_t(style, assert_named):
    figure = slopes(style, TABLE, SEARCH)
    assert ABOUT in figure.get_suptitle()
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["16", "32", "64"]
    assert_named(figure)
