import pytest
import torch
from pydantic import ValidationError

from pipeline.labs.oscillator.data.task import propagator
from pipeline.labs.oscillator.data.time import TimeDataConfig, time_data

DT = 0.1
SETTINGS = {
    "omega0": 2.0, "gamma": 0.1, "initial": (-1.0, 1.0), "duration": 3.0, "train": 300, "test": 6,
    "seed": 2,
}  # fmt: skip


def data(**changes):
    return time_data(TimeDataConfig(**{**SETTINGS, **changes}), DT)


def test_a_triple_leads_where_the_exact_motion_leads():
    triples, test = data()
    inputs, t = triples.inputs, triples.inputs[:, 2]
    assert inputs.shape == (300, 3)
    assert bool((inputs[:, :2].abs() <= 1).all())
    assert bool(((t >= 0) & (t <= 3)).all())
    k = propagator(torch.full_like(t, 2.0), torch.full_like(t, 0.1), t)
    expected = (k @ inputs[:, :2, None])[:, :, 0]
    torch.testing.assert_close(triples.targets, expected, rtol=0, atol=1e-14)
    assert test.states.shape == (6, 31, 2)
    assert set(test.omega0.tolist()) == {2.0}


def test_test_trajectories_do_not_depend_on_the_number_of_triples():
    assert torch.equal(data()[1].states, data(train=50)[1].states)
    assert not torch.equal(data()[1].states, data(seed=3)[1].states)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"gamma": 2.0}, r"gamma must be < omega0 = 2 \(under-damped\), got 2"),
        ({"gamma": -0.1}, "greater than or equal to 0"),
        ({"omega0": 0.0}, "greater than or equal to 0.001"),
        ({"initial": (1.0, 1.0)}, "low < high"),
        ({"duration": 0.0}, "greater than or equal to 0.000001"),
        ({"train": 0}, "greater than or equal to 1"),
        ({"test": 0}, "greater than or equal to 1"),
        ({"seed": -1}, "greater than or equal to 0"),
    ],
)
def test_data_that_cannot_be_made_is_refused(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        TimeDataConfig(**{**SETTINGS, **changes})
