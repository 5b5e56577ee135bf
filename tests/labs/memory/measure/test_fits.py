import pytest
import torch

from pipeline.labs.memory.measure import fits


def test_bounds_are_the_papers():
    H, d, d_head = (torch.tensor([x]) for x in (31, 10, 10))
    bounds = fits.lower_bounds(50, H, d, d_head)[:, 0].tolist()
    assert bounds == pytest.approx([0.98 * 320 / 2500 + 0.02, 0.98 * 280 / 2500 + 0.02])
    # Where the bound would count more contexts than there are, it is 1.
    assert fits.lower_bounds(3, H, d, d_head)[:, 0].tolist() == [1, 1]


def test_the_rise_in_heads_is_fitted_before_saturation():
    H = torch.tensor([1.0, 6.0, 11.0, 16.0, 21.0])
    fit = fits.linear_in_heads(H, torch.tensor([0.1, 0.35, 0.6, 0.85, 1.0]), 0.9)
    assert fit is not None
    assert float(fit.values[1]) == pytest.approx(0.05, abs=1e-6)  # float32 accuracies
    assert fits.linear_in_heads(H, torch.full((5,), 0.95), 0.9) is None


def test_the_growth_of_slopes_is_the_exponent():
    d = torch.arange(3, 14)
    assert float(fits.growth_of_slopes(d, 0.01 * d**2.5).values[1]) == pytest.approx(2.5)


def test_the_break_of_a_piecewise_line_is_found():
    d = torch.arange(5, 16).double()
    place, fit = fits.piecewise(d, 0.1 * d.clamp(max=10))
    assert place == pytest.approx(10)
    assert fit.values[1:].tolist() == pytest.approx([0.1, 0], abs=1e-12)


def test_resampled_breakpoints_are_those_of_the_seeds_drawn():
    d = torch.arange(5, 16).double()
    seeds = torch.stack([0.1 * d.clamp(max=place) for place in (8, 12)])
    places = fits.resampled_breakpoints(d, seeds, 40, torch.Generator().manual_seed(0)).tolist()
    assert len(places) == 40
    both = fits.piecewise(d.repeat(2), seeds.flatten())[0]
    expected = {round(8.0, 4), round(12.0, 4), round(both, 4)}
    assert {round(place, 4) for place in places} == expected
