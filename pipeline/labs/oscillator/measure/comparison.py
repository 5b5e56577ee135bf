"""O5 and O6: the study's models beside each other; the best one beside linear models."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from pipeline.core.stats.intervals import Summary, summary
from pipeline.labs.oscillator.data.windows import HeldOut
from pipeline.labs.oscillator.measure.quantities import (
    MeasureConfig,
    after_window,
    surrogate_quantities,
)

BASELINES = ("linear", "linear_gradient", "surrogate", "dmd")


def compared(best: str) -> dict[str, str]:
    """Return what O6 compares, by its name there: the best attention model is ``attention``."""
    return {"attention": best} | {name: name for name in BASELINES}


def variable_results(
    rollouts: Mapping[str, Float[Tensor, "member _ step 2"]],
    test: HeldOut,
    attention: Sequence[str],
    best: str,
    config: MeasureConfig,
) -> dict[str, dict[str, Summary]]:
    """Summarise O5 (the attention models and the oracle) and O6 (the best and the baselines)."""
    measured = {name: after_window(each, test, config) for name, each in rollouts.items()}
    measured["surrogate"] |= surrogate_quantities(
        rollouts["surrogate"][:, :-1], rollouts[best][:, :-1], test.window[:-1, -1], config
    )
    return {
        "O5": {name: summary(measured[name]) for name in [*attention, "dmd"]},
        "O6": {label: summary(measured[name]) for label, name in compared(best).items()},
    }
