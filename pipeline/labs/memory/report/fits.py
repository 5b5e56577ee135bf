"""P1-P4: the fits to all models of a sweep, with their intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
import torch
from pydantic import Field

from pipeline.config import Section
from pipeline.core.stats.bootstrap import percentile_interval
from pipeline.core.stats.regression import Fit, polynomial
from pipeline.labs.memory.measure import fits
from pipeline.labs.memory.report import rivals
from pipeline.labs.memory.report.points import Metrics, over_population, tensor

Fits = dict[str, Metrics]


class MeasureConfig(Section):
    """``saturated`` ends P1's linear rise; resamples of seeds for P3's breakpoint; draws for M8."""

    saturated: Annotated[float, Field(gt=0, le=1)]
    resamples: Annotated[int, Field(ge=1, le=10**5)]
    random_draws: Annotated[int, Field(ge=1, le=10**5)]


@dataclass(frozen=True)
class FitRow:
    """One number of a fit."""

    fit: str
    quantity: str
    value: float


def fitted(runs: pd.DataFrame, config: MeasureConfig, generator: torch.Generator) -> Fits:
    """Return P1's slopes in H, P2's quadratic, P3's joined lines and P4's exponent, and rivals.

    P7's slopes in H are those of its one-layer models. P2 and P3 are fitted again without d_head =
    d (``_mapped``): a model of equal widths has no maps between them to learn, so its point is of
    another family. That was decided after the point was seen; both are reported.
    """
    done = _slopes(over_population(runs, "P1"), "P1", config.saturated)
    done |= _growth(done)
    large = over_population(runs, "P7")
    done |= _slopes(large[large.n_layers == 1], "P7", config.saturated)
    for part, rows in _with_and_without_equal(over_population(runs, "P2")).items():
        if rows.d_head.nunique() > 3:
            done[f"P2.quadratic{part}"] = _quadratic(rows)
        done[f"P2.forms{part}"] = rivals.compared_forms(rows, "d_head", "quadratic")
    for part, rows in _with_and_without_equal(over_population(runs, "P3")).items():
        if rows.d.nunique() > 4:
            done[f"P3.piecewise{part}"] = _joined_lines(rows, config.resamples, generator)
        done[f"P3.forms{part}"] = rivals.compared_forms(rows, "d", "joined_lines")
    return {name: fit for name, fit in done.items() if fit}


def _slopes(rows: pd.DataFrame, experiment: str, saturated: float) -> Fits:
    """Fit lines in H below saturation; ``n`` counts the models that were fitted."""
    done: Fits = {}
    for d, of_width in rows.groupby("d"):
        H, accuracy = tensor(of_width.n_heads), tensor(of_width.accuracy)
        rising = accuracy < saturated
        fit = fits.linear_in_heads(H, accuracy, saturated)
        if fit is not None:
            line = named(fit, {0: "intercept", 1: "slope"}, int(rising.sum()))
            line["n_saturated"] = int((~rising).sum())
            line |= rivals.curvature(H[rising], accuracy[rising])
            done[f"{experiment}.linear_d{d}"] = line
    if done:
        done[f"{experiment}.curvature"] = rivals.lines_hold(done)
    return done


def _growth(lines: Fits) -> Fits:
    """P4: fit how P1's slopes grow with d."""
    slopes = {
        int(name.removeprefix("P1.linear_d")): fit["slope"]
        for name, fit in lines.items()
        # P4 takes logarithms, and those of noise are noise.
        if name.startswith("P1.linear_d") and fit["slope_low"] > 0
    }
    if len(slopes) < 3:
        return {}
    d, slope = tensor(pd.Series(list(slopes))), tensor(pd.Series(list(slopes.values())))
    growth = named(fits.growth_of_slopes(d, slope), {1: "exponent"}, len(slopes))
    return {"P4.slope_growth": growth | rivals.local_exponents(d, slope)}


def _with_and_without_equal(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {"": rows, "_mapped": rows[rows.d_head != rows.d]}


def _quadratic(rows: pd.DataFrame) -> Metrics:
    x, y = tensor(rows.d_head), tensor(rows.accuracy)
    names = {0: "constant", 1: "linear", 2: "quadratic"}
    line = polynomial(x, y, 1)
    return named(polynomial(x, y, 2), names, len(rows)) | {"r2_of_a_line": line.r2}


def _joined_lines(rows: pd.DataFrame, resamples: int, generator: torch.Generator) -> Metrics:
    """Fit P3; the breakpoint's interval is the middle 95 % over resampled seeds."""
    breakpoint_, fit = fits.piecewise(tensor(rows.d), tensor(rows.accuracy))
    seeds = torch.stack([tensor(of_seed.accuracy) for _, of_seed in rows.groupby("seed")])
    d = tensor(rows[rows.seed == rows.seed.iloc[0]].d)
    resampled = fits.resampled_breakpoints(d, seeds, resamples, generator)
    low, high = percentile_interval(resampled.numpy())
    names = {0: "value_at_breakpoint", 1: "slope_before", 2: "slope_after"}
    return named(fit, names, len(rows)) | {
        "breakpoint": breakpoint_,
        "breakpoint_low": low,
        "breakpoint_high": high,
    }


def named(fit: Fit, names: Mapping[int, str], n: int) -> Metrics:
    """Name coefficients as metrics with their intervals."""
    metrics: Metrics = {}
    for index, name in names.items():
        metrics[name] = float(fit.values[index])
        metrics[f"{name}_low"] = float(fit.low[index])
        metrics[f"{name}_high"] = float(fit.high[index])
    return metrics | {"r2": fit.r2, "n": n}


def long_table(done: Fits) -> pd.DataFrame:
    """Return a :class:`FitRow` for each number."""
    rows = [
        {"fit": name, "quantity": quantity, "value": value}
        for name, quantities in done.items()
        for quantity, value in quantities.items()
    ]
    return pd.DataFrame(rows, columns=["fit", "quantity", "value"])


def from_long_table(table: pd.DataFrame) -> Fits:
    """Return what :func:`long_table` was given."""
    done: Fits = {}
    for row in table.itertuples():
        done.setdefault(str(row.fit), {})[str(row.quantity)] = float(row.value)
    return done
