"""Draw the memory lab's figures from its measurements."""

from pathlib import Path

from matplotlib.figure import Figure
from pydantic import Field

from pipeline.config import StageParams
from pipeline.figures.memory import inside as memory_inside
from pipeline.figures.memory import scaling as memory_scaling
from pipeline.figures.memory import tables as memory_tables
from pipeline.figures.style import StyleConfig, applied
from pipeline.runtime import artifacts

MAPS = {
    "maps": "float64 head N N", "possible": "bool N N", "singular": "float64 3 N",
    "singular_seen": "float64 3 row",
}  # fmt: skip
HEADS = {
    "solo": "float64 head N N", "group": "float64 N N", "logits": "float64 head N N",
    "coordinates": "float64 head N N", "gram": "float64 N N", "possible": "bool N N",
}  # fmt: skip
VECTORS = {
    "low_rank_U": "float64 N N", "low_rank_e": "float64 context context",
    "attention_U": "float64 N N", "attention_e": "float64 context context",
    "cosines": "float64 2 context", "inputs": "float64 place place",
}  # fmt: skip


class Params(StageParams):
    """Sizes of the figures."""

    style: StyleConfig = Field(alias="figures.style")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    with applied(params.style):
        figures = draw(params.style, inputs)
    for name, figure in figures.items():
        artifacts.write_figure(out / name, figure)


def draw(style: StyleConfig, inputs: Path) -> dict[str, Figure]:
    """Read the results and draw them."""
    notebook, inside = inputs / "memory_measure_notebook", inputs / "memory_measure_inside"
    scaling = inputs / "memory_measure_scaling"
    history = artifacts.read_csv(
        inputs / "memory_train_curves" / "history.csv",
        ["model", "seed", "step", "loss", "accuracy"],
    )
    baselines = artifacts.read_csv(
        notebook / "baselines.csv", ["distributions", "N", "uniform", "entropy"]
    )
    metrics = artifacts.read_json(notebook / "results.json")
    points = artifacts.read_csv(
        scaling / "points.csv", ["experiment", "accuracy", "published", "bound"]
    )
    fits = memory_scaling.as_fits(
        artifacts.read_csv(scaling / "fits.csv", ["fit", "quantity", "value"])
    )
    grid = artifacts.read_csv(notebook / "scaling.csv", ["alpha_1", "loss", "published_loss"])
    geometry = artifacts.read_csv(inside / "geometry.csv", ["rank", "distance"])
    theory = artifacts.read_csv(inside / "theory.csv", ["trained", "cosine"])
    maps = artifacts.read_npz(inside / "maps.npz", **MAPS)
    heads = artifacts.read_npz(inside / "heads.npz", **HEADS)
    vectors = artifacts.read_npz(inside / "superposition.npz", **VECTORS)
    return {
        "m1_curves": memory_tables.curves(style, history, baselines),
        "m2_freezing": memory_tables.bars(style, metrics["M2"], "M2: parts frozen in training"),
        "m3_scaling": memory_tables.scaling(style, grid),
        "m4_skips": memory_tables.bars(style, metrics["M4"], "M4: parts left out"),
        "m5_maps": memory_inside.maps(style, maps),
        "m6_heads": memory_inside.heads(style, heads),
        "m7_superposition": memory_inside.superposition(style, vectors),
        "m8_geometry": memory_inside.geometry(style, geometry),
        "m9_theory": memory_inside.theory(style, theory),
        "p1_heads": memory_scaling.heads(style, points, fits),
        "p2_p3_widths": memory_scaling.widths(style, points, fits),
        "p4_slopes": memory_scaling.slopes(style, fits),
        "p5_mlp": memory_scaling.mlp(style, points),
        "p6_small": memory_scaling.small(style, points),
        "p7_large": memory_scaling.large(style, points),
    }
