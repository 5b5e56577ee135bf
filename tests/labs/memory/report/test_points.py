import pandas as pd
import pytest
import torch

from pipeline.labs.memory import comparison

CONFIG = comparison.MeasureConfig(saturated=0.9, resamples=20, random_draws=1)


def rows(experiment, accuracies, eval_distribution="uniform", **where):
    """A row for each seed's accuracy."""
    size = {"N": 50, "d": 10, "d_head": 10, "n_heads": 11, "width": 0, "n_layers": 1} | where
    name = "_".join(str(size[key]) for key in ("d", "d_head", "n_heads", "width", "n_layers"))
    return [
        {
            "experiment": experiment, "model": name, "engine": "exact", "eval_distribution": eval_distribution,
            "parameters": 100, "seed": seed, "accuracy": accuracy, "loss": 1 - accuracy, **size,
        }
        for seed, accuracy in enumerate(accuracies)
    ]  # fmt: skip


def published(*points):
    columns = ["experiment", "accuracy", *comparison.WHERE]
    return pd.DataFrame([dict(zip(columns, point, strict=True)) for point in points])


def found(*parts, references=(("P1", 0.4, 50, 10, 10, 11),)):
    table = pd.DataFrame([row for part in parts for row in part])
    return comparison.points(table, published(*references))


def fits(*parts):
    table = pd.DataFrame([row for part in parts for row in part])
    return comparison.fits(table, CONFIG, torch.Generator().manual_seed(0))


def test_a_point_is_the_median_the_range_and_the_mean_of_its_seeds():
    table = found(
        rows("P1", [0.2, 0.6, 0.3]), rows("P1", [0.5, 0.7, 0.6], "train"), rows("P1", [0.9], d=9)
    )
    assert len(table) == 3
    first = table.iloc[0]
    assert (first.accuracy, first.accuracy_low, first.accuracy_high, first.n) == (0.3, 0.2, 0.6, 3)
    assert first["mean"] == pytest.approx(1.1 / 3)
    assert (first.loss, first.loss_low, first.loss_high) == pytest.approx((0.7, 0.4, 0.8))
    assert table.iloc[1].eval_distribution == "train"
    assert table.iloc[1].accuracy == 0.6


def test_a_point_stands_beside_the_published_one_of_its_sizes_and_both_bounds():
    size = (50, 10, 10, 11)
    again = (("P2", 0.4, *size), ("P3", 0.7, *size), ("P2", 0.8, 50, 10, 9, 11))
    table = found(
        rows("P2", [0.5]), rows("P2", [0.5], d_head=5), rows("P3", [0.5]), references=again
    )
    # Two experiments share a size; each stands beside its own published point.
    assert table.published.tolist()[::2] == [0.4, 0.7]
    assert table.published.isna().tolist() == [False, True, False]
    # (1 - 1/N) (H d_h + d) / N^2 + 1/N; (1 - 1/N) (H (d_h - 1) + 1) / N^2 + 1/N
    assert table.bound.tolist()[:2] == pytest.approx(
        [0.98 * 120 / 2500 + 0.02, 0.98 * 65 / 2500 + 0.02]
    )
    assert table.earlier_bound.tolist()[:2] == pytest.approx(
        [0.98 * 100 / 2500 + 0.02, 0.98 * 45 / 2500 + 0.02]
    )


def test_the_protocol_run_again_stands_beside_the_same_published_points():
    assert found(rows("P1_published", [0.5])).published.tolist() == [0.4]


def test_metrics_of_a_point_keep_both_yardsticks_apart():
    metrics = comparison.by_point(
        found(rows("P1", [0.2, 0.4]), rows("P1", [0.5, 0.7], "train"), rows("P2", [0.1]))
    )
    own = metrics["P1"]["10_10_11_0_1"]
    assert own == pytest.approx(
        {
            "accuracy": 0.3, "accuracy_low": 0.2, "accuracy_high": 0.4, "n": 2,
            "accuracy_train": 0.6, "accuracy_sampled_low": 0.5, "accuracy_sampled_high": 0.7,
        }
    )  # fmt: skip
    assert metrics["P2"]["10_10_11_0_1"]["accuracy"] == 0.1


