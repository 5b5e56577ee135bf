from pipeline.core.nn.transformer import Transformer
from pipeline.labs.energy.train.recall import RecallHistoryRow
from pipeline.runtime.formats import records, saved_models

STAGE = "energy_train_recall"


def test_there_is_a_model_of_every_seed_for_every_loss(chain):
    train = chain.params(STAGE).train
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", Transformer)
    assert models.keys() == {*train.losses, *(f"heads_{n}" for n in train.other_heads)}
    assert {model.members for model in models.values()} == {len(train.seeds)}


def test_the_history_has_accuracy_and_alignment_of_every_seed(chain):
    history = records.read_table(chain.made(STAGE) / "history.csv", RecallHistoryRow)
    train = chain.params(STAGE).train
    assert set(history["seed"]) == set(train.seeds)
    assert history["validation_accuracy"].between(0, 1).all()
    assert history["alignment"].between(-1, 1).all()
    assert history["match"].between(0, 1 + 1e-6).all()  # rounding of float32
