import pytest
import torch

from pipeline.labs.oscillator.measure.errors import (
    CEILING,
    r2_score,
    rollout_error,
    state_relative_error,
    valid_prediction_time,
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


def test_the_valid_time_counts_the_steps_until_two_rollouts_part():
    true = truth(3, 10)
    predicted = true[None].clone()
    for trajectory, first in enumerate((2, 5, 9)):
        predicted[0, trajectory, first:] += 10.0
    assert valid_prediction_time(predicted, true, 0.1).tolist() == [5.0]


def test_rollouts_that_never_part_count_with_their_length():
    assert valid_prediction_time(truth(3, 10)[None], truth(3, 10), 0.1).tolist() == [10.0]


def test_coming_back_together_after_parting_changes_nothing():
    true = truth(1, 10)
    predicted = true[None].clone()
    predicted[0, 0, 3] += 10.0
    assert valid_prediction_time(predicted, true, 0.1).tolist() == [3.0]


@pytest.mark.parametrize(("distance", "expected"), [(0.49, 10.0), (0.51, 0.0)])
def test_they_part_beyond_the_threshold_times_the_rms_of_the_true_state(distance, expected):
    assert valid_prediction_time(off(distance, steps=10), truth(1, 10), 0.1).tolist() == [expected]


@pytest.mark.parametrize("bad", BAD)
def test_rollouts_that_ran_away_are_apart(bad):
    predicted = truth(1, 10)[None].clone()
    predicted[0, 0, 4:, 0] = bad
    assert valid_prediction_time(predicted, truth(1, 10), 0.1).tolist() == [4.0]


@pytest.mark.parametrize("bad", BAD)
def test_a_model_that_runs_away_alone_is_apart_from_its_surrogate(bad):
    model = truth(1, 10)[None].clone()
    model[0, 0, 4:, 0] = bad
    assert valid_prediction_time(truth(1, 10)[None], model, 0.1).tolist() == [4.0]


def test_a_perfect_prediction_determines_all_and_the_mean_nothing():
    true = torch.randn(2, 50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean = true.mean(1, keepdim=True).expand_as(true)
    assert r2_score(true, true).tolist() == [1.0, 1.0]
    assert r2_score(mean, true).tolist() == pytest.approx([0.0, 0.0], abs=1e-14)
    halfway = (true + mean) / 2
    assert r2_score(halfway, true).tolist() == exactly(0.75, 0.75)