def test_verdicts_are_over_the_published_points_of_the_experiment_alone():
    other = ("P1", 0.6, 50, 10, 10, 31)
    table = found(
        rows("P1", [0.2, 0.4]),
        rows("P1", [0.3, 0.4], "train"),
        rows("P1", [0.01, 0.01], n_heads=31),
        rows("P1", [0.7, 0.7], "train", n_heads=31),
        rows("P1", [1.0, 1.0], n_heads=21),  # not published
        rows("P2", [1.0, 1.0]),  # another experiment
        references=(("P1", 0.4, 50, 10, 10, 11), other),
    )
    # The bound at H = 31 is 0.98 * 320 / 2500 + 0.02 = 0.145: 0.01 is below it, 0.3 above 0.067.
    assert comparison.against_published(table, "P1") == pytest.approx(
        {
            "mean_accuracy": (0.3 + 0.01) / 2, "mean_accuracy_train": (0.35 + 0.7) / 2,
            "published_mean": 0.5, "worst_gap_train": 0.35 - 0.4, "points": 2, "above_bound": 0.5,
        }
    )  # fmt: skip


NOISE = (-1e-3, 1e-3, 2e-3, -2e-3, 0.0, 1e-3, -1e-3, 2e-3)


def rising(d, slope, n_heads=(1, 6, 11, 16)):
    return [
        row
        for H in n_heads
        for row in rows("P1", [0.1 + slope * H, 0.1 + slope * H], d=d, d_head=d, n_heads=H)
    ]


def test_slopes_in_heads_and_their_growth_are_found():
    fit = fits(*(rising(d, 0.001 * d**1.5) for d in (3, 4, 5, 6)))
    for d in (3, 4, 5, 6):
        own = fit[f"P1.linear_d{d}"]
        # Exact lines: only rounding is left.
        assert own["slope"] == pytest.approx(0.001 * d**1.5, abs=1e-12)
        assert own["intercept"] == pytest.approx(0.1, abs=1e-12)
        assert own["slope_low"] <= own["slope"] <= own["slope_high"]
    assert fit["P4.slope_growth"]["exponent"] == pytest.approx(1.5, abs=1e-9)
    assert fit["P4.slope_growth"]["n"] == 4


def test_slopes_that_do_not_rise_are_no_part_of_the_growth():
    straight = [rising(d, 0.001 * d**1.5) for d in (3, 4, 5)]
    with_falling = fits(*straight, rising(6, -0.002), rising(7, -0.001))
    assert with_falling["P1.linear_d6"]["slope"] == pytest.approx(-0.002, abs=1e-12)
    assert with_falling["P4.slope_growth"]["n"] == 3
    assert with_falling["P4.slope_growth"]["exponent"] == pytest.approx(1.5, abs=1e-9)
    # Nor is one that may be of rounding, or of noise, alone.
    flat = [row | {"accuracy": 0.1 + noise} for row, noise in zip(rising(8, 0), NOISE, strict=True)]
    assert fits(*straight, flat)["P1.linear_d8"]["slope"] > 0
    assert fits(*straight, flat)["P4.slope_growth"]["n"] == 3
    # Two slopes have no exponent with an interval.
    assert "P4.slope_growth" not in fits(*straight[:2], rising(6, -0.002))


def test_saturated_points_and_sampled_accuracies_bend_no_line():
    own = rising(4, 0.01) + rows("P1", [1.0, 1.0], d=4, d_head=4, n_heads=100)
    own += [row | {"eval_distribution": "train", "accuracy": 0.5} for row in own]
    assert fits(own)["P1.linear_d4"]["slope"] == pytest.approx(0.01, abs=1e-12)


def test_too_few_points_have_no_fit():
    assert fits(rows("P1", [0.5, 0.5])) == {}


