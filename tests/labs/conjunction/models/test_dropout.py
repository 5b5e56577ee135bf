import math

import pytest
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.models.dropout import keep_mask


@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.9])
def test_dropout_drops_its_fraction_and_keeps_the_mean(dropout):
    mask = keep_mask((500, 401), dropout, generators([0, 1]))
    n = mask.numel()
    # Binomial: five standard deviations, plus the rounding of the probability.
    error = 5 * math.sqrt(dropout * (1 - dropout) / n) + 1 / 65536
    assert float((mask == 0).double().mean()) == pytest.approx(dropout, abs=error)
    assert float(mask.mean()) == pytest.approx(1, abs=error / (1 - dropout))
    assert len(mask.unique()) == 2


def test_dropout_of_neighbouring_decisions_is_independent():
    # Four decisions come from one 64-bit number: a shared bit would show as a correlation.
    mask = (keep_mask((1000, 400), 0.5, generators([0]))[0] > 0).double().view(-1, 4)
    correlation = torch.corrcoef(mask.T) - torch.eye(4)
    assert float(correlation.abs().max()) < 5 / math.sqrt(len(mask))
