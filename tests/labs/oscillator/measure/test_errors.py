import pytest
import torch

from pipeline.core.nn.linear import fit_linear_window
from pipeline.labs.oscillator.measure import (
    CEILING,
    MeasureConfig,
    determination,
    divergence_horizon,
    forecast_quantities,
    predict_rollouts,
    rollout_error,
    state_relative_error,
    surrogate_quantities,
)

BAD = (torch.nan, torch.inf, -torch.inf)


def truth(trajectories=3, steps=4):
    """Return states (3, 4) everywhere: norm 5."""
    return torch.tensor([3.0, 4.0], dtype=torch.float64).expand(trajectories, steps, 2).clone()


def off(*errors, steps=4):
    """Return one member's rollouts whose error has these lengths, a trajectory each."""
    shift = torch.tensor(errors, dtype=torch.float64).view(1, -1, 1, 1)
    return truth(len(errors), steps) + shift * torch.tensor([0.6, 0.8], dtype=torch.float64)


def exactly(*values):
    return pytest.approx(values, rel=1e-14)  # a few roundings


def test_the_relative_error_is_that_of_the_state():
    found = state_relative_error(off(0.0, 5.0, 10.0), truth())
    assert found.shape == (1, 3, 4)
    assert found[0, :, 0].tolist() == exactly(0.0, 1.0, 2.0)


@pytest.mark.parametrize("bad", [*BAD, 1e300])
def test_a_state_that_ran_away_counts_with_the_ceiling(bad):
    predicted = off(0.0, 5.0, 5.0)
    predicted[0, 1, 2:, 1] = bad
    found = state_relative_error(predicted, truth())
    assert found[0, 1].tolist() == exactly(1.0, 1.0, CEILING, CEILING)
    assert bool(torch.isfinite(found).all())


def test_the_rollout_error_is_a_median_of_ratios_of_root_mean_squares():
    predicted = off(5.0, 10.0, 20.0)
    assert rollout_error(predicted, truth(), 4).tolist() == exactly(2.0)
    # Half of the steps without error: the rms falls by 2^(1/2).
    predicted[:, :, 2:] = truth()[:, 2:]
    assert rollout_error(predicted, truth(), 4).tolist() == exactly(2 / 2**0.5)
    assert rollout_error(predicted, truth(), 2).tolist() == exactly(2.0)


def test_only_the_first_steps_count():
    predicted = off(5.0, 5.0, 5.0)
    predicted[:, :, 2:] = torch.nan
    assert rollout_error(predicted, truth(), 2).tolist() == exactly(1.0)
    assert rollout_error(predicted, truth(), 3).tolist() == exactly(CEILING)


@pytest.mark.parametrize("bad", BAD)
def test_one_rollout_that_ran_away_does_not_move_the_median_far(bad):
    predicted = off(0.0, 5.0, 10.0)
    predicted[0, 0] = bad
    assert rollout_error(predicted, truth(), 4).tolist() == exactly(2.0)


def test_rollouts_of_each_member_can_be_compared_with_those_of_its_own_model():
    true = torch.stack([truth(), 2 * truth()])
    predicted = true + torch.tensor([3.0, 4.0], dtype=torch.float64)
    assert rollout_error(predicted, true, 4).tolist() == exactly(1.0, 0.5)


def test_the_horizon_counts_the_steps_until_two_rollouts_part():
    true = truth(3, 10)
    predicted = true[None].clone()
    for trajectory, first in enumerate((2, 5, 9)):
        predicted[0, trajectory, first:] += 10.0
    assert divergence_horizon(predicted, true, 0.1).tolist() == [5.0]


def test_rollouts_that_never_part_count_with_their_length():
    assert divergence_horizon(truth(3, 10)[None], truth(3, 10), 0.1).tolist() == [10.0]


def test_coming_back_together_after_parting_changes_nothing():
    true = truth(1, 10)
    predicted = true[None].clone()
    predicted[0, 0, 3] += 10.0
    assert divergence_horizon(predicted, true, 0.1).tolist() == [3.0]


