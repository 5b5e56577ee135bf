import math

import numpy as np
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data.patterns import random_spins
from pipeline.labs.energy.models import exponential, nearest


def test_a_pattern_one_step_farther_ties_and_two_steps_farther_does_not():
    # The state is two flips from its target; the other pattern differs where the state is right.
    target = random_spins(1, 24, generators([0]))
    state = target.clone()
    state[..., :2] *= -1
    for farther, tied in ((1, True), (2, False)):
        other = state.clone()
        other[..., 5 : 5 + 2 + farther] *= -1
        gaps = exponential.Gaps.of(state)
        gaps.add(torch.cat([target, other], dim=1))
        gap = (target * gaps.value())[..., 5]
        assert bool((gap.abs() < exponential.TIE).all()) == tied
        assert bool(exponential.retrieved(target, gaps.value())) != tied


def test_with_ties_fewer_patterns_come_back_at_the_same_asymptotic_exponent():
    d, radius = np.array([400.0, 800.0]), 0.25
    loose, tight = exponential.half_retrieved(d, radius), nearest.half_retrieved(d, radius)
    assert (tight < loose).all()
    exponents = np.diff(np.log2(tight)) / np.diff(d)
    entropy = -(0.25 * math.log2(0.25) + 0.75 * math.log2(0.75))
    # The prefactor sqrt(d) still bends the curve by log2(2) / 2 over 400 dimensions.
    assert abs(float(exponents[0]) - (1 - entropy)) < 2e-3
