import pandas as pd
import pytest

from figures.memory.test_scaling import points
from pipeline.figures.memory import to_the_end


def test_p7_is_drawn_by_tokens_layers_and_widths(style, assert_labelled):
    deep = points("P7", d=(4,), N=70, n_layers=3, published=False)
    figure = to_the_end.large(style, pd.concat([points("P7", d=(3,), published=False), deep]), {})
    assert {line.get_label(): line.get_ydata().tolist() for line in figure.axes[0].lines} == {
        "N = 50, d = 3, 1 layer": pytest.approx([0.03, 0.18, 0.33]),
        "N = 70, d = 4, 3 layers": pytest.approx([0.04, 0.24, 0.44]),
    }
    assert "over all contexts alike; 5 seeds" in figure.get_suptitle()
    assert_labelled(figure)


def test_p7_that_was_not_run_is_said_in_words_without_an_axis(style):
    figure = to_the_end.large(style, points("P6"), {})
    assert figure.axes == []
    assert to_the_end.OFF in [text.get_text() for text in figure.texts]


ENDING = {"at_the_end": 2, "models": 3, "tolerance": 0.03}
ADVANTAGE = {"mlp_advantage": 0.04, "mlp_advantage_low": 0.03, "mlp_advantage_high": 0.05}


def test_both_memories_of_p5_are_drawn_over_their_parameters(style, assert_labelled):
    mlp = points("P5", n_heads=(1,), mlp_width=30, parameters=650, accuracy=0.9)
    table = pd.concat([points("P5"), mlp])
    figure = to_the_end.mlp(style, table, {"all": ADVANTAGE, "ending": ENDING})
    attention, with_mlp = figure.axes[0].lines
    assert attention.get_xydata().tolist() == [
        [100, pytest.approx(0.03)], [600, pytest.approx(0.18)], [1100, pytest.approx(0.33)],
    ]  # fmt: skip
    # One head has no MLP to stand for: it is the first of both.
    assert with_mlp.get_xydata().tolist() == [[100, pytest.approx(0.03)], [650, 0.9]]
    assert "0.040 [0.030, 0.050]" in figure.get_suptitle()
    assert "no points in common" in to_the_end.mlp(style, table, {}).get_suptitle()
    assert_labelled(figure)


def test_p6_tells_its_sizes_and_how_often_it_is_above_the_bound(style):
    table = points("P6", d=(2,), d_head=2, N=10, n=20)
    title = to_the_end.small(style, table, {"ending": ENDING}).get_suptitle()
    assert "d = 2, d_h = 2, N = 10 (20 seeds)" in title
    # Lower ends are 0.018, 0.108 and 0.198; the bound is 0.02.
    assert "above the lower bound at 2 of 3 points" in title


def test_a_quarter_of_the_steps_is_drawn_beside_all_of_them(style):
    early = points("P6_quarter", d=(2,), accuracy=0.5)
    figure = to_the_end.small(style, pd.concat([points("P6", d=(2,)), early]), {"ending": ENDING})
    drawn = [line for line in figure.axes[0].lines if line.get_label() == to_the_end.EARLY]
    assert drawn[0].get_ydata().tolist() == [0.5] * 3
    assert "2 of 3 models" in figure.get_suptitle()


def test_layers_stand_at_the_heads_of_all_of_them(style):
    deep = points("P7", d=(4,), N=70, n_layers=3, published=False)
    figure = to_the_end.large(style, deep, {})
    assert figure.axes[0].lines[0].get_xdata().tolist() == [3, 18, 33]
    assert "trained once" in figure.get_suptitle()
