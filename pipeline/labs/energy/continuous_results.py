"""E4, E5 and E8: the metrics and tables of the continuous network."""

import pandas as pd
import torch
from torch import Tensor

from pipeline.core.stats.intervals import Summary, band, median_interval, summary
from pipeline.labs.energy import phases, retrieval
from pipeline.labs.energy.landscape import Landscape


def retrieval_metrics(
    config: retrieval.RetrievalConfig, descent: retrieval.Descent, queries: retrieval.OneStep
) -> dict[str, Summary]:
    """Return E4: the difference to torch's attention, descent by gamma, the bound's violations."""
    found = {"attention": summary({"difference": retrieval.attention_difference(config)})}
    for k, gamma in enumerate(config.gammas):
        found[f"gamma_{gamma:g}"] = summary(
            {"uphill": descent.uphill[k], "excess": descent.excess[k]}
        )
    # The error is computed from numbers of order 1: below 1e-15 it is rounding, whatever the bound.
    broken = (queries.error > queries.bound + 1e-15).double()
    found["one_step"] = {"bound_broken": float(broken.mean()), "n": broken.numel()}
    return found


def descent_table(config: retrieval.RetrievalConfig, descent: retrieval.Descent) -> pd.DataFrame:
    """Lay out the fraction of uphill steps by gamma."""
    rows = []
    for k, gamma in enumerate(config.gammas):
        middle, low, high = median_interval(descent.uphill[k])
        rows.append({"gamma": gamma, "uphill": middle, "low": low, "high": high})
    return pd.DataFrame(rows)


def phase_metrics(
    config: phases.PhaseConfig, diagram: phases.Diagram, branches: phases.Branches
) -> dict[str, Summary]:
    """Return E5: where each kind of fixed point starts, and the ends of the two branches."""
    betas = torch.tensor(config.betas, dtype=torch.float64)
    found: dict[str, Summary] = {}
    for k, similarity in enumerate(config.similarities):
        row: Summary = {"n": len(config.seeds)}
        for index, kind in enumerate(phases.KINDS):
            holds = betas[diagram.fraction[index, k] > 0.5]
            if holds.numel():
                row |= {f"{kind}_from": float(holds.min()), f"{kind}_to": float(holds.max())}
        found[f"similarity_{similarity:g}"] = row
    ends = {"global_branch_ends": branches.up_stays, "single_branch_ends": branches.down_stays}
    found["hysteresis"] = summary(ends)
    coexist = branches.equal[~branches.equal.isnan()]
    if coexist.numel():
        found["equal_energy"] = summary({"beta": coexist})
        found["equal_energy"]["theory"] = phases.equal_energy_theory(config)
    return found


def phase_arrays(
    config: phases.PhaseConfig, diagram: phases.Diagram, branches: phases.Branches
) -> dict[str, Tensor]:
    """Return what the figure draws: the diagram, and bands over seeds of both branches."""
    return {
        "betas": torch.tensor(config.betas, dtype=torch.float64),
        "similarities": torch.tensor(config.similarities, dtype=torch.float64),
        "fraction": diagram.fraction,
        "effective": diagram.effective,
        "branch_betas": branches.betas,
        "number": torch.stack([band(series) for series in branches.number]),
        "energy": torch.stack([band(series) for series in branches.energy]),
    }


def landscape_metrics(betas: tuple[float, ...], found: list[Landscape]) -> dict[str, Summary]:
    """Return E8: how many fixed points the lattice reaches at each beta."""
    return {
        f"beta_{beta:g}": {"fixed_points": len(surface.attractors)}
        for beta, surface in zip(betas, found, strict=True)
    }


def landscape_arrays(found: list[Landscape]) -> dict[str, Tensor]:
    """Return the fields of each landscape, named ``FIELD_0`` for the first beta."""
    return {
        f"{field}_{k}": value
        for k, surface in enumerate(found)
        for field, value in vars(surface).items()
    }
