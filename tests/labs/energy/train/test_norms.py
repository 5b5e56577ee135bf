import torch

from labs.energy.train.test_likelihood import LIKELIHOOD
from pipeline.labs.energy.train.likelihood import LikelihoodCell
from pipeline.labs.energy.train.norms import norms


def test_without_the_partition_function_patterns_leave_the_points():
    found = norms(LikelihoodCell(name="ring", config=LIKELIHOOD), lambda: None)
    assert (found["norm_without"] > 1.5 * found["norm_points"]).all()
    assert (found["norm_with"] < 1.2 * found["norm_points"]).all()
    ratio = found["norm_without"] / found["norm_with"]
    assert torch.equal(found["norm_ratio"], ratio)
