import matplotlib.image

STAGE = "oscillator_figures_recipe"
NAMES = ("o7_rollouts", "o7_ablation", "o7_robustness", "o7_learning_curves")


def test_every_figure_is_a_picture_and_a_drawing(chain):
    folder = chain.made(STAGE)
    assert {path.stem for path in folder.iterdir()} == set(NAMES)
    for name in NAMES:
        pixels = matplotlib.image.imread(folder / f"{name}.png")
        assert min(pixels.shape[:2]) > 100
        assert pixels[..., :3].std() > 0.05, "not one colour"
        assert (folder / f"{name}.svg").read_text().rstrip().endswith("</svg>")


def test_no_file_carries_a_date_a_version_or_a_path(chain):
    for path in chain.made(STAGE).iterdir():
        content = path.read_bytes()
        for trace in (b"dc:date", b"Software", b"matplotlib.org", str(chain.root).encode()):
            assert trace not in content, path.name
