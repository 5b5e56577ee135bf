import matplotlib.image
import pytest

FIGURES = {
    "energy_figures": (
        "e1_overlaps", "e2_e3_capacity", "e4_retrieval", "e5_phases", "e6_likelihood",
        "e7_learning", "e8_landscape",
    ),
    "energy_figures_descent": ("e7_descent", "e7_descent_oscillator", "e7_descent_memory"),
}  # fmt: skip


@pytest.mark.parametrize("stage", FIGURES)
def test_every_figure_is_a_picture_and_a_drawing(chain, stage):
    folder = chain.made(stage)
    for name in FIGURES[stage]:
        pixels = matplotlib.image.imread(folder / f"{name}.png")
        assert min(pixels.shape[:2]) > 50
        assert pixels[..., :3].std() > 0.02, "not one colour"
        assert (folder / f"{name}.svg").read_text().rstrip().endswith("</svg>")
