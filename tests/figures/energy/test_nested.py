import pandas as pd
import pytest

from pipeline.figures.energy.nested import nested

QUANTITIES = (
    "every_own_small",
    "every_own_full",
    "every_joint_small",
    "every_joint_full",
    "through",
)


def table():
    rows = [
        {"model": model, "description": f"{model}, in words", "order": order, "quantity": name,
         "median": 0.1 * k + 0.05 * j, "low": 0.1 * k, "high": 0.1 * k + 0.2, "n": 3}
        for model in ("first", "second")
        for j, order in enumerate(("own", "shuffled"))
        for k, name in enumerate(QUANTITIES)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_both_orders_stand_beside_each_other_in_every_panel(style):
    figure = nested(style, table(), share=0.95)
    own, joint, through = figure.axes
    assert [len(axes.containers) for axes in (own, joint, through)] == [4, 4, 2]
    dots = through.containers[1].lines[0]
    assert dots.get_xdata().tolist() == pytest.approx([0.45, 0.45])
    assert abs(dots.get_ydata() - [0, 1]).max() < 0.5
    assert "0.95 of inputs" in figure.get_suptitle()


def test_models_are_named_in_words_at_the_left(style):
    own, joint, _ = nested(style, table(), share=0.95).axes
    assert [t.get_text() for t in own.get_yticklabels()] == [
        "first,\nin words",
        "second,\nin words",
    ]
    assert [t.get_text() for t in joint.get_yticklabels()] == ["", ""]


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: nested(style, table(), share=0.95))
