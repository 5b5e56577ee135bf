import pytest
import torch
from pydantic import ValidationError

from pipeline.labs.oscillator.data.fixed import FixedDataConfig, by_gamma
from pipeline.labs.oscillator.data.fixed import fixed as fixed_splits
from pipeline.labs.oscillator.data.task import TaskConfig, energy, propagator
from pipeline.labs.oscillator.data.windows import WindowDataConfig, held_out, windows

TASK = TaskConfig(dt=0.1)
EPS = torch.finfo(torch.float64).eps
FIXED = {
    "omega0": 2.0, "gammas": (0.0, 0.1), "energy_train": 1.0, "energy_valid": 4.0, "train": 200,
    "test": 50, "test_steps": 30, "seed": 3,
}  # fmt: skip
VARIABLE = {
    "omega0": (1.0, 4.0), "gamma": (0.1, 0.1), "age": (0.0, 0.0), "window": 10,
    "initial_train": (0.0, 1.0), "initial_valid": (1.0, 1.5), "train": 300, "valid": 100,
    "test": 40, "test_steps": 25, "example_omega0": 2.0, "example_initial": (0.8, 0.6), "seed": 3,
}  # fmt: skip


def fixed(**changes):
    return fixed_splits(TASK, FixedDataConfig(**{**FIXED, **changes}))


def variable(**changes):
    splits = windows(TASK, WindowDataConfig(**{**VARIABLE, **changes}))
    return {f"variable_{name}": split for name, split in splits.items()}


def started(split):
    return energy(split.states[:, 0], split.omega0)


MAKERS = (fixed, variable)
SIZES = {"fixed_train": 400, "fixed_test": 100} | {
    "variable_train": 300, "variable_valid": 100, "variable_test": 40, "variable_example": 1,
}  # fmt: skip
TIMES = {
    "fixed_train": 2, "fixed_test": 31, "variable_train": 11, "variable_valid": 11,
    "variable_test": 35, "variable_example": 35,
}  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_splits_have_the_sizes_of_the_config_in_float64(make):
    for name, split in make().items():
        assert split.states.shape == (SIZES[name], TIMES[name], 2)
        assert split.omega0.shape == split.gamma.shape == (SIZES[name],)
        tensors = (split.states, split.omega0, split.gamma)
        assert {tensor.dtype for tensor in tensors} == {torch.float64}


@pytest.mark.parametrize("make", MAKERS)
def test_every_trajectory_obeys_its_own_parameters(make):
    for split in make().values():
        k = propagator(split.omega0, split.gamma, TASK.dt)
        following = split.states[:, :-1] @ k.mT
        # States up to 6, entries up to 4, six doublings.
        atol = 100 * EPS * 24
        torch.testing.assert_close(split.states[:, 1:], following, rtol=0, atol=atol)


@pytest.mark.parametrize("make", MAKERS)
def test_a_seed_is_its_data(make):
    first, again, other = make(), make(), make(seed=4)
    for name, split in first.items():
        assert torch.equal(split.states, again[name].states)
        if name != "variable_example":
            assert not torch.equal(split.states, other[name].states)


@pytest.mark.parametrize(
    ("make", "changed", "own"),
    [
        (fixed, {"train": 7}, "fixed_train"),
        (fixed, {"test": 7, "test_steps": 3}, "fixed_test"),
        (variable, {"train": 7}, "variable_train"),
        (variable, {"valid": 7}, "variable_valid"),
        (variable, {"test": 7}, "variable_test"),
    ],
)
def test_a_split_does_not_depend_on_the_size_of_another(make, changed, own):
    before, after = make(), make(**changed)
    for name in before.keys() - {own}:
        assert torch.equal(before[name].states, after[name].states)
    assert after[own].states.shape != before[own].states.shape


def test_splits_share_no_trajectory():
    starts = torch.cat([split.states[:, 0] for split in variable().values()])
    assert len(torch.unique(starts, dim=0)) == len(starts)


def test_energies_of_one_frequency_lie_in_the_split_s_range():
    splits = fixed()
    trained, tested = started(splits["fixed_train"]), started(splits["fixed_test"])
    assert bool((trained >= 0).all())
    assert float(trained.max()) <= 1 + 10 * EPS
    assert float(tested.min()) >= 1 - 10 * EPS
    assert float(tested.max()) <= 4 + 10 * EPS
    # The whole range is used: the least of 100 uniform numbers is above 0.2 once in 10^9.
    assert float(tested.min()) < 1 + 0.2 * 3
    assert float(tested.max()) > 4 - 0.2 * 3


@pytest.mark.parametrize("box", [(0.0, 1.0), (-1.0, 1.0), (-1.0, 0.5)])
def test_validation_energies_lie_beyond_every_training_energy_of_the_same_frequency(box):
    splits = variable(initial_train=box)
    valid = splits["variable_valid"]
    greatest = (1 + valid.omega0**2) / 2 * max(abs(edge) for edge in box) ** 2
    assert bool((started(valid) >= greatest).all())
    trained = splits["variable_train"]
    at_most = (1 + trained.omega0**2) / 2 * max(abs(edge) for edge in box) ** 2
    assert bool((started(trained) <= at_most).all())


