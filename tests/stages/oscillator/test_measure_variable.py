import numpy as np
import pytest

from pipeline.labs.oscillator.report.rollouts import Rollouts
from pipeline.runtime.formats import artifacts, records

STAGE = "oscillator_measure_variable"
FORECAST = ("one_step", "r50", "r200", "valid_prediction_time", "energy_drift", "energy_spread")
SURROGATE = ("r2_score", "r2_score_increment", "valid_imitation_time")


@pytest.fixture(scope="module")
def seeds(chain):
    return len(chain.params("oscillator_train_variable").train.seeds)


def test_o5_measures_every_model_beside_the_oracle(chain, seeds, assert_summaries):
    found = chain.metrics(STAGE)["O5"]
    models = chain.params("oscillator_train_variable").train.models
    assert found.keys() == {*models, "dmd"}
    assert_summaries(found, FORECAST, {None: seeds, "dmd": 1})


def test_o6_measures_the_linear_models_and_the_surrogate(chain, seeds, assert_summaries):
    found = chain.metrics(STAGE)["O6"]
    assert found.keys() == {"attention", "linear", "linear_gradient", "surrogate", "dmd"}
    counts = {None: seeds, "linear": 1, "dmd": 1}
    others = {name: values for name, values in found.items() if name != "surrogate"}
    assert_summaries(others, FORECAST, counts)
    assert_summaries({"surrogate": found["surrogate"]}, FORECAST + SURROGATE, counts)


def test_the_oracle_is_exact_on_noise_free_windows(chain):
    for experiment in ("O5", "O6"):
        found = chain.metrics(STAGE)[experiment]["dmd"]
        # A window of 40 states at omega0 from 1 to 4 has a condition number below ten: a step is
        # known to 10 x 40^(1/2) eps, and 200 of them, which damping shrinks, to 3e-13.
        assert found["one_step"] < 10 * 40**0.5 * 2.2e-16
        assert found["r200"] < 1e-12
        assert found["valid_prediction_time"] == 200


def test_attention_of_o6_is_the_best_model_of_o5(chain):
    best = artifacts.read_json(chain.made("oscillator_train_surrogate") / "best.json")["model"]
    metrics = chain.metrics(STAGE)
    assert metrics["O6"]["attention"] == metrics["O5"][best]
    assert metrics["O6"]["dmd"] == metrics["O5"]["dmd"]


def test_the_table_has_every_quantity_of_every_condition(chain):
    table = artifacts.read_csv(chain.made(STAGE) / "table.csv", ["experiment", "median"])
    expected = {
        (experiment, condition, name)
        for experiment, conditions in chain.metrics(STAGE).items()
        for condition, found in conditions.items()
        for name in found
        if f"{name}_low" in found
    }
    rows = list(zip(table.experiment, table.condition, table.quantity, strict=True))
    assert set(rows) == expected
    assert len(rows) == len(expected)


@pytest.mark.parametrize(("file", "experiment"), [("models", "O5"), ("compared", "O6")])
def test_the_rollouts_for_the_figures_are_of_the_example(chain, file, experiment):
    rollouts = records.read_arrays(chain.made(STAGE) / f"{file}.npz", Rollouts)
    assert rollouts.true.shape[1] == 200
    assert set(rollouts.model) == chain.metrics(STAGE)[experiment].keys() - (
        {"dmd"} if file == "models" else set()
    )
    assert bool(np.isfinite(rollouts.error).all())
    window = chain.params(STAGE).data.window
    example = artifacts.read_npz(
        chain.inputs / "oscillator_data" / "variable_example.npz", states="float64 1 time 2"
    )["states"][0]
    for true in rollouts.true:
        np.testing.assert_array_equal(true, example[window:])
