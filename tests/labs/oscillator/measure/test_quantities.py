import pytest
import torch

from labs.oscillator.measure.test_errors import exactly, off, truth
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.data.windows import HeldOut
from pipeline.labs.oscillator.measure.conservation import conservation
from pipeline.labs.oscillator.measure.quantities import (
    MeasureConfig,
    after_window,
    forecast_quantities,
    from_one_state,
    measured,
    of_network_of_time,
    surrogate_quantities,
)

ONES = torch.ones(3, dtype=torch.float64)


def test_rollout_errors_are_named_by_their_steps():
    config = MeasureConfig(rollout_steps=(2, 4), prediction_threshold=0.1)
    predicted = off(0.0, 5.0, 10.0)
    predicted[:, :, 2:] = truth()[:, 2:]
    found = forecast_quantities(predicted, truth(), config)
    assert list(found) == ["one_step", "r2", "r4", "valid_prediction_time"]
    assert found["one_step"].tolist() == exactly(1.0)
    assert found["r2"].tolist() == exactly(1.0)
    assert found["r4"].tolist() == exactly(1 / 2**0.5)
    assert found["valid_prediction_time"].tolist() == [0.0]


def test_increments_are_a_stricter_test_of_a_surrogate_than_states():
    last = torch.randn(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    steps = torch.randn(50, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    model = (last + 0.1 * steps)[None, :, None].expand(1, 50, 3, 2)
    surrogate = last[None, :, None].expand(1, 50, 3, 2)  # it predicts no change at all
    found = surrogate_quantities(
        surrogate, model, last, MeasureConfig(rollout_steps=(1,), prediction_threshold=1e3)
    )
    assert float(found["r2_score"]) > 0.98
    assert float(found["r2_score_increment"]) < 0.01
    assert found["valid_imitation_time"].tolist() == [3.0]


@pytest.mark.parametrize("steps", [(), (0,), (5, 5)])
def test_rollouts_have_distinct_positive_lengths(steps):
    with pytest.raises(ValueError, match="rollout_steps"):
        MeasureConfig(rollout_steps=steps, prediction_threshold=0.1)


def split():
    """Return trajectories whose states after the first are those of :func:`truth`."""
    return Split(torch.cat([truth(3, 1), truth()], dim=1), 2 * ONES, 0 * ONES)


def test_rollouts_from_one_state_are_measured_at_the_first_step_the_last_and_over_all():
    predicted = off(5.0, 10.0, 20.0)
    predicted[:, :, 0] = truth()[:, 0]
    found = from_one_state(predicted, split())
    assert list(found) == ["energy_drift", "energy_spread", "one_step", "step4_error", "r4"]
    assert found["one_step"].tolist() == [0.0]
    assert found["step4_error"].tolist() == exactly(2.0)
    # Three of four steps are off by twice the state's length.
    assert found["r4"].tolist() == exactly(2 * 0.75**0.5)


def test_the_network_of_time_is_measured_by_the_same_numbers_without_the_last_state_s():
    predicted = off(5.0, 10.0, 20.0)
    found, other = of_network_of_time(predicted, split()), from_one_state(predicted, split())
    assert list(found) == ["one_step", "r4", "energy_drift", "energy_spread"]
    for name, value in found.items():
        assert torch.equal(value, other[name])


def held_out():
    true = torch.cat([truth(), 100 * truth(1)])  # the example would be the largest error
    ones = torch.ones(4, dtype=torch.float64)
    return HeldOut(torch.zeros(4, 2, 2, dtype=torch.float64), true, 2 * ones, 0 * ones)


def test_after_a_window_every_trajectory_counts_but_the_example():
    predicted = torch.cat([off(0.0, 5.0, 10.0), 0 * off(0.0)], dim=1)
    config = MeasureConfig(rollout_steps=(4,), prediction_threshold=0.1)
    found = after_window(predicted, held_out(), config)
    others = predicted[:, :-1]
    expected = forecast_quantities(others, truth(), config) | conservation(
        others, truth(), 2 * ONES
    )
    assert list(found) == list(expected)
    for name, value in found.items():
        assert torch.equal(value, expected[name])


def test_results_are_by_experiment_and_model_with_the_size_of_what_has_one():
    predicted = torch.cat([off(0.0, 5.0, 10.0), 0 * off(0.0)], dim=1)
    config = MeasureConfig(rollout_steps=(4,), prediction_threshold=0.1)
    rollouts = {("O7", "model"): predicted, ("O7", "dmd"): predicted, ("other", "model"): predicted}
    results = measured(rollouts, held_out(), config, {("O7", "model"): 42})
    assert {name: list(models) for name, models in results.items()} == {
        "O7": ["model", "dmd"], "other": ["model"],
    }  # fmt: skip
    assert results["O7"]["model"]["parameters"] == 42
    assert "parameters" not in results["O7"]["dmd"]
    assert results["O7"]["model"]["r4"] == pytest.approx(1.0, rel=1e-14)
