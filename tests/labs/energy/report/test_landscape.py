import numpy as np

from labs.energy.measure.test_landscape import LANDSCAPE
from pipeline.labs.energy.measure.landscape import landscape as measure
from pipeline.labs.energy.report import landscape


def test_landscapes_are_stacked_and_fixed_points_padded():
    hot, cold = (measure(LANDSCAPE, beta) for beta in LANDSCAPE.betas)
    arrays = landscape.arrays(LANDSCAPE, [hot, cold])
    assert arrays.attractor_count.tolist() == [1, 2]
    np.testing.assert_array_equal(arrays.attractors[0, :1], hot.attractors)
    assert np.isnan(arrays.attractors[0, 1:]).all()
    np.testing.assert_array_equal(arrays.attractors[1], cold.attractors)
    np.testing.assert_array_equal(arrays.energy[1], cold.energy)
    np.testing.assert_array_equal(arrays.paths[0], hot.paths)
    assert landscape.results(LANDSCAPE, [hot, cold]) == {
        "beta_0.5": {"fixed_points": 1}, "beta_4": {"fixed_points": 2},
    }  # fmt: skip
