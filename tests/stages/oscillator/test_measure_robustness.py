import shutil

import pytest

from pipeline.config import ConfigError
from pipeline.labs.oscillator.models.forecasters import FORECASTERS
from pipeline.runtime.formats import artifacts, saved_models

STAGE = "oscillator_measure_robustness"
SOURCES = ("train_variable", "train_linear", "train_recipe", "polish")
ORACLES = {"dmd", "likelihood"}
NOISE = ("r6_0", "r6_0.001", "r6_0.01")
BANDS = ("r6_0.5_1", "r6_1_2", "r6_2_4", "r6_4_5", "r6_5_6")


def trained(chain):
    """Return every model of the lab that forecasts from a window, with its number of seeds."""
    found = {}
    for source in SOURCES:
        path = chain.made(f"oscillator_{source}") / "models.safetensors"
        models = saved_models.read_models(path, *FORECASTERS)
        found |= {name: model.members for name, model in models.items()}
    return found


@pytest.mark.parametrize(("experiment", "quantities"), [("noise", NOISE), ("frequency", BANDS)])
def test_every_model_and_both_oracles_meet_every_condition(
    chain, experiment, quantities, assert_summaries
):
    found, models = chain.metrics(STAGE), trained(chain)
    assert found.keys() == {"noise", "frequency"}
    assert found[experiment].keys() == models.keys() | ORACLES
    # The oracles see every member's windows, each with its own noise.
    most = max(models.values())
    assert_summaries(found[experiment], quantities, models | dict.fromkeys(ORACLES, most))


def test_the_oracles_are_exact_without_noise_at_any_frequency_and_not_with_it(chain):
    found = chain.metrics(STAGE)
    clean = {"r6_0": found["noise"], **dict.fromkeys(BANDS, found["frequency"])}
    for quantity, conditions in clean.items():
        # Windows of four seconds at 0.5 rad/s and more: a condition number below twenty.
        assert conditions["dmd"][quantity] < 1e-12
        # omega0 to 9.9 / 10 / 5^7 / 10 rad/s, over 4.6 s.
        assert conditions["likelihood"][quantity] < 4.6 * 9.9 / (10 * 5**7 * 10)
    for oracle in ORACLES:
        one, two = (found["noise"][oracle][q] for q in NOISE[1:])
        assert 1e-5 < one < two


def test_the_table_has_a_row_for_every_model_and_condition(chain):
    columns = ["experiment", "condition", "quantity", "median", "low", "high", "n"]
    table = artifacts.read_csv(chain.made(STAGE) / "table.csv", columns)
    assert len(table) == len(trained(chain).keys() | ORACLES) * len((*NOISE, *BANDS))


def test_two_models_of_one_name_are_refused_in_one_line(chain, tmp_path):
    inputs = chain.copied_inputs(STAGE, tmp_path / "data")
    twin = inputs / "oscillator_polish" / "models.safetensors"
    shutil.copy(inputs / "oscillator_train_recipe" / "models.safetensors", twin)
    expected = "params.yaml: two models are named 'softmax_attention'; the one of oscillator.polish"
    with pytest.raises(ConfigError, match=expected):
        chain.run(STAGE, inputs, tmp_path / "out")
