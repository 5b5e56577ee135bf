import pytest
import torch

from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.measure.saliency import off_diagonal_share, path_norms, saliency
from pipeline.labs.oscillator.models.attention import ShapeConfig

TIME = 6


def model(*, causal=True, n_layers=1):
    shape = ShapeConfig(d_model=4, d_head=2, n_layers=n_layers, causal=causal).transformer
    return Transformer(shape, generators([0, 3])).double()


def window():
    return torch.randn(TIME, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def silenced():
    """Return a model whose attention writes nothing: every output is its own input's."""
    local = model()
    with torch.no_grad():
        local.layers[0].W_O.zero_()
    return local


@pytest.mark.parametrize("causal", [True, False])
def test_the_derivatives_are_those_of_finite_differences(causal):
    chosen, x, h = model(causal=causal, n_layers=2), window(), 1e-5
    found = saliency(chosen, x)
    assert found.shape == (2, TIME, 2, TIME, 2)
    for j in range(TIME):
        for b in range(2):
            moved = torch.zeros_like(x)
            moved[j, b] = h
            with torch.no_grad():
                ahead, behind = (
                    chosen((x + sign * moved).expand(2, 1, TIME, 2))[:, 0] for sign in (1, -1)
                )
            # Central differences: h^2 = 1e-10 of a third derivative below 10, and eps / h = 2e-11.
            expected = (ahead - behind) / (2 * h)
            torch.testing.assert_close(found[:, :, :, j, b], expected, rtol=0, atol=2e-9)


def test_a_causal_model_does_not_read_what_comes_later():
    blocks = saliency(model(n_layers=2), window()).abs().sum((2, 4))
    later = torch.ones(TIME, TIME, dtype=torch.bool).triu(1)
    assert bool((blocks[:, later] == 0).all())
    assert bool((blocks[:, ~later] > 0).all())
    unmasked = saliency(model(causal=False), window()).abs().sum((2, 4))
    assert bool((unmasked > 0).all())


def test_attention_that_writes_nothing_leaves_the_diagonal_alone():
    jacobian = saliency(silenced(), window())
    # The difference of two sums of squares: exactly zero or the root of its rounding.
    assert bool((off_diagonal_share(jacobian) < 2e-8).all())
    direct = silenced().embed.W @ silenced().unembed.W
    for t in range(TIME):
        torch.testing.assert_close(jacobian[:, t, :, t], direct.mT, rtol=0, atol=1e-14)


def test_the_share_is_that_of_the_norm_off_the_diagonal():
    jacobian = torch.zeros(2, 2, 2, 2, 2, dtype=torch.float64)
    jacobian[:, 0, 0, 0, 0] = 4.0
    jacobian[0, 1, 1, 0, 0] = 3.0
    assert off_diagonal_share(jacobian).tolist() == pytest.approx([3 / 5, 0.0])


@torch.no_grad()
def test_the_norms_are_those_of_each_member_s_two_paths():
    chosen = model()
    found, layer = path_norms(chosen), chosen.layers[0]
    for k in range(2):
        w_e, w_u = chosen.embed.W[k], chosen.unembed.W[k]
        direct, through = w_e @ w_u, w_e @ layer.W_V[k] @ layer.W_O[k] @ w_u
        assert float(found["norm_W_O"][k]) == pytest.approx(float(layer.W_O[k].norm()))
        assert float(found["norm_direct"][k]) == pytest.approx(float(direct.norm()))
        assert float(found["norm_attention"][k]) == pytest.approx(float(through.norm()))
    assert torch.equal(found["attention_share"], found["norm_attention"] / found["norm_direct"])


def test_attention_that_writes_nothing_has_no_share():
    found = path_norms(silenced())
    assert found["norm_W_O"].tolist() == found["attention_share"].tolist() == [0.0, 0.0]
    assert bool((found["norm_direct"] > 0).all())
