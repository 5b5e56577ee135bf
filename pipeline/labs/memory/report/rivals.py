"""P1-P4: is it that form? The rival forms are fitted too, and the difference's interval decides."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from pipeline.core.stats.intervals import summary
from pipeline.core.stats.regression import Fit, polynomial
from pipeline.labs.memory.measure.forms import forms, left_out_error
from pipeline.labs.memory.report.points import tensor

Metrics = dict[str, Any]
LEAST_SIZES = 7  # sizes of a sweep, for a cubic with one of them left out to be a fit at all


def compared_forms(rows: pd.DataFrame, size: str, claimed: str) -> Metrics:
    """Return each form's error at sizes left out, over the seeds, and by how much it is worse.

    ``worse_NAME`` is the rival's error less that of the form which the paper ``claimed``, seed by
    seed: the claim stands against a rival where its interval is above 0. {} for too few sizes.
    """
    if rows[size].nunique() < LEAST_SIZES:
        return {}
    errors: dict[str, list[float]] = {}
    for _, seed in rows.groupby("seed"):
        x, y = tensor(seed[size]), tensor(seed.accuracy)
        for name, form in forms(x).items():
            errors.setdefault(name, []).append(left_out_error(form, x, y))
    by_form = {name: torch.tensor(values, dtype=torch.float64) for name, values in errors.items()}
    worse = {
        f"worse_{name}": values - by_form[claimed]
        for name, values in by_form.items()
        if name != claimed
    }
    return summary({f"error_{name}": values for name, values in by_form.items()} | worse)


def curvature(n_heads: Tensor, accuracy: Tensor) -> Metrics:
    """P1: return the quadratic term beside the line, and the bend that it means.

    ``bend`` is how far the parabola hangs below its chord half way, over its rise: 0 for a line,
    -0.25 for a rise that ends flat. {} where a parabola has no point to spare.
    """
    if len(n_heads.unique()) < 3 or len(n_heads) < 4:
        return {}
    fit = polynomial(n_heads, accuracy, 2)
    low, high = float(n_heads.min()), float(n_heads.max())
    rise = sum(float(fit.values[k]) * (high**k - low**k) for k in (1, 2))
    sagitta = -float(fit.values[2]) * (high - low) ** 2 / 4
    return {
        **_term(fit, 2, "curvature"),
        "is_line": _holds_zero(fit, 2),
        "bend": -sagitta / rise if rise else 0.0,
        "r2_of_a_parabola": fit.r2,
    }


def lines_hold(of_widths: Mapping[str, Metrics]) -> Metrics:
    """P1: return the share of dimensions whose curvature's interval holds 0."""
    told = [fit["is_line"] for fit in of_widths.values() if "is_line" in fit]
    return {"share_of_lines": sum(told) / len(told), "n": len(told)} if told else {}


def local_exponents(d: Tensor, slopes: Tensor) -> Metrics:
    """P4: return the exponents of both halves, and the bend of log slope over log d.

    A power has one exponent: ``bend``'s interval (the quadratic term's) holds 0. The halves share
    the middle dimension. {} for fewer than seven dimensions.
    """
    if len(d) < 7:
        return {}
    x, y = d.double().log(), slopes.double().log()
    middle = x.median()
    lower, upper = (polynomial(x[half], y[half], 1) for half in (x <= middle, x >= middle))
    bend = polynomial(x, y, 2)
    return {
        **_term(lower, 1, "exponent_lower_half"),
        **_term(upper, 1, "exponent_upper_half"),
        **_term(bend, 2, "bend"),
        "is_power": _holds_zero(bend, 2),
        "middle": float(d[x == middle]),
    }


def _term(fit: Fit, index: int, name: str) -> Metrics:
    ends = {"": fit.values, "_low": fit.low, "_high": fit.high}
    return {f"{name}{end}": float(values[index]) for end, values in ends.items()}


def _holds_zero(fit: Fit, index: int) -> float:
    return float(bool((fit.low[index] <= 0) & (fit.high[index] >= 0)))
