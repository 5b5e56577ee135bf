import numpy as np
import pytest

from pipeline.figures.memory import mechanism
from pipeline.labs.memory.measure.mechanism import HeadArrays, MapArrays, VectorArrays

G = np.random.default_rng(0)


def told(n=5, **medians):
    """Results with intervals of +- 0.1."""
    return {"n": n} | {
        f"{name}{end}": value + shift
        for name, value in medians.items()
        for end, shift in (("", 0.0), ("_low", -0.1), ("_high", 0.1))
    }


def title(figure):
    return figure.get_suptitle()


def test_each_head_has_its_map_and_all_share_the_singular_values(style, assert_same_bytes):
    arrays = MapArrays(
        maps=G.random((2, 4, 4)), possible=np.eye(4, dtype=bool),
        singular=G.random((3, 4)) + 0.1, singular_seen=G.random((3, 2)) + 0.1, seed=np.array(7),
    )  # fmt: skip
    results = {"heads_seen": told(effective_rank=2.5)}
    figure = mechanism.maps(style, arrays, results)
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert [image.get_array().tolist() for image in images] == arrays.maps.tolist()
    assert {image.get_clim() for image in images} == {(0, 1)}
    for axes in figure.axes[:2]:
        assert axes.lines[0].get_xydata().tolist() == [[k, k] for k in range(4)]
    last = figure.axes[2]
    assert last.lines[0].get_ydata().tolist() == arrays.singular[0].tolist()
    assert last.lines[1].get_ydata().tolist() == arrays.singular_seen[0].tolist()
    assert "seed 7, the median one" in title(figure)
    assert "the 4 of 16 contexts" in title(figure)
    assert "the 4 first tokens that occur: 2.50 [2.40, 2.60] (5 seeds)" in title(figure)
    assert_same_bytes(lambda: mechanism.maps(style, arrays, results))


@pytest.fixture
def parts():
    possible = np.ones((4, 4), dtype=bool)
    possible[0] = False
    alone, attribution, coordinates = (G.standard_normal((2, 4, 4)) for _ in range(3))
    return HeadArrays(
        logit_difference=alone, total_logit_difference=alone.sum(0),
        direct_logit_attribution=attribution, unembedding_coordinates=coordinates,
        gram=np.eye(4), possible=possible, seed=np.array(3),
    )  # fmt: skip


HEADS = {
    "heads": told(
        n=4, best_head_positive=0.8, worst_head_positive=0.6, logit_difference_positive=0.9
    )
}


def test_signed_maps_are_white_at_zero_and_blank_where_no_context_is(style, parts):
    figure = mechanism.heads(style, parts, HEADS)
    first = figure.axes[0].images[0]
    low, high = first.get_clim()
    assert low == -high
    assert bool(np.isnan(np.ma.filled(first.get_array()[0], np.nan)).all())
    assert first.get_array()[1].tolist() == parts.logit_difference[0][1].tolist()


def test_the_heads_are_told_in_a_sentence_and_drawn_of_the_seed_that_it_names(style, parts):
    figure = mechanism.heads(style, parts, HEADS)
    assert (
        "By the best head alone 0.80 [0.70, 0.90], by the worst 0.60 [0.50, 0.70], by all together "
        "0.90 [0.80, 1.00] (4 seeds)"
    ) in title(figure)
    assert "seed 3, the median one" in title(figure)
    rows = [axes for axes in figure.axes if axes.images]
    drawn = {axes.get_title(loc="left"): axes.images[0].get_array() for axes in rows}
    for k in (0, 1):
        attribution = drawn[f"head {k}, direct logit attribution"]
        assert attribution.tolist() == parts.direct_logit_attribution[k].tolist()
        coordinates = drawn[f"head {k}, pseudo-inverse basis"]
        assert coordinates.tolist() == parts.unembedding_coordinates[k].tolist()
    assert drawn["all heads together"][1].tolist() == parts.total_logit_difference[1].tolist()
    assert drawn["U U$^T$"].tolist() == np.eye(4).tolist()
    both = (parts.direct_logit_attribution > 0).all(0).astype(float)
    assert drawn["raised by all heads"].tolist() == both.tolist()


def test_vectors_and_their_cosines_are_drawn(style, assert_same_bytes):
    names = ("low_rank_U", "low_rank_e", "attention_U", "attention_e", "inputs")
    squares = {name: G.standard_normal((9,) * 2 if "_e" in name else (3, 3)) for name in names}
    arrays = VectorArrays(**squares, cosines=G.random((2, 9)), seed=np.array(2))
    results = {"low_rank": told(cosine=0.7), "attention": told(cosine=0.5)}
    figure = mechanism.superposition(style, arrays, results)
    drawn = [axes.images[0].get_array().tolist() for axes in figure.axes if axes.images]
    assert drawn == [squares[name].tolist() for name in names]
    counts = figure.axes[2].patches[0].get_path().vertices[:, 1]
    assert counts.max() == np.histogram(arrays.cosines[0], np.linspace(-1, 1, 41))[0].max()
    assert "(5 seeds):" in title(figure)
    assert "low-rank 0.70 [0.60, 0.80], attention 0.50 [0.40, 0.60]" in title(figure)
    assert "seed 2, the median one by attention's" in title(figure)
    assert_same_bytes(lambda: mechanism.superposition(style, arrays, results))
