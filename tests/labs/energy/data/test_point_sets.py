import numpy as np
import pytest
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import point_sets
from pipeline.labs.energy.data.point_sets import PointSetConfig


@pytest.mark.parametrize("shape", ["ring", "spiral", "clusters"])
def test_point_sets_move_with_their_centre_and_members_draw_alone(shape):
    here = PointSetConfig(shape=shape, radius=5.0, noise=1.0, centre=(0.0, 0.0))
    there = here.model_copy(update={"centre": (3.0, -1.0)})
    points = point_sets.draw(here, 50, generators([0, 1]))
    moved = point_sets.draw(there, 50, generators([1]))
    shift = torch.tensor([3.0, -1.0], dtype=torch.float64)
    assert torch.allclose(points[1:] + shift, moved, rtol=0, atol=1e-14)
    assert np.isfinite(points.numpy()).all()
