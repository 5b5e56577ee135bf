import numpy as np

from pipeline.core.nn.mlp import MLP
from pipeline.runtime.formats import artifacts, saved_models

STAGE = "oscillator_train_time"


def test_there_is_one_network_with_all_seeds(chain):
    train = chain.params(STAGE).train
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", MLP)
    assert list(models) == ["time_network"]
    assert models["time_network"].members == len(train.seeds)
    assert models["time_network"].config == train.model


def test_the_loss_of_every_seed_is_recorded_to_the_last_step(chain):
    train = chain.params(STAGE).train
    table = artifacts.read_csv(chain.made(STAGE) / "history.csv", ["model", "seed", "step", "loss"])
    assert set(table.seed) == set(train.seeds)
    for _, run in table.groupby("seed"):
        assert run.step.tolist() == [3, 6]
    assert bool(np.isfinite(table.loss).all())


def test_every_seed_is_described_for_tracking_with_its_widths(chain):
    train = chain.params(STAGE).train
    described = artifacts.read_json(chain.made(STAGE) / "models.json")
    assert [each["name"] for each in described] == [
        f"O2.time_network.seed_{seed}" for seed in train.seeds
    ]
    assert described[0]["params"]["widths"] == list(train.model.widths)
    # 3 x 8 + 8, 8 x 8 + 8, 8 x 2 + 2
    assert described[0]["params"]["parameters"] == 32 + 72 + 18
