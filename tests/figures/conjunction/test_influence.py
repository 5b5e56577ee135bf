import numpy as np
import pytest

from pipeline.figures.conjunction.influence import influence
from pipeline.figures.style import COLOURS
from pipeline.labs.conjunction.report.influence import InfluenceGraphs

METHODS = ("attention_key", "bit_flip", "my_method")


def graphs(values=None, methods=METHODS):
    hits = np.zeros((len(methods), 2, 10), dtype=bool)
    for k in range(len(methods)):
        hits[k, :, : (3, 9, 5)[k]] = True
    drawn = np.random.default_rng(0).normal(size=(len(methods), 2, 6)) if values is None else values
    return InfluenceGraphs(
        methods=methods, influence=drawn, targets=np.array([[0, 2], [1, 4]]), seed=np.array(4),
        hits=hits,
    )  # fmt: skip


def test_the_title_says_which_method_finds_the_targets_how_often(style, task):
    title = influence(style, graphs(), task).get_suptitle()
    assert "The 2 strongest are the active rule's targets in 18 of 20 cases" in title
    assert "by the change of the logit by a bit flip, the others in 6 to 10" in title
    assert "AND of 2 of 5 bits (rule bit), balanced" in title
    assert "of seed 4, which has the median number of hits; hits over 10 seeds × 2 rules" in title


def test_one_method_alone_is_compared_with_none(style, task):
    title = influence(style, graphs(methods=("bit_flip",)), task).get_suptitle()
    assert "in 6 of 20 cases by the change of the logit by a bit flip\n" in title


def test_every_method_says_its_name_and_its_hits(style, task):
    figure = influence(style, graphs(), task)
    assert len(figure.axes) == 6
    titles = [axes.get_title(loc="left") for axes in figure.axes[:3]]
    assert titles == [
        "readout × attention, by key\nhits: 6 of 20",
        "change of the logit\nby a bit flip\nhits: 18 of 20",
        "my method\nhits: 10 of 20",
    ]


def test_a_graph_has_a_line_a_token_as_wide_as_its_influence(style, task):
    values = np.zeros((1, 2, 6))
    values[0, :, 2], values[0, :, 4] = 4.0, -2.0
    figure = influence(style, graphs(values, ("bit_flip",)), task)
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    widths = [line.get_linewidth() for line in lines]
    assert widths == pytest.approx([0.3, 0.3, 5.3, 0.3, 2.8, 0.3])
    assert (lines[2].get_color(), lines[4].get_color()) == (COLOURS[1], COLOURS[0])


def test_the_active_rules_targets_are_green(style, task):
    figure = influence(style, graphs(), task)
    for axes, targets in ((figure.axes[0], [0, 2]), (figure.axes[3], [1, 4])):
        dots = [line for line in axes.lines if line.get_marker() == "o"][:-1]
        green = [k for k, dot in enumerate(dots) if dot.get_color() == COLOURS[2]]
        assert green == targets
