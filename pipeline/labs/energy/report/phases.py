"""E5: where each kind of fixed point is found, and the two branches."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64

from pipeline.core.stats.intervals import Summary, band, summary
from pipeline.labs.energy.measure import phases


@dataclass(frozen=True)
class PhaseArrays:
    """``phases.npz``: the diagram, and median, low and high over seeds of both branches.

    ``fraction`` is that of each kind (:data:`phases.KINDS`) among all patterns' fixed points,
    ``effective_number`` the median number of patterns averaged over. Branch 0 starts at the average
    of all patterns, branch 1 at one of them.
    """

    betas: Float64[np.ndarray, " beta"]
    similarities: Float64[np.ndarray, " similarity"]
    fraction: Float64[np.ndarray, "3 similarity beta"]
    effective_number: Float64[np.ndarray, "similarity beta"]
    branch_betas: Float64[np.ndarray, " branch"]
    branch_number: Float64[np.ndarray, "2 3 branch"]
    branch_energy: Float64[np.ndarray, "2 3 branch"]


def results(
    config: phases.PhaseConfig, diagram: phases.Diagram, branches: phases.Branches
) -> dict[str, Summary]:
    """Return where each kind of fixed point starts, and the ends of the two branches."""
    betas = torch.tensor(config.betas, dtype=torch.float64)
    conditions: dict[str, Summary] = {}
    for k, similarity in enumerate(config.similarities):
        row: Summary = {"n": len(config.seeds)}
        for index, kind in enumerate(phases.KINDS):
            holds = betas[diagram.fraction[index, k] > 0.5]
            if holds.numel():
                row |= {f"{kind}_from": float(holds.min()), f"{kind}_to": float(holds.max())}
        conditions[f"similarity_{similarity:g}"] = row
    ends = {"global_branch_ends": branches.global_ends, "single_branch_ends": branches.single_ends}
    conditions["hysteresis"] = summary(ends)
    coexist = branches.equal_energy[~branches.equal_energy.isnan()]
    if coexist.numel():
        conditions["equal_energy"] = summary({"beta": coexist})
        conditions["equal_energy"]["theory"] = phases.equal_energy_theory(config)
    return conditions


def arrays(
    config: phases.PhaseConfig, diagram: phases.Diagram, branches: phases.Branches
) -> PhaseArrays:
    """Return what the figure draws."""
    return PhaseArrays(
        betas=np.array(config.betas),
        similarities=np.array(config.similarities),
        fraction=diagram.fraction.numpy(),
        effective_number=diagram.effective_number.numpy(),
        branch_betas=branches.betas.numpy(),
        branch_number=torch.stack([band(series) for series in branches.number]).numpy(),
        branch_energy=torch.stack([band(series) for series in branches.energy]).numpy(),
    )
