"""P1-P6 measured: points beside the published ones and the bounds, fits, and the verdicts."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from pipeline.config import Section
from pipeline.core.stats.bootstrap import percentile_interval, resample
from pipeline.core.stats.intervals import summary
from pipeline.core.stats.regression import polynomial
from pipeline.labs.memory import scaling

Metrics = dict[str, Any]
WHERE = ["N", "d", "d_head", "para"]


class MeasureConfig(Section):
    """``saturated`` ends P1's linear rise; resamples of seeds for P3's break; draws for M8."""

    saturated: Annotated[float, Field(gt=0, le=1)]
    resamples: Annotated[int, Field(ge=1)]
    random_draws: Annotated[int, Field(ge=1)]


def points(table: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each experiment, model and yardstick: median, interval, mean, references.

    ``published`` has the published table's columns and the experiment that each row is of.
    """
    rows = []
    keys = [
        "experiment",
        "model",
        "engine",
        "yardstick",
        *WHERE,
        "width",
        "nb_layers",
        "parameters",
    ]
    for key, own in table.groupby(keys, sort=False):
        row = dict(zip(keys, key, strict=True))
        row |= summary({"acc": tensor(own.acc), "loss": tensor(own.loss)})
        rows.append(row | {"mean": float(own.acc.mean())})
    found = pd.DataFrame(rows)
    references = published.rename(columns={"acc": "published", "experiment": "of"})
    found["of"] = found.experiment.str.removesuffix("_published")  # the protocol run again
    keys = ["of", *WHERE]  # two experiments share a size, with a result each
    found = found.merge(references[["published", *keys]], on=keys, how="left").drop(columns="of")
    sizes = (torch.tensor(found[name].to_numpy()) for name in ("para", "d", "d_head"))
    H, d, d_head = sizes
    bounds = torch.stack(
        [
            scaling.lower_bounds(int(N), *(x[k : k + 1] for x in (H, d, d_head)))[:, 0]
            for k, N in enumerate(found.N)
        ]
    )
    found["bound"], found["earlier_bound"] = bounds[:, 0].numpy(), bounds[:, 1].numpy()
    return found


