"""Bad values in the energy lab's sections: each is one line that names its key."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from faults import fault

from params.test_params import REAL, STAGES, put

REFUSED = {
    "classical.sizes": ([500, 10**6], "classical.sizes.1 must be <= 8192, got 1000000"),
    "classical.bootstrap": (10**9, "must be <= 100000, got 1000000000"),
    "dense.factors": ([0.7, 1e200], "dense.factors.1 must be <= 1000, got 1e+200"),
    "dense.interactions.a4.dimensions": (
        [32, 2048], "energy.dense: interactions.a4 must need at most 1.67772e+07 patterns, got",
    ),
    "dense.chunk": (10**7, "energy.dense: states * chunk must be <= 2e+08 numbers in memory"),
    "exponential.chunk": (10**7, "energy.exponential: samples * chunk must be <= 2e+08 numbers"),
    "exponential.criteria.all_patterns.dimensions": (
        [8, 40], "dimensions and offsets must need at most 8192 patterns, got 2^",
    ),
    "exponential.criteria.radius_eighth.dimensions": (
        [16, 512], "dimensions and offsets must need at most 1.67772e+07 patterns, got 2^",
    ),
    "exponential.criteria.radius_eighth.offsets": ([-1.0, 1e200], "must be <= 30, got 1e+200"),
    "retrieval.clusters": (7, "energy.retrieval: clusters must divide patterns, got 7 and 64"),
    "retrieval.noises": ([1e200], "energy.retrieval.noises.0 must be <= 1e+06, got 1e+200"),
    "retrieval.betas": ([1e-300], "energy.retrieval.betas.0 must be >= 1e-06, got 1e-300"),
    "retrieval.states": (10**7, "seeds * (the larger of states and patterns) * (of patterns and d"),
    "phases.patterns": (10**4, "energy.phases.patterns must be <= 4096, got 10000"),
    "phases.tolerance": (1e-300, "energy.phases.tolerance must be >= 1e-15, got 1e-300"),
    "phases.branch_points": (10**9, "must be <= 100000, got 1000000000"),
    "landscape.patterns": ([[0.0, 1e200], [1.0, 1.0]], "patterns.0.1 must be <= 1e+06, got 1e+200"),
    "landscape.grid": (10**6, "energy.landscape.grid must be <= 4096, got 1000000"),
    "landscape.path_steps": (10**7, "path_starts * path_starts * path_steps must be <= 2e+08"),
    "likelihood.sets.ring.radius": (1e200, "sets.ring.radius must be <= 1000, got 1e+200"),
    "likelihood.train_points": (10**7, "likelihood: seeds * points * patterns must be <= 2e+08"),
    "likelihood.quadrature_points": (
        10**4, "patterns * quadrature_points * quadrature_points must be <= 2e+08 numbers",
    ),
    "recall.keys": (10**6, "energy.recall.keys must be <= 1024, got 1000000"),
    "recall_model.n_layers": (10**6, "energy.recall_model.n_layers must be <= 100, got 1000000"),
    "train_recall.losses.task.task": (1e200, "losses.task.task must be <= 1e+06, got 1e+200"),
    "train_recall.validation": (10**9, "must be <= 100000, got 1000000000"),
    "train_recall.losses.task.energy": (-1.0, "losses.task.energy must be >= 0, got -1"),
    "train_recall.other_heads": ([1, 1], "energy.train_recall.other_heads"),
    "measure_recall.octaves": (100, "energy.measure_recall.octaves must be <= 20, got 100"),
    "descent.sequences": (10**9, "must be <= 100000, got 1000000000"),
}  # fmt: skip


@pytest.mark.parametrize("key", REFUSED)
def test_a_value_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, key: str) -> None:
    value, message = REFUSED[key]
    content: dict[str, Any] = deepcopy(REAL)
    put(content, ("energy", *key.split(".")), value)
    line = fault(tmp_path, content, STAGES)
    assert message in line
    assert line.startswith("energy.")
