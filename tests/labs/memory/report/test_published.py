import pytest

from labs.memory.report.test_points import rows, table_of
from pipeline.labs.memory.report import published


def test_verdicts_are_over_the_published_points_of_the_experiment_alone():
    other = ("exp1_d10", 0.6, 50, 10, 10, 31)
    table = table_of(
        rows("P1", [0.2, 0.4]),
        rows("P1", [0.3, 0.4], "train"),
        rows("P1", [0.01, 0.01], n_heads=31),
        rows("P1", [0.7, 0.7], "train", n_heads=31),
        rows("P1", [1.0, 1.0], n_heads=21),  # not published
        rows("P2", [1.0, 1.0]),  # another experiment
        references=(("exp1_d10", 0.4, 50, 10, 10, 11), other),
    )
    # The bound at H = 31 is 0.98 * 320 / 2500 + 0.02 = 0.145: 0.01 is below it, 0.3 above 0.067.
    # 0.4 is the upper end of the first point's seeds; 0.6 is below both seeds of the second.
    assert published.against_published(table, "P1") == pytest.approx(
        {
            "mean_accuracy": (0.3 + 0.01) / 2, "mean_accuracy_train": (0.35 + 0.7) / 2,
            "published_mean": 0.5, "worst_gap_train": 0.35 - 0.4, "points": 2, "above_bound": 0.5,
            "largest_gap_train": 0.1, "mean_gap_size_train": 0.075, "points_within": 1,
            "points_published_above": 0, "points_published_below": 1,
        }
    )  # fmt: skip


def test_gaps_that_cancel_in_the_mean_are_kept_apart_by_heads():
    few = [rows("P1", [0.1, 0.1 - e], "train", d=d, n_heads=1) for d, e in ((9, 0), (10, 0.02))]
    many = [rows("P1", [0.7, 0.7 + e], "train", d=d, n_heads=31) for d, e in ((9, 0), (10, 0.02))]
    references = [
        (f"exp1_d{d}", accuracy, 50, d, 10, H)
        for d in (9, 10)
        for H, accuracy in ((1, 0.2), (31, 0.6))
    ]
    gaps = published.by_heads(table_of(*few, *many, references=references), "P1")
    assert list(gaps) == ["published_gap_h1", "published_gap_h31"]
    assert gaps["published_gap_h1"]["gap_train"] == pytest.approx(-0.105)
    assert gaps["published_gap_h31"]["gap_train"] == pytest.approx(0.105)
    assert gaps["published_gap_h31"]["n"] == 2
    assert gaps["published_gap_h1"]["gap_train_high"] > gaps["published_gap_h1"]["gap_train_low"]


def test_one_width_has_no_interval():
    assert published.by_heads(table_of(rows("P1", [0.1], "train")), "P1") == {}
