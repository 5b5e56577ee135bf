import torch

from pipeline.core.nn.transformer import Transformer
from pipeline.runtime.formats import artifacts, saved_models

STAGE = "oscillator_train_sequence"


def test_there_is_a_model_for_each_loss_over_the_same_seeds(chain):
    train = chain.params(STAGE).train
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", Transformer)
    assert list(models) == list(train.losses) == ["last", "sequence"]
    for model in models.values():
        assert model.members == len(train.seeds)
        assert model.config == train.model.transformer
    described = artifacts.read_json(chain.made(STAGE) / "models.json")
    kinds = [(each["model"]["name"], each["params"]["loss_kind"]) for each in described]
    assert set(kinds) == {("last", "last"), ("sequence", "sequence")}


def test_the_losses_alone_make_the_models_differ(chain):
    # Same seeds, same start, same windows at every step: only what is asked of them differs.
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", Transformer)
    for name, value in models["last"].state_dict().items():
        other = models["sequence"].state_dict()[name]
        # AdamW moves a parameter by its rate, 0.01, a step at most; four steps, two models.
        assert float((value - other).abs().max()) < 2 * 4 * 0.01 * 1.01, name
    assert not torch.equal(models["last"].embed.W, models["sequence"].embed.W)


def test_both_are_judged_by_the_last_position_too(chain):
    columns = ["model", "seed", "step", "loss", "validation_loss", "validation_last"]
    table = artifacts.read_csv(chain.made(STAGE) / "history.csv", columns)
    last, sequence = (table[table.model == name] for name in ("last", "sequence"))
    assert last.validation_loss.tolist() == last.validation_last.tolist()
    assert sequence.validation_loss.tolist() != sequence.validation_last.tolist()
