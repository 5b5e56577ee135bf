"""E6: the energy-based model against mixtures, in the plane and in numbers."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, StyleConfig

MODELS = {
    "energy": "energy model (weights tied)",
    "energy_origin": "energy model, origin learned",
    "em": "EM: free weights, same covariance",
    "em_covariance": "scikit-learn EM: one free covariance",
}
MARKERS = ("o", "s", "x", "^")


def likelihood(
    config: StyleConfig, losses: pd.DataFrame, examples: dict[str, Any], metrics: dict[str, Any]
) -> Figure:
    """Draw each set's points with the stored patterns, and the held-out losses below."""
    sets = list(dict.fromkeys(losses["set"]))
    title = (
        "E6 The continuous network as an energy-based model is a Gaussian mixture with weights "
        "tied to its patterns:\nwhat that costs on points not seen in training"
    )
    figure, [above, below] = style.panels(config, 2, len(sets), title)
    for name, plane, bars in zip(sets, above, below, strict=True):
        points = examples[f"{name}.points"]
        plane.plot(*points.T, ".", color="0.8", markersize=2)
        for k, model in enumerate(MODELS):
            means = examples.get(f"{name}.{model}")
            if means is not None:
                plane.plot(*means.T, MARKERS[k], color=COLOURS[k], markersize=5, fillstyle="none",
                           label=MODELS[model])  # fmt: skip
        plane.set(aspect="equal", adjustable="datalim", title=name)
        own = losses[losses["set"] == name].set_index("model").loc[list(MODELS)]
        spread = [own["loss"] - own["low"], own["high"] - own["loss"]]
        for k in range(len(own)):
            bars.errorbar(own["loss"].iloc[k], -k, xerr=[[spread[0].iloc[k]], [spread[1].iloc[k]]],
                          marker=MARKERS[k], color=COLOURS[k], capsize=2,
                          fillstyle="none")  # fmt: skip
        labels = list(MODELS.values()) if name == sets[0] else [""] * len(MODELS)
        bars.set_yticks([-k for k in range(len(MODELS))], labels)
        cost = metrics["E6"][name]["tied_weights_cost"]
        bars.set(xlabel="$-\\log p$ (nats a point)", ylim=(-len(MODELS) + 0.5, 0.5),
                 title=f"tied weights cost {cost:+.3f}")  # fmt: skip
    return figure
