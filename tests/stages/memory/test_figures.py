import matplotlib.image

STAGE = "memory_figures"


def test_every_figure_is_a_picture_and_a_drawing(chain):
    folder = chain.made(STAGE)
    names = {name.rpartition(".")[0] for name in chain.declared(STAGE)}
    assert len(names) == 17
    for name in names:
        pixels = matplotlib.image.imread(folder / f"{name}.png")
        assert min(pixels.shape[:2]) > 50
        assert pixels[..., :3].std() > 0.02, "not one colour"
        assert (folder / f"{name}.svg").read_text().rstrip().endswith("</svg>")
