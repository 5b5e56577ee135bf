import pytest
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.memory import notebook, scaling
from pipeline.labs.memory.models.attention import AttentionMemory, InitialConfig
from pipeline.labs.memory.scaling import GridConfig, PointConfig

PLAIN = InitialConfig(embedding=1.0, OV=1.0)


def test_a_grid_is_every_combination():
    grid = GridConfig(d=(3, 4), d_head=(0,), n_heads=(1, 6), n_layers=1, mlp=(False, True))
    points = grid.points
    assert len(points) == 8
    assert all(point.d_head == point.d for point in points)
    assert len({point.name for point in points}) == 8
    wide = GridConfig(d=(10,), d_head=(1, 10), n_heads=(20,), n_layers=1, mlp=(False,))
    assert [point.name for point in wide.points] == ["d10_dh1_h20", "d10_h20"]


@pytest.mark.parametrize("d", [7, 10])
@pytest.mark.parametrize("H", [2, 6, 31])
def test_an_mlp_has_the_parameters_of_the_modules_it_stands_for(d, H):
    counts = [
        AttentionMemory(
            scaling.shape(20, PointConfig(d=d, d_head=d, n_heads=H, n_layers=1, mlp=mlp), PLAIN),
            generators([0]),
        ).parameters_per_member
        for mlp in (False, True)
    ]
    # The biases of the MLP: one for each hidden unit and for each output.
    assert counts[1] - counts[0] == 2 * d * (H - 1) + d


def test_bounds_are_the_papers():
    H, d, d_head = (torch.tensor([x]) for x in (31, 10, 10))
    found = scaling.lower_bounds(50, H, d, d_head)[:, 0].tolist()
    assert found == pytest.approx([0.98 * 320 / 2500 + 0.02, 0.98 * 280 / 2500 + 0.02])
    # Where the bound would count more contexts than there are, it is 1.
    assert scaling.lower_bounds(3, H, d, d_head)[:, 0].tolist() == [1, 1]


def test_the_rise_in_heads_is_fitted_before_saturation():
    H = torch.tensor([1.0, 6.0, 11.0, 16.0, 21.0])
    fit = scaling.linear_in_heads(H, torch.tensor([0.1, 0.35, 0.6, 0.85, 1.0]), 0.9)
    assert fit is not None
    assert float(fit.values[1]) == pytest.approx(0.05, abs=1e-6)  # float32 accuracies
    assert scaling.linear_in_heads(H, torch.full((5,), 0.95), 0.9) is None


def test_the_growth_of_slopes_is_the_exponent():
    d = torch.arange(3, 14)
    assert float(scaling.growth_of_slopes(d, 0.01 * d**2.5).values[1]) == pytest.approx(2.5)


def test_the_break_of_a_piecewise_line_is_found():
    d = torch.arange(5, 16).double()
    place, fit = scaling.piecewise(d, 0.1 * d.clamp(max=10))
    assert place == pytest.approx(10)
    assert fit.values[1:].tolist() == pytest.approx([0.1, 0], abs=1e-12)


def test_every_admissible_combination_of_skips_is_named_once():
    found = notebook.admissible_skips()
    assert len(found) == 18
    assert not found["none"].residual
    assert not any(skips.pos_QK and skips.emb_QK for skips in found.values())
    assert not any(skips.pos_OV and skips.emb_OV for skips in found.values())