def exactly(table: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """Return an experiment's rows by the exact yardstick."""
    return table[(table.experiment == experiment) & (table.yardstick != "sampled")]


def by_point(found: pd.DataFrame) -> Metrics:
    """Return the metrics of every point, {experiment: {model: quantities}}."""
    metrics: Metrics = {}
    for (experiment, model), own in found.groupby(["experiment", "model"], sort=False):
        quantities: Metrics = {}
        for row in own.to_dict("records"):
            name = "accuracy" if row["yardstick"] != "sampled" else "accuracy_sampled"
            quantities |= {
                name: row["acc"],
                f"{name}_low": row["acc_low"],
                f"{name}_high": row["acc_high"],
                "n": row["n"],
            }
        metrics.setdefault(str(experiment), {})[str(model)] = quantities
    return metrics


def against_published(found: pd.DataFrame, experiment: str) -> Metrics:
    """Return means over an experiment's published points, and the worst shortfall."""
    own = found[(found.experiment == experiment) & found.published.notna()]
    exact, sampled = own[own.yardstick != "sampled"], own[own.yardstick == "sampled"]
    return {
        "mean_accuracy": float(exact["mean"].mean()),
        "mean_accuracy_sampled": float(sampled["mean"].mean()),
        "published_mean": float(exact.published.mean()),
        "worst_gap_sampled": float((sampled["mean"] - sampled.published).min()),
        "points": len(exact),
        "above_bound": float((exact["mean"] >= exact.bound).mean()),
    }


def fits(
    table: pd.DataFrame, config: MeasureConfig, generator: torch.Generator
) -> dict[str, Metrics]:
    """Return P1's slopes in H, P2's quadratic, P3's hinge and P4's exponent, with intervals.

    P2 and P3 are fitted again without d_head = d (``_mapped``): a model of equal widths has no maps
    between them to learn, so its point is of another family.
    """
    found: dict[str, Metrics] = {}
    slopes: dict[int, float] = {}
    rows = exactly(table, "P1")
    for d, own in rows.groupby("d"):
        fit = scaling.linear_in_heads(tensor(own.para), tensor(own.acc), config.saturated)
        if fit is not None:
            if float(fit.low[1]) > 0:  # P4 takes logarithms, and those of noise are noise
                slopes[int(str(d))] = float(fit.values[1])
            found[f"P1.linear_d{d}"] = scaling.fit_metrics(
                fit, {0: "intercept", 1: "slope"}, len(own)
            )
    if len(slopes) > 2:
        fit = scaling.growth_of_slopes(
            tensor(pd.Series(list(slopes))), tensor(pd.Series(list(slopes.values())))
        )
        found["P4.slope_growth"] = scaling.fit_metrics(fit, {1: "exponent"}, len(slopes))
    for part, own in _with_and_without_equal(exactly(table, "P2")).items():
        if own.d_head.nunique() > 3:
            x, y = tensor(own.d_head), tensor(own.acc)
            quadratic, line = polynomial(x, y, 2), polynomial(x, y, 1)
            names = {0: "constant", 1: "linear", 2: "quadratic"}
            found[f"P2.quadratic{part}"] = scaling.fit_metrics(quadratic, names, len(own)) | {
                "r2_of_a_line": line.r2
            }
    for part, own in _with_and_without_equal(exactly(table, "P3")).items():
        if own.d.nunique() > 4:
            found[f"P3.piecewise{part}"] = _hinge(own, config.resamples, generator)
    return found


def _with_and_without_equal(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {"": rows, "_mapped": rows[rows.d_head != rows.d]}


def _hinge(own: pd.DataFrame, resamples: int, generator: torch.Generator) -> Metrics:
    """Fit P3; the break's interval is the middle 95 % over resampled seeds."""
    place, fit = scaling.piecewise(tensor(own.d), tensor(own.acc))
    seeds = [tensor(group.acc) for _, group in own.groupby("seed")]
    x = tensor(own[own.seed == own.seed.iloc[0]].d)
    breaks = []
    for draw in resample((resamples, len(seeds)), generator).tolist():
        y = torch.stack([seeds[k] for k in draw])
        breaks.append(scaling.piecewise(x.repeat(len(seeds)), y.flatten())[0])
    low, high = percentile_interval(np.array(breaks))
    names = {0: "at_break", 1: "slope_before", 2: "slope_after"}
    return scaling.fit_metrics(fit, names, len(own)) | {
        "break": place,
        "break_low": low,
        "break_high": high,
    }


def mlp_advantage(table: pd.DataFrame) -> Metrics:
    """P5: return mean accuracies of both memories over their common points, and the advantage."""
    own = exactly(table, "P5")
    kinds = {"attention": own[own.width == 0], "mlp": own[own.width > 0]}
    paired = kinds["attention"].merge(kinds["mlp"], on=["d", "seed"], suffixes=("", "_mlp"))
    # The MLP of H "modules" has width 2 d (H - 1): that pairs it with H modules of attention.
    paired = paired[paired.width_mlp == 2 * paired.d * (paired.para - 1)]
    if paired.empty:
        return {}
    means = paired.groupby("seed")[["acc", "acc_mlp"]].mean()
    return summary(
        {
            "attention": tensor(means.acc),
            "mlp": tensor(means.acc_mlp),
            "mlp_advantage": tensor(means.acc_mlp - means.acc),
        }
    )


def tensor(column: "pd.Series[Any]") -> Tensor:
    """Return a column as a float64 tensor."""
    return torch.tensor(column.to_numpy(), dtype=torch.float64)


def nested(flat: Mapping[str, Metrics]) -> Metrics:
    """Turn {"P1.linear_d3": ...} into {"P1": {"linear_d3": ...}}."""
    metrics: Metrics = {}
    for name, found in flat.items():
        experiment, _, condition = name.partition(".")
        metrics.setdefault(experiment, {})[condition] = found
    return metrics
