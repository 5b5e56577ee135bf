"""Draw the figures of the study's own experiments, O1 to O6."""

from pathlib import Path

from matplotlib.figure import Figure
from pydantic import Field

from pipeline.config import StageParams
from pipeline.figures.learning_curves import learning_curves
from pipeline.figures.oscillator import energy, names, regression, sequence, study, time
from pipeline.figures.style import StyleConfig, applied
from pipeline.labs.oscillator.data.fixed import FixedDataConfig
from pipeline.labs.oscillator.data.regression import RegressionConfig
from pipeline.labs.oscillator.data.task import TaskConfig
from pipeline.labs.oscillator.data.windows import WindowDataConfig
from pipeline.labs.oscillator.report.energy import EnergyInTime, verdict
from pipeline.labs.oscillator.report.regression_examples import RegressionExamples
from pipeline.labs.oscillator.report.results import QuantityRow, ResultsFile, greatest_n
from pipeline.labs.oscillator.report.rollouts import Rollouts
from pipeline.labs.oscillator.report.saliency import SaliencyMaps
from pipeline.labs.oscillator.train.forecast import ForecastCurveRow
from pipeline.labs.oscillator.train.studies import (
    FixedTrainConfig,
    SequenceTrainConfig,
    VariableTrainConfig,
)
from pipeline.runtime.formats import drawings, records


class Params(StageParams):
    """Sizes of the figures, and what their titles, labels and axes state."""

    style: StyleConfig = Field(alias="figures.style")
    task: TaskConfig = Field(alias="oscillator.task")
    regression: RegressionConfig = Field(alias="oscillator.regression")
    fixed_data: FixedDataConfig = Field(alias="oscillator.fixed_data")
    sequence_data: WindowDataConfig = Field(alias="oscillator.sequence_data")
    variable_data: WindowDataConfig = Field(alias="oscillator.variable_data")
    fixed: FixedTrainConfig = Field(alias="oscillator.train_fixed")
    sequence: SequenceTrainConfig = Field(alias="oscillator.train_sequence")
    variable: VariableTrainConfig = Field(alias="oscillator.train_variable")

    @property
    def names(self) -> names.Names:
        """The names of the models that are described by how they were made."""
        return names.Names(self.variable.models, self.fixed.recipes)


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write each figure as PNG and SVG."""
    with applied(params.style):
        figures = simple(params, inputs) | windows(params, inputs)
        for name, figure in figures.items():
            drawings.write_figure(out / name, figure)


def simple(params: Params, inputs: Path) -> dict[str, Figure]:
    """Draw O1, O2 and O3."""
    config, dt = params.style, params.task.dt
    o1, o2, o3 = (
        inputs / f"oscillator_{stage}" for stage in ("regression", "measure_time", "measure_fixed")
    )
    examples = records.read_arrays(o1 / "examples.npz", RegressionExamples)
    results = records.read_json(o1 / "results.json", ResultsFile).root["O1"]
    network = records.read_arrays(o2 / "rollouts.npz", Rollouts)
    in_time = records.read_arrays(o2 / "energy.npz", EnergyInTime)
    n = greatest_n(records.read_json(o2 / "results.json", ResultsFile).root, "O2")
    energies = records.read_table(o2 / "energy.csv", QuantityRow)
    rollouts = records.read_arrays(o3 / "rollouts.npz", Rollouts)
    return {
        "o1_regression": regression.regression(
            config, examples, results, params.regression.seeds[0]
        ),
        "o2_time_network": time.network(config, network, in_time, dt, n),
        "o2_energy": energy.energies(config, energies, verdict(energies), params.names),
        "o3_rollouts": study.fixed(config, rollouts, params.fixed_data, params.fixed, dt),
    }


def windows(params: Params, inputs: Path) -> dict[str, Figure]:
    """Draw O4, O5, O6 and the learning curves."""
    config, dt = params.style, params.task.dt
    o4, o5 = inputs / "oscillator_measure_sequence", inputs / "oscillator_measure_variable"
    losses = records.read_arrays(o4 / "rollouts.npz", Rollouts)
    maps = records.read_arrays(o4 / "saliency.npz", SaliencyMaps)
    read = records.read_json(o4 / "results.json", ResultsFile).root["O4"]
    models = records.read_arrays(o5 / "models.npz", Rollouts)
    compared = records.read_arrays(o5 / "compared.npz", Rollouts)
    surrogate = records.read_json(o5 / "results.json", ResultsFile).root["O6"]["surrogate"]
    histories = {
        name: records.read_table(
            inputs / f"oscillator_train_{stage}" / "history.csv", ForecastCurveRow
        )
        for name, stage in (("O3", "fixed"), ("O4", "sequence"), ("O5", "variable"))
    }
    return {
        "o4_rollouts": sequence.trained(config, losses, params.sequence_data, params.sequence, dt),
        "o4_saliency": sequence.saliency(config, maps, read),
        "o5_rollouts": study.variable(config, models, params.variable_data, params.variable, dt),
        "o6_comparison": study.compared(config, compared, surrogate, dt),
        "learning_curves": learning_curves(
            config,
            histories,
            "Learning curves, a line for each seed",
            (("loss", "training loss"), ("validation_last", "validation, next state")),
            "squared error",
            params.names,
        ),
    }
