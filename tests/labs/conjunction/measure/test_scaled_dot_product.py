import math

import pytest
import torch

from pipeline.labs.conjunction.measure.scaled_dot_product import (
    CheckConfig,
    measure,
    positional_encoding,
    rounding_errors,
)

CONFIG = CheckConfig(positions=7, d_model=5, d_head=3, seeds=tuple(range(20)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_attention_agrees_with_torchs_to_rounding(dtype):
    errors = rounding_errors(CONFIG, dtype)
    # Scores sum 3 products and outputs 7: each side rounds some 10 times, so 20 units at most.
    assert float(errors.max()) <= 20
    assert errors.shape == (20,)


def test_a_case_is_its_seed_alone():
    alone = rounding_errors(CONFIG.model_copy(update={"seeds": (3,)}), torch.float64)
    assert rounding_errors(CONFIG, torch.float64)[3] == alone[0]


@pytest.mark.parametrize("d_model", [4, 5])
def test_positions_are_encoded_as_sinusoids(d_model):
    waves = positional_encoding(6, d_model)
    assert waves.shape == (6, d_model)
    even = d_model + d_model % 2
    for time in range(6):
        for k in range(d_model):
            phase = time / 10_000 ** (2 * (k // 2) / even)
            expected = math.cos(phase) if k % 2 else math.sin(phase)
            # Rounding of a phase of at most 5.
            assert float(waves[time, k]) == pytest.approx(expected, abs=1e-14)


def test_the_results_are_over_the_seeds_of_each_dtype():
    results = measure(CONFIG)
    assert set(results) == {"float32", "float64"}
    errors = rounding_errors(CONFIG, torch.float64)
    assert results["float64"]["rounding_units_max"] == float(errors.max())
    assert results["float64"]["n"] == 20
