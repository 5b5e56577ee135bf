"""Draw the energy lab's figures from its measurements; E7's fractions have a stage of their own."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.figures.energy import capacity as capacity_figure
from pipeline.figures.energy import landscape as landscape_figure
from pipeline.figures.energy import learning as learning_figure
from pipeline.figures.energy import likelihood as likelihood_figure
from pipeline.figures.energy import overlaps as overlaps_figure
from pipeline.figures.energy import phases as phases_figure
from pipeline.figures.energy import retrieval as retrieval_figure
from pipeline.figures.style import StyleConfig, applied
from pipeline.labs.energy.measure.capacity import DenseConfig, ExponentialConfig
from pipeline.labs.energy.measure.overlaps import ClassicalConfig
from pipeline.labs.energy.measure.retrieval import OneStep
from pipeline.labs.energy.report import capacity, landscape, likelihood, overlaps, phases, retrieval
from pipeline.labs.energy.report.results import Results
from pipeline.labs.energy.train.recall import RecallHistoryRow, RecallTrainConfig
from pipeline.runtime import artifacts
from pipeline.runtime.records import read_arrays, read_json, read_table


class Params(StageParams):
    """Sizes of the figures, and what their labels quote."""

    style: StyleConfig = Field(alias="figures.style")
    classical: ClassicalConfig = Field(alias="energy.classical")
    dense: DenseConfig = Field(alias="energy.dense")
    exponential: ExponentialConfig = Field(alias="energy.exponential")
    train: RecallTrainConfig = Field(alias="energy.train_recall")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    with applied(params.style):
        for name, figure in (*discrete(params, inputs), *continuous(params, inputs)):
            artifacts.write_figure(out / name, figure)


def discrete(params: Params, inputs: Path) -> Iterator[tuple[str, Figure]]:
    """Draw E1 to E3."""
    folder = inputs / "energy_measure_classical"
    yield (
        "e1_overlaps",
        overlaps_figure.overlaps(
            params.style,
            read_table(folder / "overlaps.csv", overlaps.OverlapRow),
            read_table(folder / "theory.csv", overlaps.MeanFieldRow),
            results(folder)["E1"],
            params.classical.retrieved_above,
        ),
    )
    folder = inputs / "energy_measure_capacity"
    table = read_table(folder / "capacity.csv", capacity.CapacityRow)
    yield (
        "e2_e3_capacity",
        capacity_figure.capacity(
            params.style, table, results(folder), params.dense, params.exponential
        ),
    )


def continuous(params: Params, inputs: Path) -> Iterator[tuple[str, Figure]]:
    """Draw E4 to E8."""
    style, folder = params.style, inputs / "energy_measure_continuous"
    measured = results(folder)
    yield (
        "e4_retrieval",
        retrieval_figure.retrieval(
            style,
            read_table(folder / "uphill.csv", retrieval.UphillRow),
            read_arrays(folder / "one_step.npz", OneStep),
            measured["E4"],
        ),
    )
    arrays = read_arrays(folder / "phases.npz", phases.PhaseArrays)
    yield "e5_phases", phases_figure.phases(style, arrays, measured["E5"])
    surfaces = read_arrays(folder / "landscape.npz", landscape.Landscapes)
    yield "e8_landscape", landscape_figure.landscape(style, surfaces)
    folder = inputs / "energy_train_likelihood"
    yield (
        "e6_likelihood",
        likelihood_figure.likelihood(
            style,
            read_table(folder / "losses.csv", likelihood.LossRow),
            read_arrays(folder / "examples.npz", likelihood.Examples),
            results(folder)["E6"],
        ),
    )
    history = read_table(inputs / "energy_train_recall" / "history.csv", RecallHistoryRow)
    yield "e7_learning", learning_figure.learning(style, history, params.train.losses)


def results(folder: Path) -> dict[str, dict[str, Summary]]:
    """Read what a stage measured, by experiment and condition."""
    return read_json(folder / "results.json", Results).root
