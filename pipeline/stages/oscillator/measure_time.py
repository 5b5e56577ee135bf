"""O2: roll the network of time out, and test the conservation of energy on every model."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.mlp import MLP
from pipeline.core.stats.intervals import summary, table
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.data.task import TaskConfig
from pipeline.labs.oscillator.measure.quantities import of_network_of_time
from pipeline.labs.oscillator.measure.rollout import time_rollouts
from pipeline.labs.oscillator.report.energy import energy_in_time, energy_table
from pipeline.labs.oscillator.report.results import QuantityRow, Results, ResultsFile
from pipeline.labs.oscillator.report.rollouts import drawn_rollouts
from pipeline.labs.oscillator.train.time_network import TimeNetworkConfig
from pipeline.runtime.formats import records, saved_models

# Where the other models of the lab stand, by the stage that measured them.
SOURCES = ("fixed", "sequence", "variable", "recipe")
HEADLINE = ("O2.time_network.energy_drift",)


class Params(StageParams):
    """The time step of the test trajectories; the networks' seeds."""

    task: TaskConfig = Field(alias="oscillator.task")
    train: TimeNetworkConfig = Field(alias="oscillator.train_time")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the rollouts and one table of energy for all models; return ``O2.*``."""
    name, folder = "time_network", inputs / "oscillator_train_time"
    model = saved_models.read_models(folder / "models.safetensors", MLP)[name]
    test = records.read_arrays(inputs / "oscillator_data" / "time_test.npz", Split)
    predicted, true = time_rollouts(model, test.states, params.task.dt), test.states[:, 1:]
    results = {"O2": {name: summary(of_network_of_time(predicted, test))}}
    energies: Results = {**results}
    for source in SOURCES:
        energies |= records.read_json(
            inputs / f"oscillator_measure_{source}" / "results.json", ResultsFile
        ).root
    records.write_table(out / "energy.csv", energy_table(energies), QuantityRow)
    drawn = drawn_rollouts({name: (predicted, true)}, {name: params.train.seeds})
    records.write_arrays(out / "rollouts.npz", drawn)
    records.write_arrays(out / "energy.npz", energy_in_time(predicted, test))
    records.write_table(out / "table.csv", table(results), QuantityRow)
    return {**results}
