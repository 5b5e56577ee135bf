import numpy as np
import pytest
import torch

from pipeline.core.stats.intervals import band
from pipeline.labs.oscillator.measure.errors import state_relative_error
from pipeline.labs.oscillator.report.rollouts import NO_SEED, drawn_rollouts, median_member

STEPS = 7


def rolled(*errors):
    """Return rollouts of members that are wrong by these factors, and the truth; one example."""
    generator = torch.Generator().manual_seed(len(errors))
    true = torch.randn(4, STEPS, 2, generator=generator, dtype=torch.float64)
    factors = torch.tensor(errors, dtype=torch.float64).view(-1, 1, 1, 1)
    return (1 + factors) * true, true


ROLLED = {"model": rolled(0.3, 0.1, 0.2, 0.9, 0.25), "oracle": rolled(1e-9)}
SEEDS = {"model": (10, 11, 12, 13, 14)}


@pytest.fixture(scope="module")
def drawn():
    return drawn_rollouts(ROLLED, SEEDS)


@pytest.mark.parametrize(
    ("values", "expected"), [([3.0, 1.0, 2.0], 2), ([4.0, 1.0, 3.0, 2.0], 3), ([5.0], 0)]
)
def test_the_median_member_is_the_one_of_the_lower_median(values, expected):
    assert median_member(torch.tensor(values)) == expected


def test_the_example_is_the_last_trajectory_by_the_member_of_median_error(drawn):
    assert drawn.model == ("model", "oracle")
    predicted, true = ROLLED["model"]
    np.testing.assert_array_equal(drawn.true[0], true[-1])
    np.testing.assert_array_equal(drawn.predicted[0], predicted[4, -1])
    assert drawn.seed.tolist() == [14, NO_SEED]


def test_the_error_is_the_band_over_members_of_the_median_over_the_other_trajectories(drawn):
    predicted, true = ROLLED["model"]
    every = state_relative_error(predicted[:, :-1], true[:-1]).median(1).values
    np.testing.assert_array_equal(drawn.error[0], band(every))
    np.testing.assert_allclose(drawn.error[0, 0], 0.25, rtol=1e-12)


def test_every_member_has_its_own_error_seed_and_model(drawn):
    assert drawn.run_model.tolist() == [0] * 5 + [1]
    assert drawn.run_seed.tolist() == [10, 11, 12, 13, 14, NO_SEED]
    np.testing.assert_allclose(drawn.run_error[:5, 0], [0.3, 0.1, 0.2, 0.9, 0.25], rtol=1e-12)
    assert drawn.run_error.shape == (6, STEPS)
