import math

import pandas as pd
import pytest

from figures.memory.test_mechanism import told
from pipeline.figures.memory import theory


def spanned(**medians):
    return told(
        **({"distance": 0.5, "distance_to_W": 1.0, "random": 2.0, "uniform": 0.5} | medians)
    )


def test_distances_are_drawn_over_the_random_baseline_by_rank_and_by_scale(style, assert_labelled):
    cases = [(0.1, 5), (0.1, 6), (1.0, 6)]
    table = pd.DataFrame(
        [
            {"alignment": a, "logit_scale": c, "rank": r, "seed": s, "d": 4, "distance": 0.1 * r,
             "distance_to_W": 0.2 * r, "random": 2.0, "uniform": c}
            for a in ("aligned", "unaligned")
            for c, r in cases
            for s in (0, 1, 2)
        ]
    )  # fmt: skip
    results = {}
    for a in ("aligned", "unaligned"):
        for r in (5, 6):
            results[f"{a}_rank{r}"] = spanned(distance=0.1 * r, distance_to_W=0.2 * r, uniform=0.1)
        results[f"{a}_scale_1"] = spanned(distance=1.5, uniform=0.9)
    figure = theory.geometry(style, table, results)
    by_rank, by_W, by_scale = figure.axes[:3]
    assert by_rank.lines[0].get_ydata().tolist() == pytest.approx([0.5, 0.6])
    assert by_W.lines[0].get_ydata().tolist() == pytest.approx([1.0, 1.2])
    assert by_rank.lines[1].get_ydata().tolist() == [2.0, 2.0]
    # Of the greatest rank, from the ranks' own scale on.
    assert by_scale.lines[0].get_xdata().tolist() == [0.1, 0.9]
    assert by_scale.lines[0].get_ydata().tolist() == pytest.approx([0.6, 1.5])
    assert "the distribution's 4 leading directions\n(dots: 3 seeds" in figure.get_suptitle()
    assert_labelled(figure)


NAMES = ("trained", "second_order", "least_squares", "truncated", "uniform")


def test_the_theory_and_its_rivals_are_drawn_over_the_distance_from_uniform(style, assert_labelled):
    table = pd.DataFrame({"logit_scale": [1.0, 30.0]})
    results = {}
    for scale, nats in ((1, 0.2), (30, 1.5)):
        medians = {name: nats * (k + 2) for k, name in enumerate(NAMES)}
        errors = {f"error_{name}": 0.3 * nats for name in NAMES[1:-1]}
        results[f"scale_{scale}"] = told(n=6, **(medians | errors | {"uniform": nats}))
    figure = theory.second_order(style, table, results)
    left, right = figure.axes[:2]
    assert [line.get_xdata().tolist() for line in left.lines] == [[0.2, 1.5]] * 5
    assert left.lines[1].get_ydata().tolist() == pytest.approx([0.6, 4.5])
    assert len(right.lines) == 3
    assert "by 0.060 [-0.040, 0.160] of the trained ones at 0.2 nats" in figure.get_suptitle()
    assert "by 0.45 [0.35, 0.55] at 1.5 nats" in figure.get_suptitle()
    assert_labelled(figure)


def test_the_contexts_a_is_b_are_drawn_apart_in_every_source(style, assert_same_bytes):
    plain = {"first": [0, 0, 1, 1], "second": [0, 1, 0, 1], "ratio": [1.0, 2.0, 3.0, 1.1]}
    printed = pd.DataFrame(plain | {"source": "printed", "ratio_in_order": math.nan})
    own = pd.DataFrame(plain | {"source": "seed 4", "ratio_in_order": [0.9, 0.95, 0.97, 0.99]})
    results = {
        "printed": {"contexts": 4, "equal_greatest": 1.1, "other_least": 2.0},
        "transposed": told(n=6, equal_greatest=1.2, other_least=2.5),
    }
    figure = theory.transposition(style, pd.concat([printed, own]), results)
    lines = figure.axes[0].lines[:-1]
    assert [line.get_ydata().tolist() for line in lines] == [
        [1.0, 1.1], [2.0, 3.0], [1.0, 1.1], [2.0, 3.0], [0.9, 0.99], [0.95, 0.97],
    ]  # fmt: skip
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert ticks == ["printed by the\nnotebook", "transposed,\nseed 4", "in order,\n1 seed"]
    assert "up to 1.10, all others from 2.00" in figure.get_suptitle()
    assert "up to 1.20 [1.10, 1.30], others from 2.50 [2.40, 2.60] (6 seeds)" in (
        figure.get_suptitle()
    )
    assert_same_bytes(lambda: theory.transposition(style, pd.concat([printed, own]), results))
