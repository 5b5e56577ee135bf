import numpy as np
import pandas as pd
import pytest

from pipeline.figures.conjunction.accuracy import accuracy

MODELS = ("attention", "mlp")


def scores():
    rows = [(t, m, s) for t in ("two", "one") for m in MODELS for s in range(4)]
    table = pd.DataFrame(rows, columns=["task", "model", "seed"])
    best = np.where(table.model == "mlp", 0.9, 0.8)
    return table.assign(accuracy=best + 0.02 * table.seed, loss=0.1 / (1 + table.seed))


def table(printed=(0.99, 0.98, np.nan, np.nan)):
    rows = [(t, m) for t in ("two", "one") for m in MODELS]
    table = pd.DataFrame(rows, columns=["task", "model"])
    for k, name in enumerate(("accuracy", "loss")):
        middle = 0.5 + 0.01 * k + 0.1 * table.index
        table = table.assign(**{name: middle, f"{name}_low": 0.4, f"{name}_high": 0.9})
    parameters, p = [65, 9729, 65, 9729], [0.031, 0.031, 0.5, 0.5]
    return table.assign(
        samples=120, parameters=parameters, p_accuracy=p, tutorial_accuracy=printed,
        tutorial_loss=printed,
    )  # fmt: skip


@pytest.fixture
def tasks(task):
    return {"two": task, "one": task.model_copy(update={"targets": 1})}


def test_the_title_says_samples(style, tasks):
    title = accuracy(style, scores(), table(), tasks).get_suptitle()
    assert "after 120 training samples: a line" in title
    assert "star: the tutorial's single run" in title
    without = accuracy(style, scores(), table([np.nan] * 4), tasks)
    assert "star" not in without.get_suptitle()


def test_each_panel_says_its_task_and_its_test(style, tasks):
    figure = accuracy(style, scores(), table(), tasks)
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == [
        "AND of 2 of 5 bits (rule bit), balanced\n4 seeds, Wilcoxon p = 0.031",
        "AND of 1 of 5 bits (rule bit), balanced\n4 seeds, Wilcoxon p = 0.5",
    ]
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == [
        "attention\n65 parameters",
        "MLP\n9,729 parameters",
    ]


def test_each_seed_is_a_line_between_its_two_models(style, tasks):
    first = accuracy(style, scores(), table(), tasks).axes[0]
    pairs = [line for line in first.lines if len(line.get_xdata()) == 2]
    drawn = [line.get_ydata().tolist() for line in pairs]
    assert drawn == [[0.8 + 0.02 * seed, 0.9 + 0.02 * seed] for seed in range(4)]


def test_the_medians_stand_with_their_intervals(style, tasks):
    figure = accuracy(style, scores(), table(), tasks)
    for axes, middles in zip(figure.axes, ([0.5, 0.6], [0.7, 0.8], [0.51, 0.61], [0.71, 0.81]),
                             strict=True):  # fmt: skip
        for bar, middle in zip(axes.containers, middles, strict=True):
            assert float(bar[0].get_ydata()[0]) == pytest.approx(middle)
            ends = bar[2][0].get_segments()[0][:, 1]
            assert ends.tolist() == pytest.approx([0.4, 0.9])


def test_the_tutorials_run_is_a_star_only_where_it_was_printed(style, tasks):
    figure = accuracy(style, scores(), table(), tasks)
    stars = [
        [float(line.get_ydata()[0]) for line in axes.lines if line.get_marker() == "*"]
        for axes in figure.axes
    ]
    assert stars == [[0.99, 0.98], [], [0.99, 0.98], []]


def test_every_axis_is_named(style, tasks, assert_named):
    assert_named(accuracy(style, scores(), table(), tasks))


def test_drawing_twice_gives_the_same_bytes(style, tasks, assert_same_bytes):
    assert_same_bytes(lambda: accuracy(style, scores(), table(), tasks))