def test_frequencies_fill_their_interval_and_the_example_is_as_configured():
    splits = variable()
    for name in ("variable_train", "variable_valid", "variable_test"):
        omega0 = splits[name].omega0
        assert bool(((omega0 >= 1) & (omega0 <= 4)).all())
        # Five standard deviations of the mean of n uniform numbers.
        assert abs(float(omega0.mean()) - 2.5) < 5 * 3 / 12**0.5 / len(omega0) ** 0.5
        assert bool((splits[name].gamma == 0.1).all())
    example = splits["variable_example"]
    assert example.states[0, 0].tolist() == [0.8, 0.6]
    assert example.omega0.tolist() == [2.0]


def test_windows_start_at_their_age():
    young, old = variable(), variable(age=(3.0, 3.0))
    for name in ("variable_train", "variable_valid", "variable_test"):
        k = propagator(young[name].omega0, young[name].gamma, 3.0)
        expected = young[name].states[:, 0, None] @ k.mT
        # Two products of states below 6 and entries below 4.
        torch.testing.assert_close(old[name].states[:, :1], expected, rtol=0, atol=10 * EPS * 24)
    assert torch.equal(young["variable_example"].states, old["variable_example"].states)


def test_dampings_and_ages_vary_within_their_ranges():
    train = variable(gamma=(0.1, 0.5), age=(0.0, 6.0))["variable_train"]
    assert bool(((train.gamma >= 0.1) & (train.gamma <= 0.5)).all())
    assert len(torch.unique(train.gamma)) == 300
    # The study's windows all start in the positive quadrant; aged ones in every one of the four.
    quadrants = torch.unique(train.states[:, 0].sign(), dim=0)
    assert len(quadrants) == 4


def test_the_states_of_each_damping_are_found_by_its_name():
    split = fixed()["fixed_test"]
    parts = by_gamma(split)
    assert list(parts) == ["gamma_0", "gamma_0.1"]
    assert torch.equal(torch.cat([part.states for part in parts.values()]), split.states)
    assert [part.gamma.unique().tolist() for part in parts.values()] == [[0.0], [0.1]]
    kept = energy(parts["gamma_0"].states, 2.0)
    torch.testing.assert_close(kept, kept[:, :1].expand_as(kept), rtol=100 * EPS, atol=0)
    lost = energy(parts["gamma_0.1"].states, 2.0)
    assert bool((lost[:, -1] < lost[:, 0]).all())


def test_test_windows_are_cut_where_the_window_ends_and_the_example_is_the_last():
    splits = variable()
    test, example = splits["variable_test"], splits["variable_example"]
    held = held_out(test, example, 10)
    assert (held.window.shape, held.true.shape, held.steps) == ((41, 10, 2), (41, 25, 2), 25)
    whole = torch.cat([held.window, held.true], dim=1)
    assert torch.equal(whole[:-1], test.states)
    assert torch.equal(whole[-1:], example.states)
    assert torch.equal(held.omega0, torch.cat([test.omega0, example.omega0]))
    assert torch.equal(held.gamma, torch.cat([test.gamma, example.gamma]))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"gammas": (0.0, 2.0)}, "gammas must be < omega0 = 2 .*, got 2"),
        ({"gammas": (3.0,)}, "gammas must be < omega0 = 2 .*, got 3"),
        ({"gammas": ()}, "at least 1 item"),
        ({"gammas": (0.1, 0.1)}, "must be distinct"),
        ({"gammas": (-0.1,)}, "greater than or equal to 0"),
        ({"energy_valid": 1.0}, "energy_valid must be > energy_train = 1, got 1"),
        ({"energy_valid": 0.5}, "energy_valid must be > energy_train = 1, got 0.5"),
        ({"omega0": 0.0}, "greater than or equal to 0.001"),
        ({"train": 0}, "greater than or equal to 1"),
        ({"test_steps": 0}, "greater than or equal to 1"),
        ({"seed": -1}, "greater than or equal to 0"),
    ],
)
def test_data_of_one_frequency_that_cannot_be_made_is_refused(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        FixedDataConfig(**{**FIXED, **changes})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"gamma": (0.1, 1.0)}, r"gamma must be < omega0 = 1 \(under-damped\), got 1"),
        ({"gamma": (5.0, 6.0)}, "gamma must be < omega0 = 1"),
        ({"gamma": (0.2, 0.1)}, r"low <= high, got \[0.2, 0.1\]"),
        ({"gamma": (-0.1, 0.1)}, r"gamma\.0\s+Input should be greater than or equal to 0"),
        ({"age": (-1.0, 0.0)}, r"age\.0\s+Input should be greater than or equal to 0"),
        ({"omega0": (4.0, 1.0)}, r"low <= high, got \[4.0, 1.0\]"),
        ({"initial_train": (1.0, 1.0)}, "low < high"),
        ({"example_omega0": 0.1}, "example_omega0 must be > gamma = 0.1, got 0.1"),
        ({"initial_valid": (0.9, 1.5)}, "initial_valid must lie above initial_train"),
        ({"initial_train": (-2.0, 1.0)}, "initial_valid must lie above initial_train"),
        ({"window": 1}, "greater than or equal to 2"),
        ({"valid": 0}, "greater than or equal to 1"),
    ],
)
def test_data_of_varying_frequency_that_cannot_be_made_is_refused(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        WindowDataConfig(**{**VARIABLE, **changes})
