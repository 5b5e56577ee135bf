"""What holds for every sweep of the memory lab."""

import pandas as pd

from pipeline.labs.memory.models.attention import AttentionMemory
from pipeline.runtime.formats import artifacts, saved_models


def assert_sweep(chain, stage, models, eval_distributions, engine="full_batch"):
    folder = chain.made(stage)
    table = pd.read_csv(folder / "table.csv")
    trained = saved_models.read_models(folder / "models.safetensors", AttentionMemory)
    runs = artifacts.read_json(folder / "models.json")
    assert len(trained) == len(runs) == models
    assert set(trained) == {run["name"] for run in runs}
    assert set(table.eval_distribution) == eval_distributions
    assert set(table.engine) == set(engine.split())
    assert bool(table.accuracy.between(0, 1).all())
    assert bool((table.divergence >= 0).all())
    for (experiment, name), own in table.groupby(["experiment", "model"]):
        model = trained[f"{experiment}.{name}"]
        assert len(own) == 2 * model.members
        assert set(own.parameters) == {model.parameters_per_member}
    history = pd.read_csv(folder / "history.csv")
    assert set(history.model) == set(trained)
