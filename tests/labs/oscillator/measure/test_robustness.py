import pytest
import torch
from pydantic import ValidationError

from pipeline.labs.oscillator.measure.errors import rollout_error
from pipeline.labs.oscillator.measure.robustness import (
    RobustnessConfig,
    conditions,
    oracle_rollouts,
    robustness,
)
from pipeline.labs.oscillator.models.oracles import ORACLES, dmd_propagator

DT = 0.1
SETTINGS = {
    "noise": (0.0, 0.01), "omega0": (1.0, 4.0), "bands": ((0.5, 1.0), (4.0, 6.0)), "gamma": 0.1,
    "age": (0.0, 6.0), "initial": (0.0, 1.0), "search": (0.1, 10.0), "window": 20, "steps": 10,
    "trajectories": 16, "seed": 6,
}  # fmt: skip


def config(**changes):
    return RobustnessConfig(**{**SETTINGS, **changes})


def made(members=2, **changes):
    return {c.quantity: c for c in conditions(config(**changes), DT, members)}


def frequencies(condition):
    """Return omega0 of a noise-free window, from the trace of its propagator."""
    k = dmd_propagator(condition.window[0])
    decay = torch.exp(-condition.gamma * DT)
    omega = torch.arccos(k.diagonal(dim1=1, dim2=2).sum(1) / 2 / decay) / DT
    return (omega**2 + condition.gamma**2).sqrt()


def test_there_is_a_condition_for_each_noise_and_each_band():
    found = made()
    assert [(c.experiment, name) for name, c in found.items()] == [
        ("noise", "r10_0"), ("noise", "r10_0.01"), ("frequency", "r10_0.5_1"),
        ("frequency", "r10_4_6"),
    ]  # fmt: skip
    for condition in found.values():
        assert condition.window.shape == (2, 16, 20, 2)
        assert condition.true.shape == (16, 10, 2)


def test_the_noise_of_a_member_is_its_own_whatever_the_number_of_members():
    two, three = made(2)["r10_0.01"].window, made(3)["r10_0.01"].window
    assert torch.equal(two, three[:2])
    assert not torch.equal(three[1], three[2])


def test_noise_has_its_level_and_touches_the_window_alone():
    found = made(members=3)
    clean, noisy = found["r10_0"], found["r10_0.01"]
    assert torch.equal(clean.true, noisy.true)
    assert torch.equal(clean.window[0], clean.window[1])
    noise = noisy.window - clean.window
    # Five standard deviations of the standard deviation of n normal numbers.
    assert float(noise.std()) == pytest.approx(0.01, rel=5 / (2 * noise.numel()) ** 0.5)


@pytest.mark.parametrize(
    ("name", "low", "high"), [("r10_0", 1, 4), ("r10_0.5_1", 0.5, 1), ("r10_4_6", 4, 6)]
)
def test_the_frequencies_lie_in_their_band(name, low, high):
    found = frequencies(made()[name])
    # An arc cosine near one loses half of the digits: 1e-16 / (omega dt)^2 / condition 100.
    assert float(found.min()) > low - 1e-9
    assert float(found.max()) < high + 1e-9
    assert float(found.max() - found.min()) > (high - low) / 2


def test_the_true_states_follow_the_window():
    for condition in made().values():
        if condition.quantity == "r10_0.01":
            continue
        k = dmd_propagator(condition.window[0])
        following = (k @ condition.window[0, :, -1, :, None])[:, :, 0]
        torch.testing.assert_close(condition.true[:, 0], following, rtol=0, atol=1e-12)


@pytest.mark.parametrize("oracle", ORACLES)
def test_an_oracle_is_exact_without_noise_at_every_frequency(oracle):
    # Windows of 2 s at 0.5 rad/s have a condition of some 20; ten steps. The likelihood's omega0
    # has the last grid's spacing, over the 3 s of window and rollout.
    bound = {"dmd": 10 * 20 * 20**0.5 * 2.2e-16 * 10, "likelihood": 3 * 9.9 / (5**8 * 20)}[oracle]
    for name, condition in made().items():
        rolled = oracle_rollouts(oracle, condition, config(), DT)
        assert rolled.shape == (2, 16, 10, 2)
        error = rollout_error(rolled, condition.true, 10)
        if name == "r10_0.01":
            assert bool((error > 1e-4).all())
        else:
            assert bool((error < bound).all()), (name, error)


@pytest.mark.parametrize("oracle", ORACLES)
def test_an_oracle_sees_each_member_s_own_window(oracle):
    two, three = (oracle_rollouts(oracle, made(n)["r10_0.01"], config(), DT) for n in (2, 3))
    # The same windows in a batch of another size: some hundred roundings; the likelihood may
    # choose a neighbour on its last grid, 9.9 / (5^8 x 20) rad/s away, over 3 s.
    atol = {"dmd": 1e-12, "likelihood": 3 * 9.9 / (5**8 * 20)}[oracle]
    torch.testing.assert_close(three[:2], two, rtol=0, atol=atol)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"gamma": 0.5}, r"gamma must be < omega0 = 0.5 \(under-damped\), got 0.5"),
        ({"gamma": 1.0, "bands": ((2.0, 3.0),)}, "gamma must be < omega0 = 1 "),
        ({"gamma": -0.1}, "greater than or equal to 0"),
        ({"noise": ()}, "at least 1 item"),
        ({"noise": (0.0, 0.0)}, "must be distinct"),
        ({"noise": (-0.1,)}, "greater than or equal to 0"),
        ({"bands": ()}, "at least 1 item"),
        ({"bands": ((1.0, 1.0),)}, "low < high"),
        ({"omega0": (4.0, 1.0)}, "low < high"),
        ({"age": (6.0, 0.0)}, "low <= high"),
        ({"initial": (1.0, 1.0)}, "low < high"),
        ({"search": (10.0, 0.1)}, "low < high"),
        ({"window": 1}, "greater than or equal to 2"),
        ({"steps": 0}, "greater than or equal to 1"),
        ({"trajectories": 0}, "greater than or equal to 1"),
    ],
)
def test_conditions_that_cannot_be_made_are_refused(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        config(**changes)


def test_the_results_are_each_model_s_rollout_errors_by_experiment_and_condition():
    tested = conditions(config(), DT, 2)
    rollouts = {
        (name, c.quantity): (1 + error) * c.true.expand(2, -1, -1, -1)
        for name, error in (("one", 0.5), ("other", 2.0))
        for c in tested
    }
    results = robustness(rollouts, tested, 10)
    assert {key: list(models) for key, models in results.items()} == {
        "noise": ["one", "other"], "frequency": ["one", "other"],
    }  # fmt: skip
    for quantity in ("r10_0", "r10_0.01"):
        assert results["noise"]["one"][quantity] == pytest.approx(0.5, rel=1e-12)
    assert results["frequency"]["other"]["r10_4_6"] == pytest.approx(2.0, rel=1e-12)
    assert results["frequency"]["other"]["n"] == 2
    assert "r10_0" not in results["frequency"]["one"]
