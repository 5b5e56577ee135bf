"""The energy of every model's trajectories, over all experiments of the lab."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64
from torch import Tensor

from pipeline.core.stats.intervals import Summary, band, table
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.measure.conservation import log_energy_ratio
from pipeline.labs.oscillator.models.oracles import ORACLES

QUANTITIES = ("energy_drift", "energy_spread")
CONSERVED = 0.01  # |ln E / E_exact| up to which energy counts as right: a change of one per cent


@dataclass(frozen=True)
class EnergyInTime:
    """ln E / E_exact of the network of time at every step.

    ``ratio``: the median over test trajectories; its median, low and high over members.
    ``example``: the last trajectory, of every member.
    """

    ratio: Float64[np.ndarray, "3 step"]
    example: Float64[np.ndarray, "member step"]


@dataclass(frozen=True)
class Verdict:
    """How many of the lab's models keep both drift and spread of the energy within CONSERVED."""

    conserving: int
    models: int


def energy_in_time(
    predicted: Float[Tensor, "member trajectory step 2"], test: Split
) -> EnergyInTime:
    """Return the energy of predictions of every state of the test trajectories but the first."""
    ratio = log_energy_ratio(predicted, test.states[:, 1:], test.omega0)
    return EnergyInTime(band(ratio.median(1).values).numpy(), ratio[:, -1].numpy())


def energy_table(results: Mapping[str, Mapping[str, Summary]]) -> pd.DataFrame:
    """Return the rows of drift and spread of every model (columns of QuantityRow)."""
    whole = table(results)
    return whole[whole.quantity.isin(QUANTITIES)]


def verdict(energies: pd.DataFrame) -> Verdict:
    """Count the models by their medians; without oracles, and O6's attention, which is one of O5's.

    A baseline that knows the physics says nothing about what was learned.
    """
    learned = energies[
        ~energies.condition.isin(ORACLES)
        & ~((energies.experiment == "O6") & (energies.condition == "attention"))
    ]
    worst = learned.groupby(["experiment", "condition"])["median"].max()
    return Verdict(conserving=int((worst <= CONSERVED).sum()), models=len(worst))
