import pytest
import torch

from pipeline.labs.oscillator.data.task import trajectories
from pipeline.labs.oscillator.measure.conservation import CAP, conservation, log_energy_ratio

STEPS, DT = 50, 0.1


def motion(gamma=0.1):
    """Return three exact trajectories and their frequencies."""
    initial = torch.tensor([[0.8, 0.6], [-0.3, 1.1], [1.0, 0.2]], dtype=torch.float64)
    omega0 = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    return trajectories(initial, omega0, torch.full_like(omega0, gamma), DT, STEPS), omega0


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5])
def test_the_exact_trajectory_neither_drifts_nor_spreads(gamma):
    true, omega0 = motion(gamma)
    found = conservation(true[None], true, omega0)
    assert found["energy_drift"].tolist() == [0.0]
    assert found["energy_spread"].tolist() == [0.0]


@pytest.mark.parametrize("rate", [1e-3, 0.05, -0.05])
def test_a_false_decay_of_amplitude_is_a_drift_of_twice_its_rate(rate):
    true, omega0 = motion()
    time = DT * torch.arange(STEPS, dtype=torch.float64)
    predicted = true * torch.exp(-rate * time)[:, None]
    ratio = log_energy_ratio(predicted[None], true, omega0)
    # Logarithms of ratios of two energies, each of a few roundings, over e^-1 at least.
    torch.testing.assert_close(
        ratio, (-2 * rate * time).expand(1, 3, -1), rtol=0, atol=100 * 2.2e-16
    )
    found = conservation(predicted[None], true, omega0)
    assert found["energy_drift"].tolist() == pytest.approx([2 * abs(rate) * float(time[-1])])
    assert found["energy_spread"].tolist() == pytest.approx(
        [2 * abs(rate) * float(time.std(correction=0))]
    )


def test_a_shift_in_time_conserves_energy_whatever_its_error():
    true, omega0 = motion(gamma=0.0)
    later = true.roll(7, dims=1)
    found = conservation(later[None], true, omega0)
    assert float((later - true).abs().max()) > 0.5
    # A constant energy known to some tens of roundings at each time.
    assert max(float(value) for value in found.values()) < 100 * 2.2e-16


@pytest.mark.parametrize(
    ("bad", "expected"), [(torch.nan, CAP), (torch.inf, CAP), (1e200, CAP), (0.0, -CAP)]
)
def test_what_is_no_energy_counts_with_the_cap(bad, expected):
    true, omega0 = motion()
    predicted = true[None].clone()
    predicted[0, :, -1] = bad
    ratio = log_energy_ratio(predicted, true, omega0)
    assert ratio[0, :, -1].tolist() == [expected] * 3
    assert float(ratio[0, :, :-1].abs().max()) == 0
    assert conservation(predicted, true, omega0)["energy_drift"].tolist() == [CAP]


def test_members_are_judged_alone_and_by_the_median_over_trajectories():
    true, omega0 = motion()
    predicted = torch.stack([true, true])
    predicted[1, 0] = torch.nan
    assert conservation(predicted, true, omega0)["energy_drift"].tolist() == [0.0, 0.0]
    predicted[1, 1] *= 2
    predicted[1, 2] *= 2
    drift = conservation(predicted, true, omega0)["energy_drift"]
    assert drift.tolist() == pytest.approx([0.0, torch.tensor(4.0).log().item()])
