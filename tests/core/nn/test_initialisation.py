import math

import pytest
import torch

from pipeline.core.nn.initialisation import normal
from pipeline.core.training.sampling import generators


def test_initial_weights_have_the_asked_standard_deviation():
    weights = normal((400, 500), 0.02, generators([0])).detach()
    # The sample deviation of 200,000 draws has a relative error of 1 / sqrt(2 n) = 0.0016: five.
    assert float(weights.std()) == pytest.approx(0.02, rel=0.008)
    assert float(weights.mean().abs()) < 5 * 0.02 / math.sqrt(200_000)


def test_a_member_is_its_seed_alone():
    both, alone = normal((3, 4), 1.0, generators([3, 4])), normal((3, 4), 1.0, generators([4]))
    assert torch.equal(both[1:], alone)
