import numpy as np

from pipeline.figures.energy.landscape import landscape
from pipeline.labs.energy.report.landscape import Landscapes

G = np.random.default_rng(0)
AXIS = np.linspace(-1, 1, 5)
SURFACES = Landscapes(
    betas=np.array([0.5, 4.0]),
    patterns=np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]),
    axis=AXIS,
    energy=G.standard_normal((2, 5, 5)),
    basin=np.stack([np.zeros((5, 5), int), np.tile([0, 0, 1, 1, 1], (5, 1))]),
    attractor_count=np.array([1, 2]),
    attractors=np.array([[[0.0, 0.0], [np.nan, np.nan]], [[1.0, 0.0], [-1.0, 0.0]]]),
    paths=G.standard_normal((2, 4, 3, 2)),
)


def test_the_title_counts_patterns_and_fixed_points(style):
    title = landscape(style, SURFACES).get_suptitle()
    assert "3 patterns: 1, 2 fixed points at $\\beta$ = 0.5, 4" in title


def test_each_panel_has_its_basins_fixed_points_patterns_and_paths(style, assert_labelled):
    figure = landscape(style, SURFACES)
    titles = ["$\\beta$ = 0.5: 1 basin", "$\\beta$ = 4: 2 basins"]
    for k, (axes, title) in enumerate(zip(figure.axes, titles, strict=True)):
        assert axes.get_title() == title
        assert axes.collections[0].get_array().tolist() == SURFACES.basin[k].tolist()
        *paths, patterns, points = axes.lines
        assert patterns.get_label() == "stored pattern"
        np.testing.assert_array_equal(patterns.get_xydata(), SURFACES.patterns)
        count = SURFACES.attractor_count[k]
        np.testing.assert_array_equal(points.get_xydata(), SURFACES.attractors[k, :count])
        for j, path in enumerate(paths):
            np.testing.assert_array_equal(path.get_xydata(), SURFACES.paths[k, :, j])
    assert_labelled(figure)


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: landscape(style, SURFACES))
