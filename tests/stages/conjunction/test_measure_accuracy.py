from pipeline.labs.conjunction.report.accuracy import AccuracyRow, ScoreRow
from pipeline.runtime.formats import artifacts, records

STAGE = "conjunction_measure_accuracy"


def test_both_models_stand_side_by_side_for_every_task(chain):
    params, folder = chain.params(STAGE), chain.made(STAGE)
    table = records.read_table(folder / "accuracy.csv", AccuracyRow)
    pairs = [(task, model) for task in params.data.tasks for model in ("attention", "mlp")]
    assert list(zip(table.task, table.model, strict=True)) == pairs
    assert bool((table.accuracy_min <= table.accuracy).all())
    assert bool((table.accuracy <= table.accuracy_max).all())
    beside = table.set_index(["task", "model"]).tutorial_accuracy
    assert beside["s4_tutorial", "mlp"] == 0.950
    assert bool(beside[["s4_balanced"]].isna().all())


def test_the_results_are_of_the_scores(chain):
    params, folder = chain.params(STAGE), chain.made(STAGE)
    scores = records.read_table(folder / "scores.csv", ScoreRow)
    results = chain.metrics(STAGE)["C4"]
    for (task, model), by_seed in scores.groupby(["task", "model"]):
        assert list(by_seed.seed) == list(params.data.tasks[task].seeds)
        assert results[f"{task}_{model}"]["accuracy"] == by_seed.accuracy.median()
        assert results[f"{task}_{model}"]["parameters"] > 0
    for task in params.data.tasks:
        paired = results[f"{task}_paired"]
        assert 0 <= paired["p_accuracy"] <= 1
        assert paired["decided"] == 0  # two seeds decide nothing


def test_the_headline_is_the_accuracy_of_each_model_on_the_balanced_tasks(chain):
    headline = artifacts.read_json(chain.made(STAGE) / "metrics.json")
    groups = chain.params(STAGE).data.groups
    dense = [task for task in groups["dense"].tasks if "balanced" in task]
    tasks = [*groups["sparse"].tasks, *dense]
    accuracies = {f"C4.{t}_{m}.accuracy" for t in tasks for m in ("attention", "mlp")}
    assert set(headline) == accuracies | {"C4.s2_paired.decided"}
