"""What is measured of each experiment's rollouts: quantities by name, a number a member."""

from collections.abc import Mapping
from typing import Annotated

from jaxtyping import Float
from pydantic import AfterValidator, Field
from torch import Tensor

from pipeline.bounds import Count, Positive
from pipeline.config import Section, distinct
from pipeline.core.stats.intervals import Summary, summary
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.data.windows import HeldOut
from pipeline.labs.oscillator.measure.conservation import conservation
from pipeline.labs.oscillator.measure.errors import (
    Rollouts,
    Truth,
    r2_score,
    rollout_error,
    state_relative_error,
    valid_prediction_time,
)

Quantities = dict[str, Float[Tensor, " member"]]


class MeasureConfig(Section):
    """Over how many steps rollouts are compared, and how far off a valid prediction may be."""

    rollout_steps: Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(distinct)]
    prediction_threshold: Positive

    def require(self, steps: int, name: str) -> None:
        """Raise ValueError if a rollout is longer than the test trajectories."""
        if max(self.rollout_steps) > steps:
            raise ValueError(
                f"oscillator.measure.rollout_steps must be <= {name} = {steps}, "
                f"got {max(self.rollout_steps)}"
            )


def of_network_of_time(predicted: Rollouts, test: Split) -> Quantities:
    """Measure what the network of time says of every state after the first (O2)."""
    true = test.states[:, 1:]
    steps = true.shape[1]
    return {
        "one_step": state_relative_error(predicted, true)[:, :, 0].median(1).values,
        f"r{steps}": rollout_error(predicted, true, steps),
        **conservation(predicted, true, test.omega0),
    }


def from_one_state(predicted: Rollouts, test: Split) -> Quantities:
    """Measure rollouts of whole test trajectories from their first state (O3).

    ``step200_error`` is the error of the last state alone, ``r200`` that of the whole rollout.
    """
    true = test.states[:, 1:]
    steps = true.shape[1]
    error = state_relative_error(predicted, true)
    return {
        **conservation(predicted, true, test.omega0),
        "one_step": error[:, :, 0].median(1).values,
        f"step{steps}_error": error[:, :, -1].median(1).values,
        f"r{steps}": rollout_error(predicted, true, steps),
    }


def after_window(predicted: Rollouts, test: HeldOut, config: MeasureConfig) -> Quantities:
    """Measure rollouts after a window on all test trajectories but the last, the example."""
    predicted, true = predicted[:, :-1], test.true[:-1]
    return forecast_quantities(predicted, true, config) | conservation(
        predicted, true, test.omega0[:-1]
    )


def measured(
    rollouts: Mapping[tuple[str, str], Float[Tensor, "member _ step 2"]],
    test: HeldOut,
    config: MeasureConfig,
    sizes: Mapping[tuple[str, str], int],
) -> dict[str, dict[str, Summary]]:
    """Summarise the rollouts of every (experiment, model); with its ``parameters``, if any."""
    results: dict[str, dict[str, Summary]] = {}
    for (experiment, name), predicted in rollouts.items():
        place = (experiment, name)
        numbers = summary(after_window(predicted, test, config))
        size = {"parameters": sizes[place]} if place in sizes else {}
        results.setdefault(experiment, {})[name] = numbers | size
    return results


def forecast_quantities(
    predicted: Rollouts, true: Truth, config: MeasureConfig
) -> dict[str, Float[Tensor, " member"]]:
    """Return ``one_step`` (median |error| / |state|), ``r50``-like errors, valid_prediction_time.

    The last one counts steps, as every time here.
    """
    quantities = {"one_step": state_relative_error(predicted, true)[:, :, 0].median(1).values}
    for steps in config.rollout_steps:
        quantities[f"r{steps}"] = rollout_error(predicted, true, steps)
    quantities["valid_prediction_time"] = valid_prediction_time(
        predicted, true, config.prediction_threshold
    )
    return quantities


def surrogate_quantities(
    surrogate: Rollouts,
    model: Rollouts,
    last: Float[Tensor, "trajectory 2"],
    config: MeasureConfig,
) -> dict[str, Float[Tensor, " member"]]:
    """Say how well a surrogate stands for its model, member by member.

    ``r2_score`` of the one-step outputs is near one for any smooth forecaster, as the next state is
    close to the last one; ``r2_score_increment``, of output minus last state, is stricter.
    ``valid_imitation_time`` is the valid prediction time with the model's rollout for the truth.
    """
    ours, theirs = surrogate[:, :, 0], model[:, :, 0]
    return {
        "r2_score": r2_score(ours, theirs),
        "r2_score_increment": r2_score(ours - last, theirs - last),
        "valid_imitation_time": valid_prediction_time(
            surrogate, model, config.prediction_threshold
        ),
    }
