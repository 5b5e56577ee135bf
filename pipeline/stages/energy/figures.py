"""Draw the energy lab's figures from its measurements; E7's fractions have a stage of their own."""

from pathlib import Path

from matplotlib.figure import Figure
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.figures.energy.capacity import capacity as draw_capacity
from pipeline.figures.energy.landscape import landscape as draw_landscape
from pipeline.figures.energy.learning import learning as draw_learning
from pipeline.figures.energy.likelihood import likelihood as draw_likelihood
from pipeline.figures.energy.overlaps import overlaps as draw_overlaps
from pipeline.figures.energy.phases import phases as draw_phases
from pipeline.figures.energy.retrieval import retrieval as draw_retrieval
from pipeline.figures.energy.temperature import temperature as draw_temperature
from pipeline.figures.style import StyleConfig, applied
from pipeline.labs.energy.measure.capacity import DenseConfig, ExponentialConfig
from pipeline.labs.energy.measure.overlaps import ClassicalConfig
from pipeline.labs.energy.measure.retrieval import OneStep
from pipeline.labs.energy.report import capacity, landscape, likelihood, overlaps, phases, retrieval
from pipeline.labs.energy.report.recall import TemperatureRow
from pipeline.labs.energy.report.results import Results
from pipeline.labs.energy.train.recall import (
    RecallHistoryRow,
    RecallModelConfig,
    RecallTrainConfig,
)
from pipeline.runtime.formats import drawings
from pipeline.runtime.formats.records import read_arrays, read_json, read_table


class Params(StageParams):
    """Sizes of the figures, and what their labels quote."""

    style: StyleConfig = Field(alias="figures.style")
    classical: ClassicalConfig = Field(alias="energy.classical")
    dense: DenseConfig = Field(alias="energy.dense")
    exponential: ExponentialConfig = Field(alias="energy.exponential")
    model: RecallModelConfig = Field(alias="energy.recall_model")
    train: RecallTrainConfig = Field(alias="energy.train_recall")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    with applied(params.style):
        for draw in (draw_discrete, draw_continuous, draw_trained):
            for name, figure in draw(params, inputs).items():
                drawings.write_figure(out / name, figure)


def draw_discrete(params: Params, inputs: Path) -> dict[str, Figure]:
    """Draw the networks of spins, E1 to E3."""
    folder = inputs / "energy_measure_classical"
    curves = read_table(folder / "overlaps.csv", overlaps.OverlapRow)
    theory = read_table(folder / "theory.csv", overlaps.MeanFieldRow)
    e1, threshold = results(folder)["E1"], params.classical.retrieved_above
    folder = inputs / "energy_measure_capacity"
    points, both = read_table(folder / "capacity.csv", capacity.CapacityRow), results(folder)
    configs = params.dense, params.exponential
    return {
        "e1_overlaps": draw_overlaps(params.style, curves, theory, e1, threshold),
        "e2_e3_capacity": draw_capacity(params.style, points, both, *configs),
    }


def draw_continuous(params: Params, inputs: Path) -> dict[str, Figure]:
    """Draw the continuous network, E4, E5 and E8."""
    folder = inputs / "energy_measure_continuous"
    measured = results(folder)
    steps = read_table(folder / "uphill.csv", retrieval.UphillRow)
    queries = read_arrays(folder / "one_step.npz", OneStep)
    diagram = read_arrays(folder / "phases.npz", phases.PhaseArrays)
    surfaces = read_arrays(folder / "landscape.npz", landscape.Landscapes)
    return {
        "e4_retrieval": draw_retrieval(params.style, steps, queries, measured["E4"]),
        "e5_phases": draw_phases(params.style, diagram, measured["E5"]),
        "e8_landscape": draw_landscape(params.style, surfaces),
    }


def draw_trained(params: Params, inputs: Path) -> dict[str, Figure]:
    """Draw the trained models: E6, E7's learning, and E9's temperatures."""
    folder = inputs / "energy_train_likelihood"
    losses = read_table(folder / "losses.csv", likelihood.LossRow)
    examples, e6 = read_arrays(folder / "examples.npz", likelihood.Examples), results(folder)["E6"]
    history = read_table(inputs / "energy_train_recall" / "history.csv", RecallHistoryRow)
    n_heads = params.model.d_model // params.model.d_head
    hot = read_table(inputs / "energy_measure_recall" / "temperature.csv", TemperatureRow)
    return {
        "e6_likelihood": draw_likelihood(params.style, losses, examples, e6),
        "e7_learning": draw_learning(params.style, history, params.train.losses, n_heads),
        "e9_temperature": draw_temperature(params.style, hot),
    }


def results(folder: Path) -> dict[str, dict[str, Summary]]:
    """Read what a stage measured, by experiment and condition."""
    return read_json(folder / "results.json", Results).root
