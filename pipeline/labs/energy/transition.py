"""E1: from the overlaps of many draws to curves, and to the critical load with an interval."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.stats.bootstrap import percentile_interval, resample
from pipeline.core.stats.intervals import Summary, median_interval, summary
from pipeline.labs.energy import meanfield
from pipeline.labs.energy.loading import ClassicalConfig, LoadCell

Key = tuple[str, bool, int, float]  # dynamics, diagonal kept, d, load
Results = Mapping[Key, Mapping[str, Float[Tensor, "draw state"]]]


def gather(
    cells: Sequence[LoadCell], measured: Sequence[Mapping[str, Tensor]]
) -> dict[Key, dict[str, Tensor]]:
    """Join the groups of draws of each condition, in the order of the draws."""
    parts: dict[Key, list[tuple[int, Mapping[str, Tensor]]]] = defaultdict(list)
    for cell, values in zip(cells, measured, strict=True):
        key = (cell.dynamics, cell.diagonal, cell.d, cell.load)
        parts[key].append((cell.draws[0], values))
    ordered = {key: sorted(found, key=lambda part: part[0]) for key, found in parts.items()}
    return {
        key: {name: torch.cat([values[name] for _, values in found]) for name in found[0][1]}
        for key, found in sorted(ordered.items())
    }


def retrieved(config: ClassicalConfig, results: Results, d: int) -> NDArray[np.float64]:
    """Return the fraction of retrieved states, [load, draw], at the loads near the transition."""
    rows = [results["asynchronous", False, d, load]["overlap"] for load in config.critical_loads]
    above = torch.stack(rows) > config.retrieved_above
    return above.double().mean(-1).numpy()


def curves(config: ClassicalConfig, results: Results) -> pd.DataFrame:
    """Lay out the median over draws, with its interval, of each condition's mean overlap."""
    rows = []
    for (dynamics, diagonal, d, load), found in results.items():
        middle, low, high = median_interval(found["overlap"].mean(1))
        fraction = (found["overlap"] > config.retrieved_above).double().mean()
        rows.append(
            {"dynamics": dynamics, "diagonal": diagonal, "d": d, "load": load, "overlap": middle,
             "low": low, "high": high, "mean": float(found["overlap"].mean()),
             "retrieved": float(fraction), "uphill": float(found["uphill"].mean()),
             "two_cycle": float(found["two_cycle"].mean()), "n": len(found["overlap"])}
        )  # fmt: skip
    return pd.DataFrame(rows)


def theory(loads: NDArray[np.float64]) -> pd.DataFrame:
    """Lay out the mean-field overlap of the retrieval state, up to the critical load."""
    critical, _ = meanfield.critical_point()
    below = np.append(loads[loads < critical], critical * (1 - 1e-9))
    return pd.DataFrame({"load": below, "overlap": meanfield.overlaps(below)})


def metrics(config: ClassicalConfig, results: Results) -> dict[str, Summary]:
    """Return the critical load by theory and by every pair of sizes, and how dynamics differ.

    The dynamics are compared at the largest load and the size ``compared_size``.
    """
    load, overlap = meanfield.critical_point()
    found: dict[str, Summary] = {"theory": {"critical_load": load, "overlap": overlap}}
    near = np.array(config.critical_loads)
    for small, large in zip(config.sizes, config.sizes[1:], strict=False):
        fractions = [retrieved(config, results, d) for d in (small, large)]
        middle, low, high = crossing_interval(near, fractions[0], fractions[1], config)
        found[f"crossing_d{small}_d{large}"] = {
            "critical_load": middle, "critical_load_low": low, "critical_load_high": high,
            "n": fractions[1].shape[1],
        }  # fmt: skip
    highest = max(*config.loads, *config.critical_loads)
    for dynamics in ("asynchronous", "synchronous"):
        for diagonal in (False, True):
            values = results[dynamics, diagonal, config.compared_size, highest]
            name = f"{dynamics}_{'with' if diagonal else 'no'}_diagonal"
            kept = ("overlap", "uphill", "two_cycle")
            found[name] = summary({key: values[key].mean(1) for key in kept})
    every = [v["uphill"] for (dynamics, *_), v in results.items() if dynamics == "asynchronous"]
    found["asynchronous_all_loads"] = {
        "uphill": float(torch.cat([u.flatten() for u in every]).max()),
        "n": sum(u.numel() for u in every),
    }
    return found


def crossing(
    loads: NDArray[np.float64],
    smaller: NDArray[np.float64],
    larger: NDArray[np.float64],
    states: int,
) -> float:
    """Return the load at which two sizes retrieve the same fraction of their states.

    ``smaller`` and ``larger`` are [load, draw]. Below the critical load a larger network retrieves
    more, above it less, so the curves cross at it up to a correction that shrinks with d. Each
    curve is a line in log-odds (half a state added on both sides), fitted with binomial weights.
    """
    slopes, levels = [], []
    for fractions in (smaller, larger):
        count = fractions.shape[1] * states
        success = fractions.mean(1) * count
        odds = np.log((success + 0.5) / (count - success + 0.5))
        weight = np.sqrt((success + 0.5) * (count - success + 0.5) / (count + 1))
        slope, level = np.polyfit(loads, odds, 1, w=weight)
        slopes.append(slope)
        levels.append(level)
    return float((levels[1] - levels[0]) / (slopes[0] - slopes[1]))


def crossing_interval(
    loads: NDArray[np.float64],
    smaller: NDArray[np.float64],
    larger: NDArray[np.float64],
    config: ClassicalConfig,
) -> tuple[float, float, float]:
    """Return the crossing and its 95 % percentile interval over resampled draws."""
    random = np.random.Generator(np.random.PCG64(config.seed))

    def resampled(fractions: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.take_along_axis(fractions, resample(fractions.shape, random), axis=1)

    estimates = [
        crossing(loads, resampled(smaller), resampled(larger), config.states)
        for _ in range(config.bootstrap)
    ]
    middle = crossing(loads, smaller, larger, config.states)
    return middle, *percentile_interval(np.array(estimates))
