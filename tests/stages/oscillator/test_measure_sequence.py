import numpy as np

from pipeline.core.nn.transformer import Transformer
from pipeline.labs.oscillator.measure.saliency import path_norms
from pipeline.labs.oscillator.report.saliency import SaliencyMaps
from pipeline.runtime.formats import records, saved_models

STAGE = "oscillator_measure_sequence"
QUANTITIES = (
    "one_step", "r50", "r200", "valid_prediction_time", "energy_drift", "energy_spread", "norm_W_O",
    "norm_direct", "norm_attention", "attention_share", "off_diagonal_saliency",
)  # fmt: skip


def test_both_losses_are_measured_over_their_seeds(chain, assert_summaries):
    found = chain.metrics(STAGE)
    train = chain.params("oscillator_train_sequence").train
    assert found.keys() == {"O4"}
    assert list(found["O4"]) == list(train.losses)
    assert_summaries(found["O4"], QUANTITIES, {None: len(train.seeds)})
    for values in found["O4"].values():
        assert 0 <= values["off_diagonal_saliency"] <= 1


def test_the_norms_are_those_of_the_trained_weights(chain):
    folder = chain.made("oscillator_train_sequence")
    models = saved_models.read_models(folder / "models.safetensors", Transformer)
    for name, model in models.items():
        norms = path_norms(model)["norm_W_O"].tolist()
        assert chain.metrics(STAGE)["O4"][name]["norm_W_O_low"] == min(norms)


def test_the_maps_are_two_windows_square_and_blind_to_what_comes_later(chain):
    size = 2 * chain.params(STAGE).data.window
    found = records.read_arrays(chain.made(STAGE) / "saliency.npz", SaliencyMaps)
    assert list(found.loss) == list(chain.metrics(STAGE)["O4"])
    assert found.seeds.tolist() == [list(chain.params(STAGE).train.seeds)] * len(found.loss)
    assert found.maps.shape[2:] == (size, size)
    position = np.arange(size) // 2
    later = position[None, :] > position[:, None]
    for matrix in found.maps.reshape(-1, size, size):
        assert bool((matrix[later] == 0).all()), "the models are causal"
        assert bool((matrix[position[None, :] == position[:, None]] != 0).all())
