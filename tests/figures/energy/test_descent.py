from itertools import pairwise

import pandas as pd
import pytest

from pipeline.figures.energy import names
from pipeline.figures.energy.descent import descent, positions

LOWERED, DOWNHILL = (
    tuple(f"{kind}_{name}" for name in names.DIRECTIONS) for kind in ("lowered", "downhill")
)
COUNTS = {"downhill_excess_above_0": 1, "downhill_excess_below_0": 2, "n_layers": 4}
MODELS = {
    "small": ("1 layer of (2, 2), causal mask", 1),
    "deep": ("3 layers of (8, 4), no mask", 3),
}


def value(model, layer, quantity):
    order = (*LOWERED, *DOWNHILL)
    return 0.05 + 0.1 * order.index(quantity) + 0.02 * layer + 0.01 * (model == "deep")


def table():
    rows = [
        {"model": model, "description": description, "layer": layer, "quantity": quantity,
         "median": value(model, layer, quantity), "low": value(model, layer, quantity) - 0.03,
         "high": value(model, layer, quantity) + 0.05, "n": 3}
        for model, (description, layers) in MODELS.items()
        for layer in range(layers)
        for quantity in (*LOWERED, *DOWNHILL)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def drawn(style):
    return descent(style, table(), COUNTS, "Some models")


def test_the_title_counts_the_layers_on_both_sides(style):
    title = drawn(style).get_suptitle().replace("\n", " ")
    assert title.startswith("E7 Some models:")
    assert "in 1 of all 4 layers, less often in 2 (interval over 3 seeds)" in title


def test_layers_stand_in_order_and_models_apart():
    at, centres = positions(table())
    assert list(at) == [("small", 0), ("deep", 0), ("deep", 1), ("deep", 2)]
    places = list(at.values())
    assert places[1] - places[0] > 1
    assert [b - a for a, b in pairwise(places[1:])] == pytest.approx([1, 1])
    assert centres[1] == ("3 layers of (8, 4), no mask", pytest.approx(places[2]))


def test_every_direction_of_every_layer_is_drawn_with_its_interval(style):
    small, full = drawn(style).axes[:2]
    at, _ = positions(table())
    for axes, kind, directions in ((full, "lowered", 5), (small, "downhill", 5)):
        shown = list(names.DIRECTIONS.items())[:directions]
        for container, (name, label) in zip(axes.containers, shown, strict=True):
            assert container.get_label() == label
            dots, _, (bars,) = container.lines
            expected = [value(model, layer, f"{kind}_{name}") for model, layer in at]
            assert dots.get_ydata().tolist() == pytest.approx(expected)
            # A marker stands less than half a layer from its layer's place.
            assert abs(dots.get_xdata() - list(at.values())).max() < 0.5
            low, high = bars.get_segments()[0][:, 1]
            assert (low, high) == pytest.approx((expected[0] - 0.03, expected[0] + 0.05))


def test_models_are_named_in_words_and_layers_by_number(style):
    figure = drawn(style)
    full = figure.axes[0]
    assert [label.get_text() for label in full.get_xticklabels()] == ["0", "0", "1", "2"]
    (above,) = full.child_axes
    assert [label.get_text() for label in above.get_xticklabels()] == [
        "1 layer of (2, 2)\ncausal mask", "3 layers of (8, 4)\nno mask",
    ]  # fmt: skip
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(
        names.DIRECTIONS.values()
    )


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: drawn(style))
