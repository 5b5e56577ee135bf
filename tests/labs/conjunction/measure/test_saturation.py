import math

import pytest
import torch
from pydantic import ValidationError

from pipeline.labs.conjunction.measure import saturation
from pipeline.labs.conjunction.measure.saturation import SaturationConfig

CONFIG = SaturationConfig(keys=16, queries=64, widths=(2, 8, 32, 128), seeds=3)


def test_even_scores_have_the_entropy_of_all_keys_and_a_dominant_one_none():
    key = torch.eye(8, dtype=torch.float64)
    queries = torch.stack([torch.zeros(8), 1000 * torch.eye(8)[3]]).double()
    even, sure = saturation.entropy(queries, key, scaled=True).tolist()
    assert even == pytest.approx(math.log(8), abs=1e-14)
    assert sure == pytest.approx(0, abs=1e-14)


def test_the_scale_divides_scores_by_the_root_of_the_width():
    generator = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 5, 4, generator=generator, dtype=torch.float64)
    # A width of 4: scores are halved, exactly.
    assert torch.equal(
        saturation.entropy(q, k, scaled=True), saturation.entropy(q / 2, k, scaled=False)
    )


def test_a_line_in_the_logarithm_of_the_width_has_its_slope():
    values = torch.tensor([[3.0, 2.0, 1.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    assert saturation.slopes((2, 8, 32), values).tolist() == pytest.approx([-0.5, 0.0], abs=1e-15)


def test_without_the_scale_entropy_falls_and_with_it_stays():
    results = saturation.measure(CONFIG)
    # At d = 128 scores of standard deviation 11 leave one of 16 keys nearly all the weight.
    assert results["unscaled"]["entropy_d128"] < 0.5
    assert results["unscaled"]["nats_per_doubling_high"] < -saturation.FLAT
    assert not results["unscaled"]["is_flat"]
    assert results["scaled"]["is_flat"]
    assert results["scaled"]["entropy_d128"] > 0.75 * math.log(16)
    assert results["scaled"]["n"] == 3


@pytest.mark.parametrize("changes", [{"keys": 1}, {"widths": [2]}, {"widths": [0, 2]}])
def test_values_that_cannot_be_used_are_refused(changes):
    with pytest.raises(ValidationError):
        SaturationConfig(**(CONFIG.model_dump() | changes))
