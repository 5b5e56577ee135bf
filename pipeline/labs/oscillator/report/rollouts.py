"""What the figures draw of rollouts: an example of one seed, and the error of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from pipeline.core.stats.intervals import band
from pipeline.labs.oscillator.measure.errors import rollout_error, state_relative_error

NO_SEED = -1  # of what is not trained from a seed: an oracle, a normal equation


@dataclass(frozen=True)
class Rollouts:
    """Rollouts of several models, each over its own members (seeds).

    ``predicted`` and ``true`` are the example, by the member of median rollout error, whose seed is
    ``seed``. ``error`` is |error| / |state| at every step, a median over the other trajectories:
    its median, low and high over members. ``run_error`` is the same of every member by itself, of
    the model with the index ``run_model``.
    """

    model: tuple[str, ...]
    seed: Int64[np.ndarray, " model"]
    predicted: Float64[np.ndarray, "model step 2"]
    true: Float64[np.ndarray, "model step 2"]
    error: Float64[np.ndarray, "model 3 step"]
    run_model: Int64[np.ndarray, " run"]
    run_seed: Int64[np.ndarray, " run"]
    run_error: Float64[np.ndarray, "run step"]


def median_member(values: Float[Tensor, " member"]) -> int:
    """Return the member whose value is the median, the lower one of an even number."""
    return int(values.argsort(stable=True)[(len(values) - 1) // 2])


def drawn_rollouts(
    rolled: Mapping[str, tuple[Float[Tensor, "member _ step 2"], Float[Tensor, "_ step 2"]]],
    seeds: Mapping[str, Sequence[int]],
) -> Rollouts:
    """Reduce {model: (predicted, true)} to what is drawn; the last trajectory is the example.

    ``seeds`` are those of each model's members; a model that it lacks has none.
    """
    shown, runs, seed_of_run = [], [], []
    for name, (predicted, true) in rolled.items():
        others, their_true = predicted[:, :-1], true[:-1]
        shown.append(median_member(rollout_error(others, their_true, true.shape[1])))
        runs.append(state_relative_error(others, their_true).median(1).values)
        seed_of_run.append(list(seeds.get(name, [NO_SEED] * len(predicted))))
    pairs = list(rolled.values())
    return Rollouts(
        model=tuple(rolled),
        seed=np.array([of[k] for of, k in zip(seed_of_run, shown, strict=True)], dtype=np.int64),
        predicted=torch.stack([p[k, -1] for (p, _), k in zip(pairs, shown, strict=True)]).numpy(),
        true=torch.stack([true[-1] for _, true in pairs]).numpy(),
        error=torch.stack([band(run) for run in runs]).numpy(),
        run_model=np.repeat(np.arange(len(runs), dtype=np.int64), [len(run) for run in runs]),
        run_seed=np.concatenate(seed_of_run).astype(np.int64),
        run_error=torch.cat(runs).numpy(),
    )
