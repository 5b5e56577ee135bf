"""Numbers that the tests of the lab's figures draw."""

import numpy as np
import pandas as pd

from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.labs.oscillator.data.windows import WindowDataConfig
from pipeline.labs.oscillator.models.attention import ShapeConfig
from pipeline.labs.oscillator.report.rollouts import NO_SEED, Rollouts

STEPS, DT = 12, 0.1
TIME = DT * np.arange(1, STEPS + 1)
SEEDS = (10, 11, 12)
WITHOUT_SEED = ("dmd", "linear")


def rollouts(names):
    """Return a rotation, models that lag behind it, and errors that grow, of three seeds each.

    The example of model k is by seed k (of three); oracles have no seed.
    """
    names = tuple(names)
    lag = 0.1 * np.arange(len(names))[:, None]
    true = np.stack([np.cos(TIME), -np.sin(TIME)], axis=-1)
    middle = 1e-5 * np.exp(TIME) * (1 + lag)
    runs = np.stack([middle / 2, middle, middle * 3], axis=1)
    return Rollouts(
        model=names,
        seed=np.array(
            [NO_SEED if name in WITHOUT_SEED else SEEDS[k % 3] for k, name in enumerate(names)],
            dtype=np.int64,
        ),
        predicted=np.stack([np.cos(TIME - lag), -np.sin(TIME - lag)], axis=-1),
        true=np.stack([true] * len(names)),
        error=np.stack([middle, middle / 2, middle * 3], axis=1),
        run_model=np.repeat(np.arange(len(names)), 3),
        run_seed=np.array(SEEDS * len(names), dtype=np.int64),
        run_error=runs.reshape(-1, STEPS),
    )


def training(dtype="float64", schedule="cosine", steps=100):
    optimizer = OptimizerConfig(
        name="AdamW", learning_rate=0.01, options={}, schedule=schedule, final_fraction=1.0,
        warmup_steps=0,
    )  # fmt: skip
    return TrainingConfig(
        steps=steps, batch_size=8, optimizer=optimizer, clip_norm=None, dtype=dtype, record_every=5
    )


def windows(omega0=(1.5, 3.5), window=23):
    return WindowDataConfig(
        omega0=omega0, gamma=(0.1, 0.1), age=(0.0, 6.0), window=window, initial_train=(0.0, 1.0),
        initial_valid=(1.0, 1.5), train=4, valid=4, test=4, test_steps=STEPS, example_omega0=2.0,
        example_initial=(0.8, 0.6), seed=0,
    )  # fmt: skip


def shape(d_model=32, d_head=16, n_layers=8, causal=False):
    return ShapeConfig(d_model=d_model, d_head=d_head, n_layers=n_layers, causal=causal)


def rows(experiment, conditions, quantities, n=3):
    """Return rows of results whose median is 10^(k + j - 4), of condition k and quantity j."""
    return pd.DataFrame(
        [
            {"experiment": experiment, "condition": c, "quantity": q, "median": m, "low": m / 2,
             "high": 2 * m, "n": n}
            for k, c in enumerate(conditions)
            for j, q in enumerate(quantities)
            for m in [10.0 ** (k + j - 4)]
        ]
    )  # fmt: skip


def left_titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]