def test_the_quadratic_in_the_heads_width_is_beside_its_line():
    own = [row for k in (1, 2, 3, 4, 5) for row in rows("P2", [0.1 + 0.01 * k**2] * 2, d_head=k)]
    fit = fits(own)["P2.quadratic"]
    assert fit["quadratic"] == pytest.approx(0.01, abs=1e-12)
    assert fit["linear"] == pytest.approx(0, abs=1e-12)
    assert fit["constant"] == pytest.approx(0.1, abs=1e-12)
    assert fit["r2_of_a_line"] < fit["r2"] == pytest.approx(1)


def test_a_model_of_equal_widths_bends_no_fit_of_the_others():
    def wide(d, accuracy):
        return rows("P3", [accuracy] * 3, d=d)

    narrow = [row for k in range(1, 10) for row in rows("P2", [0.01 * k**2] * 2, d_head=k)]
    narrow += rows("P2", [0.9, 0.9], d_head=10)
    own = [row for d in range(5, 16) for row in wide(d, 0.9 if d == 10 else 0.04 * d)]
    fit = fits(narrow, own)
    assert fit["P2.quadratic_mapped"]["quadratic"] == pytest.approx(0.01, abs=1e-12)
    assert fit["P2.quadratic_mapped"]["n"] == 18
    assert fit["P2.quadratic"]["n"] == 20
    assert fit["P2.quadratic"]["quadratic"] != pytest.approx(0.01, abs=1e-4)
    # Without the model of equal widths there is no break: one slope on both sides.
    for slope in ("slope_before", "slope_after"):
        assert fit["P3.piecewise_mapped"][slope] == pytest.approx(0.04, abs=1e-12)
    assert fit["P3.piecewise"]["slope_after"] < 0.02


def test_the_break_in_the_width_has_the_interval_of_resampled_seeds():
    def own(breaks):
        # Seeds side by side at each width, as the tables have them.
        return [
            row
            for d in range(5, 16)
            for row in rows("P3", [0.05 * min(d, place) for place in breaks], d=d)
        ]

    alike = fits(own((10, 10, 10)))["P3.piecewise"]
    assert (alike["break"], alike["break_low"], alike["break_high"]) == pytest.approx((10, 10, 10))
    assert alike["slope_before"] == pytest.approx(0.05, abs=1e-12)
    assert alike["slope_after"] == pytest.approx(0, abs=1e-12)
    apart = fits(own((8, 10, 12)))["P3.piecewise"]
    assert 8 <= apart["break_low"] < apart["break"] < apart["break_high"] <= 12


def test_memories_of_equal_parameters_are_paired():
    def both(d, H, attention, mlp):
        return rows("P5", attention, d=d, d_head=d, n_heads=H) + rows(
            "P5", mlp, d=d, d_head=d, n_heads=1, width=2 * d * (H - 1)
        )

    own = [
        *both(7, 6, [0.2, 0.3], [0.5, 0.4]),
        *both(7, 11, [0.4, 0.5], [0.5, 0.8]),
        *both(10, 6, [0.6, 0.7], [0.8, 0.9]),
        # One module has no MLP to stand for; a width without its attention has no partner.
        *rows("P5", [0.0, 0.0], d=7, d_head=7, n_heads=1),
        *rows("P5", [1.0, 1.0], d=7, d_head=7, n_heads=1, width=999),
        *rows("P5", [1.0, 1.0], "train", d=7, d_head=7, n_heads=6),
    ]
    metrics = comparison.mlp_advantage(pd.DataFrame(own))
    means = {"attention": [0.4, 0.5], "mlp": [0.6, 0.7], "mlp_advantage": [0.2, 0.2]}
    for name, (low, high) in means.items():
        assert metrics[f"{name}_low"] == pytest.approx(low)
        assert metrics[f"{name}_high"] == pytest.approx(high)
    assert metrics["n"] == 2
    assert comparison.mlp_advantage(pd.DataFrame(rows("P5", [0.5]))) == {}


def test_flat_names_become_experiments_and_conditions():
    assert comparison.nested({"P1.linear_d3": {"slope": 1.0}, "P1.linear_d4": {}, "P4.k": {}}) == {
        "P1": {"linear_d3": {"slope": 1.0}, "linear_d4": {}},
        "P4": {"k": {}},
    }
