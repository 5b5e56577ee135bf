import pandas as pd
import pytest

from figures.conjunction.test_scaling import ABOUT, SEARCH, complexity
from pipeline.figures.conjunction.added import added

LEARNERS = ["mlp", "cls_head", "added_l1", "ablated_bias"]
PERFECT = {
    "s2": SEARCH.model_copy(update={"function": "sparse_and_query", "targets": 2, "threshold": 1.0})
}


def table():
    needed = complexity(LEARNERS)
    needed.loc[needed.learner == "mlp", "samples"] *= 5
    asked = complexity(["perfect_s2"]).head(1).assign(positions=17)
    return pd.concat([needed, asked], ignore_index=True)


def test_learners_stand_at_the_largest_t_of_the_additions_the_neediest_first(style):
    left, _ = added(style, table(), SEARCH, PERFECT).axes
    assert [t.get_text() for t in left.get_yticklabels()] == [
        "MLP", "one query (CLS)", "MLP, L1 on its first layer",
    ]  # fmt: skip
    assert list(left.containers[0][0].get_xdata()) == pytest.approx([160, 32, 32])
    # The bound: twice what one query needs.
    [bound] = [line for line in left.lines if line.get_linestyle() == ":"]
    assert list(bound.get_xdata()) == pytest.approx([64, 64])
    assert left.get_title(loc="left").startswith("$T$ = 64")


def test_the_tasks_of_which_all_is_asked_are_told_in_words(style):
    figure = added(style, table(), SEARCH, PERFECT)
    right = figure.axes[1]
    assert [t.get_text() for t in right.get_yticklabels()] == [
        "AND of 2 of 16 bits (rule bit), balanced"
    ]
    assert right.get_title(loc="left") == "the MLP: 100 % median accuracy"
    assert ABOUT in figure.get_suptitle()


def test_without_any_sample_size_found_the_axes_stay_empty(style, assert_named):
    figure = added(style, complexity([]), SEARCH, PERFECT)
    figure.draw_without_rendering()


def test_every_axis_is_named(style, assert_named):
    assert_named(added(style, table(), SEARCH, PERFECT))
