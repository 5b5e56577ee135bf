"""Bad values in the oscillator's sections: each is one line that names its key."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from faults import fault

from params.test_params import REAL, STAGES, put

REFUSED = {
    "regression.seeds": ([], "oscillator.regression.seeds"),
    "regression.spring.samples": (3, "must be >= 4, got 3"),
    "regression.spring.noise": (0.0, "must be >= 1e-06, got 0.0"),
    "regression.spring.position": ([5.0, 0.0], "low < high, got [5.0, 0.0]"),
    "regression.spring.confidence": (1.0, "must be < 1, got 1.0"),
    "regression.car.drag": (-1.0e-5, "must be >= 1e-09, got -1e-05"),
    "regression.car.speed": ([140.0, 60.0], "low < high, got [140.0, 60.0]"),
    "regression.housing.correlation": (-1.0, "must be > -1, got -1.0"),
    "regression.housing.samples": (5, "must be >= 6, got 5"),
    "time_data.gamma": (2.0, "oscillator.time_data: gamma must be < omega0 = 2 (under-damped)"),
    "time_data.initial": ([1.0, -1.0], "low < high, got [1.0, -1.0]"),
    "time_data.duration": (0.0, "must be >= 1e-06, got 0.0"),
    "sequence_data.omega0": ([4.0, 1.0], "low <= high, got [4.0, 1.0]"),
    "sequence_data.gamma": ([0.0, 2.0], "sequence_data: gamma must be < omega0 = 2"),
    "sequence_data.age": ([-1.0, 0.0], "sequence_data.age.0 must be >= 0, got -1.0"),
    "sequence_data.test_steps": (
        199,
        "measure.rollout_steps must be <= oscillator.sequence_data.test_steps = 199, got 200",
    ),
    "aged_data.age": ([6.0, 0.0], "low <= high, got [6.0, 0.0]"),
    "aged_data.gamma": ([-0.1, 0.1], "aged_data.gamma.0 must be >= 0, got -0.1"),
    "aged_data.test_steps": (
        199,
        "measure.rollout_steps must be <= oscillator.aged_data.test_steps = 199, got 200",
    ),
    "damped_data.gamma": ([0.0, 1.0], "damped_data: gamma must be < omega0 = 1"),
    "damped_data.example_omega0": (0.3, "example_omega0 must be > gamma = 0.4, got 0.3"),
    "train_time.model.widths": ([], "oscillator.train_time.model.widths"),
    "train_time.model.d_in": (2, "model.d_in must be 3 (x0, p0, t) and model.d_out 2 (x, p)"),
    "train_time.model.d_out": (3, "model.d_out 2 (x, p), got 3 and 3"),
    "train_time.model.activation": ("sine", "must be 'relu', 'tanh' or 'gelu', got 'sine'"),
    "train_sequence.losses": (["last", "last"], "must be distinct, got ['last', 'last']"),
    "train_sequence.model.d_head": (3, "d_head must divide d_model, got d_head = 3, d_model = 2"),
    "train_recipe.seeds": ([1, 1], "must be distinct, got [1, 1]"),
    "train_recipe.members_per_cell": (0, "must be >= 1, got 0"),
    "train_recipe.models": ({}, "oscillator.train_recipe.models"),
    "train_recipe.models.small.d_head": (3, "small: d_head must divide d_model, got d_head = 3"),
    "train_recipe.models.small.data": ("fixed", "must be 'aged', 'variable' or 'damped'"),
    "train_recipe.models.small.loss": ("cubed", "must be 'energy' or 'squared', got 'cubed'"),
    "train_recipe.models.small.muon.momentum": (1.0, "must be < 1, got 1.0"),
    "train_ablation.models.recipe.muon.learning_rate": (0.0, "must be > 0, got 0.0"),
    "train_ablation.models.softmax.attention": ("hard", "must be 'softmax' or 'linear'"),
    "polish.samples": (0, "must be >= 1, got 0"),
    "polish.optimizer.damping": (0.0, "must be >= 1e-12, got 0.0"),
    "polish.optimizer.iterations": (0, "must be >= 1, got 0"),
    "polish.optimizer.chunk": (0, "must be >= 1, got 0"),
    "robustness.noise": ([0.0, 0.0], "must be distinct, got [0.0, 0.0]"),
    "robustness.bands": ([[1.0, 1.0]], "low < high, got [1.0, 1.0]"),
    "robustness.gamma": (0.5, "robustness: gamma must be < omega0 = 0.5 (under-damped), got 0.5"),
    "robustness.search": ([10.0, 0.1], "low < high, got [10.0, 0.1]"),
    "robustness.window": (1, "must be >= 2, got 1"),
    "task.dt": (1e-7, "oscillator.task.dt must be >= 1e-06, got 1e-07"),
    "regression.spring.offset": (1e7, "must be <= 1e+06, got 10000000.0"),
    "regression.spring.position.0": (4.999999, "must be an interval of at least 5e-06, got [4.9"),
    "regression.car.speed.0": (0.0, "regression.car.speed.0 must be >= 1e-06, got 0.0"),
    "regression.car.samples": (
        10**6,
        "regression: seeds * samples * 8 must be <= 2e+08 numbers in memory, got 50 * ",
    ),
    "fixed_data.seed": (2**32, "must be < 4.29497e+09, got 4294967296"),
    "fixed_data.energy_train": (1e200, "must be <= 1e+06, got 1e+200"),
    "fixed_data.test": (10**7, "test * test_steps * 2 must be <= 2e+08 numbers in memory"),
    "time_data.omega0": (1e4, "must be <= 1000, got 10000.0"),
    "time_data.test": (10**7, "oscillator.time_data: test * duration / dt * 2 must be <= 2e+08"),
    "sequence_data.initial_train": ([0.0, 1e-300], "must be an interval of at least 1e-06, got"),
    "sequence_data.train": (10**7, "sequence_data: windows * (window + 1) * 2 must be <= 2e+08"),
    "sequence_data.test": (10**6, "sequence_data: test * (window + test_steps) * 2 must be <="),
    "aged_data.age.1": (400.0, "aged_data: gamma * age must be <= 30, or nothing is left to"),
    "train_fixed.training.steps": (10**9, "training.steps must be <= 1e+08, got 1000000000"),
    "train_fixed.training.optimizer.learning_rate": (101.0, "must be <= 100, got 101.0"),
    "train_fixed.training.optimizer.options": (
        {"weight_decay": 1e200},
        "options.weight_decay: must be from -100 to 100, got 1e+200",
    ),
    "train_time.training.optimizer.options": (
        {"eps": 0.0},
        "train_time.training.optimizer: options.eps must be >= 1e-30, got 0.0",
    ),
    "train_recipe.models.small.muon.learning_rate": (1e3, "must be <= 100, got 1000.0"),
    "train_surrogate.steps": (10**7, "train_surrogate: windows * steps * 2 must be <= 2e+08"),
    "robustness.noise.1": (1e200, "robustness.noise.1 must be <= 1e+06, got 1e+200"),
    "robustness.age.1": (400.0, "robustness: gamma * age must be <= 30, or nothing is left"),
    "robustness.trajectories": (10**7, "robustness: trajectories * (window + steps) * 2 must be"),
    "measure.rollout_steps": ([50, 201], "measure.rollout_steps must be <= oscillator."),
}


@pytest.mark.parametrize("key", REFUSED)
def test_a_value_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, key: str) -> None:
    value, message = REFUSED[key]
    content: dict[str, Any] = deepcopy(REAL)
    place = [int(part) if part.isdigit() else part for part in key.split(".")]
    put(content, ("oscillator", *place), value)
    found = fault(tmp_path, content, STAGES)
    assert message in found
    assert found.startswith("oscillator.")