@pytest.mark.parametrize(("distance", "expected"), [(0.49, 10.0), (0.51, 0.0)])
def test_they_part_beyond_the_threshold_times_the_rms_of_the_true_state(distance, expected):
    assert divergence_horizon(off(distance, steps=10), truth(1, 10), 0.1).tolist() == [expected]


@pytest.mark.parametrize("bad", BAD)
def test_rollouts_that_ran_away_are_apart(bad):
    predicted = truth(1, 10)[None].clone()
    predicted[0, 0, 4:, 0] = bad
    assert divergence_horizon(predicted, truth(1, 10), 0.1).tolist() == [4.0]


@pytest.mark.parametrize("bad", BAD)
def test_a_model_that_runs_away_alone_is_apart_from_its_surrogate(bad):
    model = truth(1, 10)[None].clone()
    model[0, 0, 4:, 0] = bad
    assert divergence_horizon(truth(1, 10)[None], model, 0.1).tolist() == [4.0]


def test_a_perfect_prediction_determines_all_and_the_mean_nothing():
    true = torch.randn(2, 50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean = true.mean(1, keepdim=True).expand_as(true)
    assert determination(true, true).tolist() == [1.0, 1.0]
    assert determination(mean, true).tolist() == pytest.approx([0.0, 0.0], abs=1e-14)
    halfway = (true + mean) / 2
    assert determination(halfway, true).tolist() == exactly(0.75, 0.75)


def test_forecast_quantities_are_named_by_their_horizons():
    config = MeasureConfig(horizons=(2, 4), parting=0.1)
    predicted = off(0.0, 5.0, 10.0)
    predicted[:, :, 2:] = truth()[:, 2:]
    found = forecast_quantities(predicted, truth(), config)
    assert list(found) == ["one_step", "r2", "r4", "horizon"]
    assert found["one_step"].tolist() == exactly(1.0)
    assert found["r2"].tolist() == exactly(1.0)
    assert found["r4"].tolist() == exactly(1 / 2**0.5)
    assert found["horizon"].tolist() == [0.0]


def test_increments_are_a_stricter_test_of_a_surrogate_than_states():
    last = torch.randn(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    steps = torch.randn(50, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    model = (last + 0.1 * steps)[None, :, None].expand(1, 50, 3, 2)
    surrogate = last[None, :, None].expand(1, 50, 3, 2)  # it predicts no change at all
    found = surrogate_quantities(surrogate, model, last, MeasureConfig(horizons=(1,), parting=1e3))
    assert float(found["r2"]) > 0.98
    assert float(found["r2_increment"]) < 0.01
    assert found["divergence_horizon"].tolist() == [3.0]


def test_predicted_rollouts_are_those_of_every_member_in_float64():
    generator = torch.Generator().manual_seed(0)
    windows = torch.randn(60, 3, 2, generator=generator, dtype=torch.float64)
    maps = torch.tensor([[[0.0, 1.0], [-1.0, 0.0]], [[0.5, 0.0], [0.0, 0.5]]]).double()
    model = fit_linear_window(windows, windows[:, -1] @ maps.mT)
    found = predict_rollouts(model.float(), windows[:4], 8)
    assert found.dtype == torch.float64
    assert found.shape == (2, 4, 8, 2)
    for step in range(8):
        power = torch.linalg.matrix_power(maps, step + 1)
        expected = windows[:4, -1] @ power.mT
        # float32 of numbers below 4, seven terms, eight steps of norm one.
        torch.testing.assert_close(found[:, :, step], expected, rtol=0, atol=8 * 7 * 4 * 1.2e-7)


@pytest.mark.parametrize("horizons", [(), (0,), (5, 5)])
def test_horizons_are_distinct_and_positive(horizons):
    with pytest.raises(ValueError, match="horizons"):
        MeasureConfig(horizons=horizons, parting=0.1)
