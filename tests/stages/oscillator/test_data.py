import pytest
import torch

from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.data.task import propagator
from pipeline.labs.oscillator.data.time import TimeTriples
from pipeline.runtime.formats import records

STAGE = "oscillator_data"


WINDOWS = ("sequence", "variable", "aged", "damped")


@pytest.fixture(scope="module")
def splits(chain):
    """Return every split of trajectories; the triples of time are not trajectories."""
    paths = [path for path in chain.made(STAGE).iterdir() if path.stem != "time_train"]
    return {path.stem: records.read_arrays(path, Split) for path in paths}


def test_the_sizes_are_those_of_params_yaml(chain, splits):
    params = chain.params(STAGE)
    fixed, time = params.fixed, params.time
    gammas = len(fixed.gammas)
    expected = {
        "fixed_train": (gammas * fixed.train, 2, 2),
        "fixed_test": (gammas * fixed.test, 1 + fixed.test_steps, 2),
        "time_test": (time.test, 1 + round(time.duration / params.task.dt), 2),
    }
    for name in WINDOWS:
        config = getattr(params, name)
        expected |= {
            f"{name}_train": (config.train, config.window + 1, 2),
            f"{name}_valid": (config.valid, config.window + 1, 2),
            f"{name}_test": (config.test, config.window + config.test_steps, 2),
            f"{name}_example": (1, config.window + config.test_steps, 2),
        }
    assert {name: tuple(split.states.shape) for name, split in splits.items()} == expected


def test_every_file_s_trajectories_obey_its_parameters(chain, splits):
    dt = chain.params(STAGE).task.dt
    for split in splits.values():
        k = propagator(split.omega0, split.gamma, dt)
        following = split.states[:, :-1] @ k.mT
        # States below 10, entries below 4; 2.2e-16 times some tens of roundings.
        torch.testing.assert_close(split.states[:, 1:], following, rtol=0, atol=1e-12)


def test_frequencies_and_dampings_lie_in_each_data_set_s_own_range(chain, splits):
    params = chain.params(STAGE)
    for name in WINDOWS:
        config = getattr(params, name)
        for part in ("train", "valid", "test"):
            for key in ("omega0", "gamma"):
                values, (low, high) = getattr(splits[f"{name}_{part}"], key), getattr(config, key)
                assert bool(((values >= low) & (values <= high)).all()), (name, part, key)
                if low < high:
                    assert len(values.unique()) == len(values), "each trajectory has its own"


def test_aged_windows_begin_where_the_study_s_cannot(splits):
    # The study's windows begin in the positive quadrant; aged ones turn through all of them.
    assert bool((splits["variable_train"].states[:, 0] >= 0).all())
    signs = splits["aged_train"].states[:, 0].sign()
    assert len(signs.unique(dim=0)) == 4


def test_the_triples_of_time_lead_where_the_exact_motion_leads(chain):
    time = chain.params(STAGE).time
    data = records.read_arrays(chain.made(STAGE) / "time_train.npz", TimeTriples)
    inputs, t = data.inputs, data.inputs[:, 2]
    assert len(inputs) == time.train
    assert bool(((t >= 0) & (t <= time.duration)).all())
    omega0, gamma = (torch.full_like(t, value) for value in (time.omega0, time.gamma))
    expected = (propagator(omega0, gamma, t) @ inputs[:, :2, None])[:, :, 0]
    # Two products of numbers below 4.
    torch.testing.assert_close(data.targets, expected, rtol=0, atol=1e-14)
