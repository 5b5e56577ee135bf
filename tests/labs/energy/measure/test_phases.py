import math

import pytest
import torch

from pipeline.labs.energy.measure import phases
from pipeline.labs.energy.measure.phases import PhaseConfig

PHASES = {
    "seeds": (0, 1, 2), "d": 64, "patterns": 32, "clusters": 4, "betas": (1.0, 24.0, 400.0),
    "similarities": (0.0, 0.9), "global_above": 0.9, "single_below": 1.1, "branch_low": 1.0,
    "branch_high": 60.0, "branch_points": 40, "tolerance": 1e-8, "max_steps": 2000,
}  # fmt: skip


def test_the_three_kinds_of_fixed_points_appear_where_they_must():
    kinds = phases.diagram(PhaseConfig(**PHASES))
    whole, some, one = kinds.fraction
    assert (kinds.fraction.sum(0) - 1).abs().max() < 1e-12
    assert (whole[:, 0] == 1).all()  # nothing to tell apart at beta 1
    assert (one[:, 2] == 1).all()
    assert one[0, 1] == 1  # separate patterns are told apart,
    assert some[1, 1] == 1  # clusters only as clusters, of 32 / 4 patterns
    assert kinds.effective_number[1, 1] == pytest.approx(8, rel=0.1)


def test_both_branches_coexist_between_their_ends_and_cross_near_two_log_n():
    config = PhaseConfig(**PHASES)
    both = phases.branches(config)
    assert (both.single_ends < both.global_ends).all()
    assert (both.equal_energy > both.single_ends).all()
    assert (both.equal_energy < both.global_ends).all()
    # The theory takes the average as the origin and the pattern as itself: orders beta / d off.
    theory = phases.equal_energy_theory(config)
    assert theory == pytest.approx(2 * math.log(32), abs=1e-12)
    assert (both.equal_energy - theory).abs().max() < 0.15 * theory


def test_a_seed_has_the_same_branches_beside_others_as_alone():
    together = phases.branches(PhaseConfig(**PHASES))
    alone = phases.branches(PhaseConfig(**(PHASES | {"seeds": (2,)})))
    # States are updated until all of them do: to the tolerance of 1e-8.
    torch.testing.assert_close(together.energy[:, 2:], alone.energy, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clusters": 5}, "clusters must divide patterns, got 5 and 32"),
        ({"branch_low": 70.0}, "branch_low must be < branch_high, got 70"),
    ],
)
def test_phase_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        PhaseConfig(**(PHASES | changes))
