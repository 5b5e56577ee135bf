import numpy as np

from pipeline.labs.conjunction.models.mlp import BinaryMLP
from pipeline.labs.conjunction.train.fit import HistoryRow
from pipeline.runtime.formats import artifacts, records, saved_models

STAGE = "conjunction_train_mlp"


def test_there_is_a_model_for_each_task_with_all_seeds(chain):
    params = chain.params(STAGE)
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", BinaryMLP)
    assert set(models) == {f"{task}_mlp" for task in params.data.tasks}
    recipe = params.train.fit.model.model_dump()
    for name, model in models.items():
        task = params.data.tasks[name.removesuffix("_mlp")]
        assert model.members == len(task.seeds)
        assert recipe.items() <= model.config.model_dump().items()


def test_every_seed_has_its_learning_curve_and_its_entry(chain):
    params, folder = chain.params(STAGE), chain.made(STAGE)
    table = records.read_table(folder / "history.csv", HistoryRow)
    tasks = params.data.tasks
    for name, curves in table.groupby("model"):
        assert set(curves.seed) == set(tasks[str(name).removesuffix("_mlp")].seeds)
    assert table.step.max() == params.train.fit.steps
    assert bool(np.isfinite(table[["loss", "validation_loss"]].to_numpy()).all())
    entries = artifacts.read_json(folder / "models.json")
    assert len(entries) == sum(len(task.seeds) for task in tasks.values())
    assert len({entry["name"] for entry in entries}) == len(entries) < 100
