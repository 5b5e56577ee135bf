import torch

from pipeline.core.nn.linear import LinearWindow
from pipeline.core.nn.transformer import Transformer
from pipeline.labs.oscillator.train.surrogate import outputs
from pipeline.runtime.formats import artifacts, saved_models

STAGE = "oscillator_train_surrogate"
TRAINED = "oscillator_train_variable"


def best(chain):
    return artifacts.read_json(chain.made(STAGE) / "best.json")


def test_it_imitates_the_model_of_least_validation_error(chain):
    found = best(chain)["model"]
    columns = ["model", "step", "validation_last"]
    table = artifacts.read_csv(chain.made(TRAINED) / "history.csv", columns)
    final = table[table.step == table.step.max()]
    medians = {name: rows.validation_last.median() for name, rows in final.groupby("model")}
    assert medians[found] == min(medians.values())


def test_the_cutoff_is_one_of_those_that_were_tried(chain):
    assert best(chain)["cutoff"] in chain.params(STAGE).surrogate.cutoffs


def test_each_seed_has_its_own_surrogate_which_says_what_it_says(chain):
    surrogate = saved_models.read_models(chain.made(STAGE) / "models.safetensors", LinearWindow)
    model = saved_models.read_models(chain.made(TRAINED) / "models.safetensors", Transformer)
    model = model[best(chain)["model"]]
    path = chain.inputs / "oscillator_data" / "variable_train.npz"
    states = artifacts.read_tensors(path, states="float64 trajectory time 2")["states"]
    ours, theirs = (outputs(m, states[:, :-1]) for m in (surrogate["surrogate"], model))
    assert ours.shape == theirs.shape
    # Whatever the cutoff, each member is nearer to its own model than to another's.
    distance = (ours[:, None] - theirs[None]).norm(dim=(2, 3))
    assert torch.equal(distance.argmin(1), torch.arange(model.members))
