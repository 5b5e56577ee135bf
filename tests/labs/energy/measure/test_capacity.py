import numpy as np
import pytest

from pipeline.labs.energy.measure import capacity
from pipeline.labs.energy.measure.capacity import Criterion, DenseConfig, ExponentialConfig

DENSE = {
    "seeds": (0, 1), "interactions": {"a2": {"power": 2, "dimensions": (32, 64)}},
    "bit_error": 0.005, "factors": (0.7, 1.0, 1.4), "min_spins": 4000, "states": 16, "chunk": 5,
}  # fmt: skip
CRITERION = {
    "dimensions": (8, 12), "radius": 0.0, "retrieved": 0.5, "whole_draws": True,
    "offsets": (-1.5, 0.0, 1.5), "samples": 24,
}  # fmt: skip


def measured(chunk, seeds=(0, 1), **changes):
    config = ExponentialConfig(seeds=seeds, chunk=chunk, criteria={"c": CRITERION | changes})
    return [capacity.measure(cell) for cell in capacity.cells(DenseConfig(**DENSE), config)]


def test_capacities_lie_near_their_theories():
    config = ExponentialConfig(seeds=(0, 1), chunk=64, criteria={"c": CRITERION})
    for cell in capacity.cells(DenseConfig(**DENSE), config):
        # Theories are for large d, the samples small: a third of a factor of two.
        assert capacity.measure(cell) == pytest.approx(cell.log2_theory, abs=0.33)


@pytest.mark.parametrize("changes", [{}, {"whole_draws": False, "offsets": (-3.0, 3.0)}])
def test_the_chunk_changes_nothing(changes):
    for small, large in zip(measured(3, **changes), measured(1000, **changes), strict=True):
        assert (small == large).all()


def test_a_seed_measures_the_same_beside_others_as_alone():
    together, alone = measured(64)[-1], measured(64, seeds=(1,))[-1]
    assert together[1] == alone[0]


def test_a_level_is_interpolated_where_a_falling_curve_passes_it():
    x, falling = np.array([0.0, 1.0, 2.0]), np.array([0.9, 0.6, 0.2])
    assert capacity.level_at(x, falling, 0.5) == pytest.approx(1.25, abs=1e-15)


@pytest.mark.parametrize("falling", [[0.9, 0.8], [0.3, 0.1]])
def test_offsets_that_do_not_bracket_the_capacity_are_refused(falling):
    with pytest.raises(ValueError, match="offsets must bracket the capacity"):
        capacity.level_at(np.array([0.0, 1.0]), np.array(falling), 0.5)


def test_exponents_of_exact_laws_are_exact():
    d = (16, 32, 64)
    power = np.log2(5.0 * np.array(d) ** 3.0)[:, None]
    assert capacity.exponents(d, power, power_law=True) == pytest.approx([3.0], abs=1e-12)
    exponential = (1.0 + 0.4 * np.array(d))[:, None]
    assert capacity.exponents(d, exponential, power_law=False) == pytest.approx([0.4], abs=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"offsets": (1.0, 0.0)}, "offsets must increase"),
        ({"retrieved": 0.9}, "whole_draws has a theory for radius 0 and retrieved 0.5"),
        ({"radius": 0.25}, "whole_draws has a theory for radius 0 and retrieved 0.5"),
    ],
)
def test_a_criterion_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Criterion(**(CRITERION | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"factors": (1.0, 0.5)}, "factors must increase"),
        ({"interactions": {"a1": {"power": 1, "dimensions": (32, 64)}}}, "greater than or equal"),
    ],
)
def test_a_polynomial_setting_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        DenseConfig(**(DENSE | changes))
