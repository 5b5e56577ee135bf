import numpy as np
import pytest

from pipeline.labs.oscillator.report.energy import EnergyInTime
from pipeline.labs.oscillator.report.rollouts import Rollouts
from pipeline.runtime.formats import artifacts, records

STAGE = "oscillator_measure_time"
ENERGY = ("energy_drift", "energy_spread")
TABLE = ["experiment", "condition", "quantity", "median", "low", "high", "n"]


def test_the_network_is_measured_over_its_seeds(chain, assert_summaries):
    found = chain.metrics(STAGE)
    assert found.keys() == {"O2"}
    seeds = len(chain.params("oscillator_train_time").train.seeds)
    assert_summaries(found["O2"], ("one_step", "r30", *ENERGY), {"time_network": seeds})


def test_one_table_has_the_energy_of_every_model_that_any_stage_measured(chain):
    table = artifacts.read_csv(chain.made(STAGE) / "energy.csv", TABLE)
    expected = {("O2", "time_network", quantity) for quantity in ENERGY}
    for source in ("fixed", "sequence", "variable", "recipe"):
        for experiment, conditions in chain.metrics(f"oscillator_measure_{source}").items():
            expected |= {(experiment, name, q) for name in conditions for q in ENERGY}
    rows = list(zip(table.experiment, table.condition, table.quantity, strict=True))
    assert set(rows) == expected
    assert len(rows) == len(expected)
    assert {experiment for experiment, *_ in rows} == {
        "O2", "O3", "O4", "O5", "O6", "O7", "O7_ablation",
    }  # fmt: skip


@pytest.mark.parametrize("experiment", ["O5", "O6", "O7"])
def test_the_oracle_conserves_what_the_exact_motion_conserves(chain, experiment):
    table = artifacts.read_csv(chain.made(STAGE) / "energy.csv", TABLE)
    dmd = table[(table.experiment == experiment) & (table.condition == "dmd")]
    # Its states are known to 1e-12 of their size, and energy is quadratic.
    assert len(dmd) == 2
    assert bool((dmd["median"] < 2e-12).all())


def test_the_energy_in_time_is_that_of_every_later_state_of_the_test(chain):
    time, dt = chain.params("oscillator_data").time, chain.params(STAGE).task.dt
    steps = round(time.duration / dt)
    energy = records.read_arrays(chain.made(STAGE) / "energy.npz", EnergyInTime)
    assert energy.ratio.shape == (3, steps)
    middle, low, high = energy.ratio
    assert bool(((low <= middle) & (middle <= high)).all())
    assert bool(np.isfinite(energy.example).all())
    rollouts = records.read_arrays(chain.made(STAGE) / "rollouts.npz", Rollouts)
    assert rollouts.model == ("time_network",)
    assert rollouts.true.shape == (1, steps, 2)
