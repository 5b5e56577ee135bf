import numpy as np
import torch

from pipeline.labs.oscillator.measure.saliency import off_diagonal_share
from pipeline.labs.oscillator.report.saliency import saliency_maps


def jacobian(*shares):
    """Return Jacobians of three positions whose mass off the diagonal grows with these numbers."""
    own = torch.einsum("ij,ab->iajb", torch.eye(3), torch.eye(2)).double()
    other = torch.einsum("ij,ab->iajb", torch.ones(3, 3) - torch.eye(3), torch.eye(2)).double()
    return torch.stack([own + share * other for share in shares])


JACOBIANS = {"last": jacobian(0.5, 0.1, 0.3), "sequence": jacobian(0.0, 2.0, 0.0)}


def test_every_seed_s_map_has_its_share_and_the_median_is_named():
    maps = saliency_maps(JACOBIANS, dict.fromkeys(JACOBIANS, (7, 8, 9)))
    assert maps.loss == ("last", "sequence")
    assert maps.seeds.tolist() == [[7, 8, 9]] * 2
    assert maps.median.tolist() == [2, 2], "the second of two equal ones is the median of three"
    for share, each in zip(maps.off_diagonal, JACOBIANS.values(), strict=True):
        np.testing.assert_array_equal(share, off_diagonal_share(each))


def test_rows_and_columns_are_positions_with_the_channels_inside():
    maps = saliency_maps(JACOBIANS, dict.fromkeys(JACOBIANS, (7, 8, 9)))
    assert maps.maps.shape == (2, 3, 6, 6)
    for i in range(6):
        for j in range(6):
            expected = JACOBIANS["last"][0, i // 2, i % 2, j // 2, j % 2]
            assert maps.maps[0, 0, i, j] == float(expected)
