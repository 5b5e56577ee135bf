import torch

from pipeline.labs.oscillator.data.windows import HeldOut
from pipeline.labs.oscillator.measure.comparison import BASELINES, compared, variable_results
from pipeline.labs.oscillator.measure.quantities import MeasureConfig

CONFIG = MeasureConfig(rollout_steps=(4,), prediction_threshold=0.1)
ATTENTION = ["small", "big"]


def held_out():
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(5, 9, 2, generator=generator, dtype=torch.float64)
    ones = torch.ones(5, dtype=torch.float64)
    return HeldOut(states[:, :5], states[:, 5:], 2 * ones, 0 * ones)


def results(best="big"):
    test = held_out()
    errors = {"small": 0.5, "big": 0.2, "linear": 0.3, "linear_gradient": 0.4, "dmd": 0.0}
    rollouts = {name: (1 + error) * test.true[None] for name, error in errors.items()}
    rollouts["surrogate"] = rollouts[best].clone()
    return variable_results(rollouts, test, ATTENTION, best, CONFIG)


def test_o5_holds_the_attention_models_and_the_oracle_o6_the_best_and_the_baselines():
    found = results()
    assert list(found["O5"]) == [*ATTENTION, "dmd"]
    assert list(found["O6"]) == ["attention", *BASELINES]
    assert found["O6"]["attention"] == found["O5"]["big"]
    assert results("small")["O6"]["attention"] == found["O5"]["small"]
    assert compared("small")["attention"] == "small"


def test_only_the_surrogate_is_held_against_the_model_that_it_imitates():
    found = results()["O6"]
    assert found["surrogate"]["r2_score"] == 1.0, "a copy"
    assert found["surrogate"]["valid_imitation_time"] == 4
    assert [name for name, each in found.items() if "r2_score" in each] == ["surrogate"]
