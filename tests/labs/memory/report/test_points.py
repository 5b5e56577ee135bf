import pandas as pd
import pytest

from pipeline.labs.memory.report import points


def rows(experiment, accuracies, eval_distribution="uniform", **where):
    """A row for each seed's accuracy."""
    size = {"N": 50, "d": 10, "d_head": 10, "n_heads": 11, "mlp_width": 0, "n_layers": 1} | where
    name = "_".join(str(size[key]) for key in ("d", "d_head", "n_heads", "mlp_width", "n_layers"))
    return [
        {
            "experiment": experiment, "model": name, "engine": "full_batch",
            "eval_distribution": eval_distribution, "parameters": 100, "seed": seed,
            "accuracy": accuracy, "divergence": 1 - accuracy, **size,
        }
        for seed, accuracy in enumerate(accuracies)
    ]  # fmt: skip


def published(*points):
    """The published tables: (file, accuracy, N, d, d_head, H)."""
    columns = ["acc", "N", "d", "d_head", "para"]
    return {
        file: pd.DataFrame(
            [dict(zip(columns, rest, strict=True)) for of, *rest in points if of == file]
        )
        for file in {of for of, *_ in points}
    }


def table_of(*parts, references=(("exp1_d10", 0.4, 50, 10, 10, 11),)):
    runs = pd.DataFrame([row for part in parts for row in part])
    return points.points(runs, published(*references))


def test_a_point_is_the_median_the_range_and_the_mean_of_its_seeds():
    table = table_of(
        rows("P1", [0.2, 0.6, 0.3]), rows("P1", [0.5, 0.7, 0.6], "train"), rows("P1", [0.9], d=9)
    )
    assert len(table) == 3
    first = table.iloc[0]
    assert (first.accuracy, first.accuracy_low, first.accuracy_high, first.n) == (0.3, 0.2, 0.6, 3)
    assert first.mean_accuracy == pytest.approx(1.1 / 3)
    assert (first.divergence, first.divergence_low, first.divergence_high) == pytest.approx(
        (0.7, 0.4, 0.8)
    )
    assert table.iloc[1].eval_distribution == "train"
    assert table.iloc[1].accuracy == 0.6


def test_a_point_stands_beside_the_published_one_of_its_sizes_and_both_bounds():
    size = (50, 10, 10, 11)
    again = (("exp2", 0.4, *size), ("exp3", 0.7, *size), ("exp2", 0.8, 50, 10, 9, 11))
    table = table_of(
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
    assert table_of(rows("P1_published", [0.5])).published.tolist() == [0.4]


def test_metrics_of_a_point_keep_both_eval_distributions_apart():
    metrics = points.by_point(
        table_of(rows("P1", [0.2, 0.4]), rows("P1", [0.5, 0.7], "train"), rows("P2", [0.1]))
    )
    point = metrics["P1"]["10_10_11_0_1"]
    assert point == pytest.approx(
        {
            "accuracy": 0.3, "accuracy_low": 0.2, "accuracy_high": 0.4, "n": 2,
            "accuracy_train": 0.6, "accuracy_train_low": 0.5, "accuracy_train_high": 0.7,
        }
    )  # fmt: skip
    assert metrics["P2"]["10_10_11_0_1"]["accuracy"] == 0.1


def test_the_published_protocol_run_again_is_an_experiment_of_its_own():
    runs = {"heads": pd.DataFrame(rows("P1", [0.5])), "published": pd.DataFrame(rows("P1", [0.6]))}
    runs["large"] = runs["heads"].head(0)
    joined = points.joined(runs)
    assert joined.experiment.tolist() == ["P1", "P1_published"]
    assert joined.accuracy.tolist() == [0.5, 0.6]
