import matplotlib.image

STAGE = "energy_figures"
NAMES = (
    "e1_overlaps", "e2_e3_capacity", "e4_retrieval", "e5_phases", "e6_likelihood", "e7_learning",
    "e8_landscape", "e9_temperature",
)  # fmt: skip


def assert_drawn(folder, names):
    for name in names:
        pixels = matplotlib.image.imread(folder / f"{name}.png")
        assert min(pixels.shape[:2]) > 50
        assert pixels[..., :3].std() > 0.02, "not one colour"
        assert (folder / f"{name}.svg").read_text().rstrip().endswith("</svg>")


def test_every_figure_is_a_picture_and_a_drawing(chain):
    assert_drawn(chain.made(STAGE), NAMES)
