"""E6: the metrics of the fits, and what the tied weights cost."""

from collections.abc import Mapping

import pandas as pd
from torch import Tensor

from pipeline.core.stats.intervals import Summary, median_interval, summary
from pipeline.labs.energy.likelihood_training import Fits, LikelihoodConfig, identities


def metrics(config: LikelihoodConfig, fits: Mapping[str, Fits]) -> dict[str, Summary]:
    """Return ``identities`` and, for each point set, every model's loss and two costs.

    ``tied_weights_cost`` is the energy model's loss minus that of EM, whose weights are free and
    whose covariance is the same; ``fixed_origin_cost`` its loss minus that with a learned origin.
    In nats a point, on points not seen in training.
    """
    found = {"identities": summary(identities(config))}
    for name, fit in fits.items():
        values: dict[str, Tensor] = {f"loss_{model}": loss for model, loss in fit.losses.items()}
        values["tied_weights_cost"] = fit.losses["energy"] - fit.losses["em"]
        values["fixed_origin_cost"] = fit.losses["energy"] - fit.losses["energy_origin"]
        found[name] = summary(values)
    return found


def table(fits: Mapping[str, Fits]) -> pd.DataFrame:
    """Lay out the held-out losses, a row for each point set and model."""
    rows = []
    for name, fit in fits.items():
        for model, loss in fit.losses.items():
            middle, low, high = median_interval(loss)
            rows.append({"set": name, "model": model, "loss": middle, "low": low, "high": high,
                         "n": len(loss)})  # fmt: skip
    return pd.DataFrame(rows)


def arrays(fits: Mapping[str, Fits]) -> dict[str, Tensor]:
    """Return the first seed's points and patterns of each set, ``SET.points``, ``SET.em`` ..."""
    found = {}
    for name, fit in fits.items():
        found[f"{name}.points"] = fit.points
        found |= {f"{name}.{model}": means for model, means in fit.means.items()}
    return found
