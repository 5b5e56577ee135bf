import math

import pytest
import torch

from pipeline.core.nn.init import fan_in_uniform, normal, uniform
from pipeline.core.training.sampling import generators


def test_normal_weights_have_the_asked_standard_deviation():
    weights = normal((400, 500), 0.02, generators([0])).detach()
    # The sample deviation of 200,000 draws has a relative error of 1 / sqrt(2 n) = 0.0016: five.
    assert float(weights.std()) == pytest.approx(0.02, rel=0.008)
    assert float(weights.mean().abs()) < 5 * 0.02 / math.sqrt(200_000)


def test_weights_of_a_linear_map_are_uniform_within_one_over_the_root_of_d_in():
    weight = fan_in_uniform(16, 5000, generators([0, 1])).detach()
    assert float(weight.abs().max()) <= 1 / math.sqrt(16)
    # Uniform on [-b, b] has variance b^2 / 3; the sample variance of 160,000 draws has a relative
    # standard deviation of sqrt(0.8 / 160000) = 0.0022. Five of them.
    assert float(weight.var()) == pytest.approx(1 / 16 / 3, rel=0.011)


@pytest.mark.parametrize(
    "draw",
    [
        lambda streams: normal((3, 4), 0.1, streams),
        lambda streams: uniform((3, 4), 0.1, streams),
        lambda streams: fan_in_uniform(3, 4, streams),
    ],
)
def test_a_member_is_its_seed_alone(draw):
    assert torch.equal(draw(generators([3, 4]))[1:], draw(generators([4])))
