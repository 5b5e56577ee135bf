import numpy as np
import pandas as pd
import pytest

from pipeline.figures.memory import inside as memory_inside

G = np.random.default_rng(0)


def test_each_head_has_its_map_and_all_share_the_singular_values(style, assert_same_bytes):
    found = {
        "maps": G.random((2, 4, 4)), "possible": np.eye(4, dtype=bool),
        "singular": G.random((3, 4)) + 0.1, "singular_seen": G.random((3, 2)) + 0.1,
    }  # fmt: skip
    figure = memory_inside.maps(style, found)
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert [image.get_array().tolist() for image in images] == found["maps"].tolist()
    assert {image.get_clim() for image in images} == {(0, 1)}
    for axes in figure.axes[:2]:
        assert axes.lines[0].get_xydata().tolist() == [[k, k] for k in range(4)]
    assert_same_bytes(lambda: memory_inside.maps(style, found))


def test_signed_maps_are_white_at_zero_and_blank_where_no_context_is(style):
    solo = G.standard_normal((2, 4, 4))
    possible = np.ones((4, 4), dtype=bool)
    possible[0] = False
    found = {
        "solo": solo, "group": solo.sum(0), "logits": solo, "coordinates": solo,
        "gram": np.eye(4), "possible": possible,
    }  # fmt: skip
    figure = memory_inside.heads(style, found)
    first = figure.axes[0].images[0]
    low, high = first.get_clim()
    assert low == -high
    assert bool(np.isnan(np.ma.filled(first.get_array()[0], np.nan)).all())
    assert first.get_array()[1].tolist() == solo[0][1].tolist()


def test_vectors_and_their_cosines_are_drawn(style, assert_same_bytes):
    names = ("low_rank_U", "low_rank_e", "attention_U", "attention_e", "inputs")
    found = {name: G.standard_normal((4, 4)) for name in names} | {"cosines": G.random((2, 16))}
    assert_same_bytes(lambda: memory_inside.superposition(style, found))


def test_distances_are_drawn_over_the_random_baseline(style, assert_labelled):
    table = pd.DataFrame(
        [
            {"alignment": a, "rank": r, "seed": s, "distance": 0.1 * r, "distance_to_W": 0.2 * r,
             "random": 2.0}
            for a in ("aligned", "unaligned")
            for r in (5, 6)
            for s in (0, 1, 2)
        ]
    )  # fmt: skip
    figure = memory_inside.geometry(style, table)
    assert figure.axes[0].lines[0].get_ydata().tolist() == pytest.approx([0.5, 0.6])
    assert figure.axes[0].lines[-1].get_ydata().tolist() == [2.0, 2.0]
    assert_labelled(figure)


def test_both_row_orders_stand_side_by_side(style):
    table = pd.DataFrame(
        {"trained": [1e-3], "second_order": [2e-3], "truncated": [3e-3], "uniform": [1e-2],
         "cosine": [0.99], "cosine_transposed": [0.1]}
    )  # fmt: skip
    figure = memory_inside.theory(style, table)
    assert [float(line.get_ydata()[0]) for line in figure.axes[1].lines] == [0.99, 0.1]
