import pandas as pd

from figures.memory.test_mechanism import told
from pipeline.figures.memory import sizes

TABLE = pd.DataFrame(
    [
        {"axis": axis, "size": size, "divergence": 2.0 / (size + 1), "divergence_low": 0.1,
         "divergence_high": 3.0, "early": 2.5 / (size + 1), "uniform": 4.0,
         "low_rank": 0.05 if axis == "n_heads" else None, "n": 6}
        for axis in sizes.AXES
        for size in ((0, 2, 4) if axis == "mlp_width" else (1, 2, 4))
    ]
)  # fmt: skip
RESULTS = {
    "notebook_point": told(divergence=1.57, low_rank=0.93, uniform=2.92),
    "along_n_heads": told(exponent=-0.25),
    "along_n_layers": told(ratio=0.9),
}


def test_each_size_has_a_panel_with_its_baselines_and_exponent(style, assert_same_bytes):
    figure = sizes.sizes(style, TABLE, RESULTS)
    panels = dict(zip(sizes.AXES, figure.axes, strict=False))
    heads = panels["n_heads"]
    assert [line.get_ydata().tolist() for line in heads.lines] == [
        [1.0, 2 / 3, 0.4], [1.25, 2.5 / 3, 0.5], [4.0] * 3, [0.05] * 3,
    ]  # fmt: skip
    assert heads.get_title(loc="left") == "exponent -0.25\n[-0.35, -0.15]"
    assert panels["n_layers"].get_title(loc="left") == ""
    for name, label in sizes.AXES.items():
        assert panels[name].get_xlabel() == label
    assert "1.57 nats, low-rank optimum 0.93, uniform prediction 2.92" in figure.get_suptitle()
    assert_same_bytes(lambda: sizes.sizes(style, TABLE, RESULTS))


def test_no_mlp_stands_before_the_least_width(style):
    panel = sizes.sizes(style, TABLE, RESULTS).axes[list(sizes.AXES).index("mlp_width")]
    assert panel.lines[0].get_xdata().tolist() == [1, 2, 4]
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["0", "2", "4"]
