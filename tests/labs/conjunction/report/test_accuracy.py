import pandas as pd
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.data.accuracy_data import TaskGroup
from pipeline.labs.conjunction.data.datasets import DataConfig, draw_all
from pipeline.labs.conjunction.data.task import TaskConfig
from pipeline.labs.conjunction.models.linear import Linear, LinearConfig
from pipeline.labs.conjunction.report import accuracy
from pipeline.labs.conjunction.report.accuracy import AccuracyRow, ScoreRow
from pipeline.runtime.formats import records

TASK = TaskConfig(
    function="sparse_and_query", positions=17, targets=2, p=None, tolerance=None,
    identifiable=False, max_draws=1,
)  # fmt: skip
CONFIG = DataConfig(
    seeds=(5, 6, 7, 8), train=5, valid=50,
    tasks={"a": TASK, "b": TASK.model_copy(update={"targets": 4})},
)  # fmt: skip

TASKS = {
    name: TaskGroup(about=about, samples=CONFIG.train, seeds=CONFIG.seeds)
    for name, about in CONFIG.tasks.items()
}


def linear(members, bias=0.0):
    model = Linear(LinearConfig(positions=17), generators(range(members))).double()
    with torch.no_grad():
        model.b.fill_(bias)
    return model


def measured():
    models = {
        "attention": {name: linear(4, 1.0) for name in CONFIG.tasks},
        "mlp": {name: linear(4) for name in CONFIG.tasks},
    }
    return accuracy.measure(draw_all(CONFIG), models)


def test_the_results_hold_every_task_and_model_and_their_pairs():
    results, by_task = measured()
    assert set(results) == {f"{t}_{m}" for t in "ab" for m in ("attention", "mlp", "paired")}
    assert results["a_mlp"]["parameters"] == 18
    values = by_task["a"]["mlp"]["accuracy"]
    assert results["a_mlp"]["accuracy_min"] == float(values.min())
    assert results["a_mlp"]["accuracy_max"] == float(values.max())
    assert results["a_paired"]["n"] == 4


def test_a_pair_counts_who_is_better():
    first = {"accuracy": torch.tensor([1.0, 0.9, 0.8]).double()}
    second = {"accuracy": torch.tensor([0.9, 0.9, 0.9]).double()}
    tests = accuracy.paired(first, second)
    assert (tests["attention_better"], tests["mlp_better"], tests["n"]) == (1, 1, 3)
    assert tests["p_accuracy"] == 1.0
    assert tests["accuracy_difference"] == 0.0


def pairs(n, worse=0):
    """So many pairs: attention ahead by 0.1 in all but some, where it is as much behind."""
    difference = torch.full((n,), 0.1).double()
    difference[:worse] = -0.1
    return accuracy.paired({"accuracy": 0.5 + difference}, {"accuracy": torch.full((n,), 0.5)})


def test_an_order_is_decided_by_enough_pairs_of_one_sign():
    assert pairs(96)["decided"] == 1
    assert pairs(96, 96)["decided"] == -1
    assert pairs(96, 48)["decided"] == 0
    assert pairs(95)["decided"] == 0


def test_the_tables_are_the_scores_and_the_results(tmp_path):
    results, by_task = measured()
    seeds, table = accuracy.score_table(TASKS, by_task), accuracy.accuracy_table(TASKS, results)
    records.write_table(tmp_path / "scores.csv", seeds, ScoreRow)
    records.write_table(tmp_path / "accuracy.csv", table, AccuracyRow)
    seeds = records.read_table(tmp_path / "scores.csv", ScoreRow)
    of_one = seeds[(seeds.task == "b") & (seeds.model == "attention")]
    assert list(of_one.seed) == [5, 6, 7, 8]
    assert list(of_one.accuracy) == by_task["b"]["attention"]["accuracy"].tolist()
    table = records.read_table(tmp_path / "accuracy.csv", AccuracyRow).set_index(["task", "model"])
    assert list(table.index) == [(t, m) for t in "ab" for m in ("attention", "mlp")]
    row = table.loc["b", "mlp"]
    assert row.loss_high == results["b_mlp"]["loss_high"]
    assert row.p_accuracy == results["b_paired"]["p_accuracy"]
    assert row.samples == 5
    # At s = 2 the balanced p is the tutorial's.
    assert table.loc["a", "mlp"].tutorial_accuracy == 0.998
    assert pd.isna(row.tutorial_accuracy)
