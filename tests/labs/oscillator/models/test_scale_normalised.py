import pytest
import torch

from pipeline.core.nn.transformer import TransformerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.models.scale_normalised import ScaleNormalised

KINDS = ("softmax", "linear")
# Outputs below ten after two layers of sums of some fifty products.
ROUNDING = 10 * 200 * 2.2e-16


def model(*, bias=False, attention="linear"):
    shape = TransformerConfig(
        d_in=2, d_out=2, d_model=4, d_head=2, n_layers=2, attention=attention, causal=False,
        positions=0, previous_token=True, bias=bias, mlp_width=0, norm=False,
    )  # fmt: skip
    return ScaleNormalised(shape, generators([0, 1])).double()


def windows():
    generator = torch.Generator().manual_seed(3)
    return torch.randn(2, 5, 6, 2, generator=generator, dtype=torch.float64)


@torch.no_grad()
@pytest.mark.parametrize("attention", KINDS)
@pytest.mark.parametrize(
    ("factor", "bias"), [(1e-3, True), (7.0, True), (1e3, False), (-1.0, False), (-0.2, False)]
)
def test_a_scaled_window_gives_a_scaled_output(attention, factor, bias):
    chosen, x = model(bias=bias, attention=attention), windows()
    expected = factor * chosen(x)
    torch.testing.assert_close(chosen(factor * x), expected, rtol=0, atol=abs(factor) * ROUNDING)


@torch.no_grad()
def test_each_window_has_its_own_scale():
    factors = torch.tensor([1e-3, 1.0, 5.0, 100.0, 1e4], dtype=torch.float64).view(1, 5, 1, 1)
    chosen, x = model(), windows()
    found = chosen(factors * x) / factors
    torch.testing.assert_close(found, chosen(x), rtol=0, atol=ROUNDING)


@torch.no_grad()
def test_the_transformer_within_is_not_equivariant_and_the_same_on_windows_of_rms_one():
    chosen, x = model(), windows()
    assert float((chosen.inner(2 * x) - 2 * chosen.inner(x)).abs().max()) > 1e-3
    normalised = x / x.square().mean((-1, -2), keepdim=True).sqrt()
    torch.testing.assert_close(chosen(normalised), chosen.inner(normalised), rtol=0, atol=ROUNDING)


@torch.no_grad()
def test_a_biased_model_is_not_odd():
    chosen, x = model(bias=True), windows()
    assert float((chosen(-x) + chosen(x)).abs().max()) > 1e-3


@torch.no_grad()
def test_the_last_position_alone_is_the_last_of_all():
    chosen, x = model(), windows()
    found = chosen(x, last_only=True)
    assert found.shape == (2, 5, 1, 2)
    torch.testing.assert_close(found, chosen(x)[:, :, -1:], rtol=0, atol=ROUNDING)


def test_a_window_of_zeros_gives_zeros_and_gradients_that_are_finite():
    chosen = model()
    found = chosen(torch.zeros(2, 1, 6, 2, dtype=torch.float64))
    assert bool((found == 0).all())
    found.sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in chosen.parameters())
