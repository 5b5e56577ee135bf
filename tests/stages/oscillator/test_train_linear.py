import torch

from pipeline.core.nn.linear import LinearWindow
from pipeline.runtime.formats import artifacts, saved_models

STAGE = "oscillator_train_linear"


def models(chain):
    return saved_models.read_models(chain.made(STAGE) / "models.safetensors", LinearWindow)


def train_states(chain):
    path = chain.inputs / "oscillator_data" / "variable_train.npz"
    return artifacts.read_tensors(path, states="float64 trajectory time 2")["states"]


def test_one_model_is_exact_and_one_trained_for_each_seed(chain):
    found = models(chain)
    assert {name: model.members for name, model in found.items()} == {
        "linear": 1,
        "linear_gradient": len(chain.params(STAGE).train.seeds),
    }
    assert found["linear"].map.W.dtype == torch.float64


@torch.no_grad()
def test_no_linear_model_fits_the_training_windows_better_than_the_exact_one(chain):
    states = train_states(chain)

    def error(model):
        windows = states[:, :-1].to(model.map.W.dtype).expand(model.members, -1, -1, -1)
        return (model(windows)[:, :, 0] - states[:, -1]).square().sum(-1).mean(1)

    found = models(chain)
    assert bool((error(found["linear"]) < error(found["linear_gradient"])).all())


def test_only_the_trained_model_has_a_loss_curve(chain):
    table = artifacts.read_csv(chain.made(STAGE) / "history.csv", ["model", "seed", "step"])
    assert set(table.model) == {"linear_gradient"}
    described = artifacts.read_json(chain.made(STAGE) / "models.json")
    assert described[0]["name"] == "O6.linear.seed_0"
    assert described[0]["history"] is None
