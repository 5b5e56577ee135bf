import pandas as pd
import pytest

from pipeline.figures.memory import divergence
from pipeline.figures.memory.labels import FREEZES, SKIPS

BASE = pd.DataFrame(
    {"distributions": ["certain", "uncertain"], "N": 10, "uniform": [2.3, 0.8],
     "entropy": [0.0, 1.5], "low_rank": [0.0, 0.1]}
)  # fmt: skip


def history(**other):
    """Two objectives on two entries; ``other`` adds to the loss of one of the models."""
    return pd.DataFrame(
        [
            {"model": f"{name}_{o}", "seed": seed, "step": step,
             "loss": 2.0 / step + other.get(f"{name}_{o}", 0.0), "accuracy": 0.1 * step}
            for name in BASE.distributions
            for o in ("divergence", "next_token")
            for seed in (0, 1)
            for step in (1, 2, 3)
        ]
    )  # fmt: skip


def test_a_next_token_loss_is_drawn_less_the_entropy(style, assert_labelled):
    figure = divergence.curves(style, history(), BASE)
    loss, accuracy = figure.axes[2:4]  # of the uncertain distribution
    assert loss.lines[0].get_ydata()[0] == pytest.approx(2.0)
    assert loss.lines[2].get_ydata()[0] == pytest.approx(0.5)
    assert [line.get_ydata()[0] for line in loss.lines[-2:]] == [0.8, 0.1]
    assert accuracy.lines[0].get_ydata().tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert accuracy.lines[-1].get_ydata()[0] == 0.1
    assert "2 seeds" in figure.get_suptitle()
    assert_labelled(figure)


def test_lines_are_said_to_coincide_only_where_they_do(style):
    both = divergence.curves(style, history(), BASE).get_suptitle()
    assert "is certain, uncertain the lines coincide" in both
    one = divergence.curves(style, history(uncertain_next_token=0.1), BASE).get_suptitle()
    assert "is certain the lines coincide" in one
    none = {"certain_divergence": 0.1, "uncertain_divergence": 0.1}
    assert "coincide" not in divergence.curves(style, history(**none), BASE).get_suptitle()


def results(names, n=3):
    return {
        name: {"n": n}
        | {
            f"{quantity}{suffix}": k + value
            for quantity in ("divergence", "accuracy")
            for suffix, value in (("", 0.2), ("_low", 0.1), ("_high", 0.4))
        }
        for k, name in enumerate(names)
    }


def test_bars_come_best_first_with_their_intervals_in_words(style):
    figure = divergence.bars(style, results(["all_but_O", "my_own"][::-1]), "M2", FREEZES)
    left, right = figure.axes
    words = [label.get_text() for label in left.get_yticklabels()]
    assert words == ["my own", "all but the output maps"]
    for axes in (left, right):
        assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.2, 1.2])
        ends = axes.collections[0].get_segments()
        assert [[x for x, _ in end] for end in ends] == [
            pytest.approx([0.1, 0.4]), pytest.approx([1.1, 1.4]),
        ]  # fmt: skip
    assert figure.get_suptitle() == "M2: medians of 3 seeds, least divergence first"


def test_parts_left_out_are_told_in_words(style):
    figure = divergence.bars(style, results(["none", "residual+emb_OV"]), "M4", SKIPS)
    words = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert words == ["nothing", "residual, embeddings in OV"]


def compared():
    return pd.DataFrame(
        [
            {"alpha_1": a, "alpha_2": b, "N": 12, "d": 4, "mlp_width": 30, "n_layers": 2,
             "n_heads": 1, "n": 1, "published_divergence": b + 1,
             **{f"{name}{end}": factor * b for end in ("", "_low", "_high")
                for name, factor in (("divergence", 1), ("low_rank_divergence", 0.5),
                                     ("uniform_divergence", 2))},
             "published_low_rank_divergence": b / 3, "published_uniform_divergence": 2 * b}
            for a in (0.5, 0.9)
            for b in (0.1, 0.5)
        ]
    )  # fmt: skip


def test_ours_and_the_published_losses_share_a_panel(style, assert_same_bytes):
    verdict = {"worst_ratio_to_published": 0.85}
    figure = divergence.scaling(style, compared(), verdict)
    # Three curves, the published points of each, and the legend's empty circle.
    assert [len(axes.lines) for axes in figure.axes] == [7, 7]
    lines = figure.axes[0].lines
    assert lines[-1].get_label() == "the same, published"
    assert lines[0].get_label() == "attention memory (layers: 2, MLP: 30)"
    assert [line.get_ydata().tolist() for line in lines[:6]] == [
        [0.1, 0.5], [1.1, 1.5], [0.05, 0.25], [0.1 / 3, 0.5 / 3], [0.2, 1.0], [0.2, 1.0],
    ]  # fmt: skip
    assert "N = 12, d = 4 (1 seed)" in figure.get_suptitle()
    assert "at most 0.85 times the published one" in figure.get_suptitle()
    assert_same_bytes(lambda: divergence.scaling(style, compared(), verdict))


def test_nothing_is_said_of_published_losses_where_there_are_none(style):
    assert "published" not in divergence.scaling(style, compared(), {}).get_suptitle()
