"""Draw the memory lab's figures from its measurements."""

from pathlib import Path

from matplotlib.figure import Figure
from pydantic import Field

from pipeline.config import StageParams
from pipeline.figures.memory import divergence, mechanism, scaling, to_the_end
from pipeline.figures.memory import theory as theories
from pipeline.figures.memory.labels import FREEZES, SKIPS
from pipeline.figures.memory.sizes import sizes as draw_sizes
from pipeline.figures.style import StyleConfig, applied
from pipeline.labs.memory.measure.mechanism import HeadArrays, MapArrays, VectorArrays
from pipeline.labs.memory.measure.theory import GeometryRow, TheoryRow
from pipeline.labs.memory.measure.transposition import RatioRow
from pipeline.labs.memory.report.divergence import ALONE, BaselineRow, ScalingLineRow
from pipeline.labs.memory.report.fits import FitRow, from_long_table
from pipeline.labs.memory.report.points import PointRow
from pipeline.labs.memory.report.sizes import SizePointRow
from pipeline.labs.memory.train.runs import HistoryRow
from pipeline.runtime.formats import artifacts, drawings
from pipeline.runtime.formats.records import read_arrays, read_table


class Params(StageParams):
    """Sizes of the figures."""

    style: StyleConfig = Field(alias="figures.style")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    with applied(params.style):
        figures = {
            **of_divergence(params.style, inputs),
            **of_mechanism(params.style, inputs / "memory_measure_mechanism"),
            **of_scaling(params.style, inputs / "memory_measure_scaling"),
        }
    for name, figure in figures.items():
        drawings.write_figure(out / name, figure)


def of_divergence(style: StyleConfig, inputs: Path) -> dict[str, Figure]:
    """Draw M1-M4."""
    folder = inputs / "memory_measure_divergence"
    history = read_table(inputs / "memory_train_curves" / "history.csv", HistoryRow)
    baselines = read_table(folder / "baselines.csv", BaselineRow)
    lines = read_table(folder / "scaling_lines.csv", ScalingLineRow)
    sizes = read_table(folder / "sizes.csv", SizePointRow)
    results = artifacts.read_json(folder / "results.json")
    freezes = {name: each for name, each in results["M2"].items() if name != ALONE}
    return {
        "m1_curves": divergence.curves(style, history, baselines),
        "m2_freezing": divergence.bars(style, freezes, "M2: parts frozen", FREEZES),
        "m3_scaling": divergence.scaling(style, lines, results["M3"]["all"]),
        "m3_sizes": draw_sizes(style, sizes, results["M3"]),
        "m4_skips": divergence.bars(style, results["M4"], "M4: parts left out", SKIPS),
    }


def of_mechanism(style: StyleConfig, folder: Path) -> dict[str, Figure]:
    """Draw M5-M9."""
    results = artifacts.read_json(folder / "results.json")
    maps = read_arrays(folder / "maps.npz", MapArrays)
    heads = read_arrays(folder / "heads.npz", HeadArrays)
    vectors = read_arrays(folder / "superposition.npz", VectorArrays)
    geometry = read_table(folder / "geometry.csv", GeometryRow)
    theory = read_table(folder / "theory.csv", TheoryRow)
    ratios = read_table(folder / "ratios.csv", RatioRow)
    return {
        "m5_maps": mechanism.maps(style, maps, results["M5"]),
        "m6_heads": mechanism.heads(style, heads, results["M6"]),
        "m7_superposition": mechanism.superposition(style, vectors, results["M7"]),
        "m8_geometry": theories.geometry(style, geometry, results["M8"]),
        "m9_theory": theories.second_order(style, theory, results["M9"]),
        "m9_transposition": theories.transposition(style, ratios, results["M9"]),
    }


def of_scaling(style: StyleConfig, folder: Path) -> dict[str, Figure]:
    """Draw P1-P7."""
    points = read_table(folder / "points.csv", PointRow)
    fits = from_long_table(read_table(folder / "fits.csv", FitRow))
    results = artifacts.read_json(folder / "results.json")
    return {
        "p1_heads": scaling.heads(style, points, fits, results["P1"]),
        "p2_p3_widths": scaling.widths(style, points, fits),
        "p4_slopes": scaling.slopes(style, fits),
        "p5_mlp": to_the_end.mlp(style, points, results["P5"]),
        "p6_small": to_the_end.small(style, points, results["P6"]),
        "p7_large": to_the_end.large(style, points, results.get("P7", {})),
    }
