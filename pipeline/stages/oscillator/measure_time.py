"""O2: roll the network of time out, and test the conservation of energy on every model."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.mlp import MLP
from pipeline.core.stats.intervals import band, summary, table
from pipeline.labs.oscillator import datasets
from pipeline.labs.oscillator.conservation import conservation, log_energy_ratio
from pipeline.labs.oscillator.measure import rollout_error, state_relative_error
from pipeline.labs.oscillator.task import TaskConfig
from pipeline.labs.oscillator.time_network import time_rollouts
from pipeline.runtime import artifacts, saved_models
from pipeline.stages.oscillator._data import read_split
from pipeline.stages.oscillator._rollouts import write_rollouts

ENERGY = ("energy_drift", "energy_spread")
# Where the other models of the lab stand, by the stage that measured them.
SOURCES = ("fixed", "sequence", "variable", "recipe")


HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The time step of the test trajectories."""

    task: TaskConfig = Field(alias="oscillator.task")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the rollouts and one table of energy for all models; return ``O2.*``."""
    folder = inputs / "oscillator_train_time"
    model = saved_models.read_models(folder / "models.safetensors", MLP)["time_network"]
    test: datasets.Split = read_split(inputs, "time_test")
    true = test["states"][:, 1:]
    predicted = time_rollouts(model, test["states"], params.task.dt)
    found = {
        "one_step": state_relative_error(predicted, true)[:, :, 0].median(1).values,
        "rollout": rollout_error(predicted, true, true.shape[1]),
        **conservation(predicted, true, test["omega0"]),
    }
    metrics = {"O2": {"time_network": summary(found)}}
    energies = {"O2": {"time_network": metrics["O2"]["time_network"]}}
    for source in SOURCES:
        path = inputs / f"oscillator_measure_{source}" / "results.json"
        energies |= artifacts.read_json(path)
    whole = table(energies)
    artifacts.write_csv(out / "energy.csv", whole[whole.quantity.isin(ENERGY)])
    write_rollouts(out / "rollouts.npz", {"time_network": (predicted, true)})
    ratio = log_energy_ratio(predicted, true, test["omega0"])
    artifacts.write_npz(
        out / "energy.npz", ratio=band(ratio.median(1).values), example=ratio[:, -1]
    )
    artifacts.write_csv(out / "table.csv", table(metrics))
    return {**metrics}
