import pandas as pd
import pytest

from pipeline.figures.memory import tables as memory_tables

BASE = pd.DataFrame(
    {"distributions": ["certain", "uncertain"], "N": 10, "uniform": [2.3, 0.8], "entropy": [0.0, 1.5],
     "low_rank": [0.0, 0.1]}
)  # fmt: skip


def history():
    return pd.DataFrame(
        [
            {"model": f"{distribution}_{o}", "seed": seed, "step": step, "loss": 2.0 / step,
             "accuracy": 0.1 * step}
            for distribution in BASE.distributions
            for o in ("divergence", "next_token")
            for seed in (0, 1)
            for step in (1, 2, 3)
        ]
    )  # fmt: skip


def test_a_next_token_loss_is_drawn_less_the_laws_entropy(style, assert_labelled):
    figure = memory_tables.curves(style, history(), BASE)
    loss = figure.axes[2]  # of the uncertain distribution
    assert loss.lines[0].get_ydata()[0] == pytest.approx(2.0)
    assert loss.lines[2].get_ydata()[0] == pytest.approx(0.5)
    assert [line.get_ydata()[0] for line in loss.lines[-2:]] == [0.8, 0.1]
    assert_labelled(figure)


def metrics(names):
    return {
        name: {
            f"{quantity}{suffix}": k + value
            for quantity in ("divergence", "accuracy")
            for suffix, value in (("", 0.2), ("_low", 0.1), ("_high", 0.3))
        }
        for k, name in enumerate(names)
    }  # fmt: skip


def test_bars_come_best_first_with_their_intervals(style):
    figure = memory_tables.bars(style, metrics(["worst", "best"][::-1]), "title")
    left = figure.axes[0]
    assert [label.get_text() for label in left.get_yticklabels()] == ["best", "worst"]
    assert [bar.get_width() for bar in left.patches] == pytest.approx([0.2, 1.2])


def test_ours_and_the_published_losses_share_a_panel(style, assert_same_bytes):
    table = pd.DataFrame(
        [
            {"alpha_1": a, "alpha_2": b, "loss": b, "best_loss": b / 2, "unif_loss": 2 * b,
             "published_loss": b + 1, "published_best_loss": b / 3, "published_unif_loss": 2 * b}
            for a in (0.5, 0.9)
            for b in (0.1, 0.5)
        ]
    )  # fmt: skip
    figure = memory_tables.scaling(style, table)
    # Three curves, the published points of each, and the legend's empty circle.
    assert [len(axes.lines) for axes in figure.axes] == [7, 7]
    assert [line.get_label() for line in figure.axes[0].lines][-1] == "the same, published"
    assert figure.axes[0].lines[1].get_ydata().tolist() == [1.1, 1.5]
    assert_same_bytes(lambda: memory_tables.scaling(style, table))
