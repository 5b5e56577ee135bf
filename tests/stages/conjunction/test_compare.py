from pipeline.runtime import artifacts
from pipeline.stages.conjunction._results import SCORES, TABLE

STAGE = "conjunction_compare"


def test_both_models_stand_side_by_side_for_every_task(chain):
    params, folder = chain.params(STAGE), chain.made(STAGE)
    table = artifacts.read_csv(folder / "table.csv", TABLE)
    pairs = [(task, model) for task in params.data.tasks for model in ("attention", "mlp")]
    assert list(zip(table.task, table.model, strict=True)) == pairs
    assert bool((table.accuracy_min <= table.accuracy).all())
    assert bool((table.accuracy <= table.accuracy_max).all())
    beside = table.set_index(["task", "model"]).tutorial_accuracy
    assert beside["s4_tutorial", "mlp"] == 0.950
    assert bool(beside[["s4_balanced"]].isna().all())


def test_the_metrics_are_of_the_scores(chain):
    params, folder = chain.params(STAGE), chain.made(STAGE)
    scores = artifacts.read_csv(folder / "scores.csv", SCORES)
    metrics = chain.metrics(STAGE)["C4"]
    for (task, model), own in scores.groupby(["task", "model"]):
        assert list(own.seed) == list(params.data.seeds)
        assert metrics[f"{task}_{model}"]["accuracy"] == own.accuracy.median()
        assert metrics[f"{task}_{model}"]["parameters"] > 0
    for task in params.data.tasks:
        assert 0 <= metrics[f"{task}_paired"]["p_accuracy"] <= 1
