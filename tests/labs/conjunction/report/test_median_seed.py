import pytest
import torch

from pipeline.labs.conjunction.report.median_seed import median_member


@pytest.mark.parametrize(
    ("values", "member"),
    [([3.0], 0), ([3.0, 1.0, 2.0], 2), ([4.0, 1.0, 3.0, 2.0], 3), ([2.0, 5.0, 2.0, 1.0, 2.0], 0)],
)
def test_the_median_is_a_seeds_own_value(values, member):
    # Of an even number the lower one; of equal ones the first.
    assert median_member(torch.tensor(values)) == member
