import math

import pytest
import torch

from pipeline.core.perceptron import Perceptron, PerceptronConfig, keep_mask, normal
from pipeline.core.sampling import generators

CONFIG = PerceptronConfig(d_in=17, width=512, dropout=0.1, init_std=0.02)


def test_the_tutorials_mlp_has_9729_parameters():
    assert Perceptron(CONFIG, generators([0])).parameters_per_member == 9729


def test_it_computes_linear_gelu_linear():
    model = Perceptron(CONFIG.model_copy(update={"width": 8}), generators([0, 1])).double()
    x = torch.randn(2, 5, 17, generator=generators([2])[0], dtype=torch.float64)
    for k in range(2):
        hidden = x[k] @ model.W_in[k] + model.b_in[k]
        hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
        logits = (hidden @ model.W_out[k])[:, 0] + model.b_out[k]
        # Sums of 17 and 8 products of numbers of order 1.
        assert torch.allclose(model(x)[k], logits, rtol=0, atol=1e-14)


def test_initial_weights_have_the_asked_standard_deviation():
    weights = normal((400, 500), 0.02, generators([0])).detach()
    # The sample deviation of 200,000 draws has a relative error of 1 / sqrt(2 n) = 0.0016: five.
    assert float(weights.std()) == pytest.approx(0.02, rel=0.008)
    assert float(weights.mean().abs()) < 5 * 0.02 / math.sqrt(200_000)


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


def test_without_generators_nothing_is_dropped():
    model = Perceptron(CONFIG, generators([0])).double()
    x = torch.ones(1, 3, 17, dtype=torch.float64)
    assert torch.equal(model(x), model(x))
    assert not torch.equal(model(x), model(x, generators([5])))
