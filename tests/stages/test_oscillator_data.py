import pytest
import torch

from pipeline import artifacts
from pipeline.labs.oscillator.datasets import SCHEMA
from pipeline.labs.oscillator.task import propagator

STAGE = "oscillator_data"


@pytest.fixture(scope="module")
def splits(chain):
    folder = chain.made(STAGE)
    return {path.stem: artifacts.read_tensors(path, **SCHEMA) for path in folder.iterdir()}


def test_the_sizes_are_those_of_params_yaml(chain, splits):
    params = chain.params(STAGE)
    fixed, variable = params.fixed, params.variable
    sizes = {name: tuple(split["states"].shape) for name, split in splits.items()}
    gammas, window = len(fixed.gammas), variable.window
    assert sizes == {
        "fixed_train": (gammas * fixed.train, 2, 2),
        "fixed_test": (gammas * fixed.test, 1 + fixed.test_steps, 2),
        "variable_train": (variable.train, window + 1, 2),
        "variable_valid": (variable.valid, window + 1, 2),
        "variable_test": (variable.test, window + variable.test_steps, 2),
        "variable_example": (1, window + variable.test_steps, 2),
    }


def test_every_file_s_trajectories_obey_its_parameters(chain, splits):
    dt = chain.params(STAGE).task.dt
    for split in splits.values():
        k = propagator(split["omega0"], split["gamma"], dt)
        following = split["states"][:, :-1] @ k.mT
        # States below 10, entries below 4; 2.2e-16 times some tens of roundings.
        torch.testing.assert_close(split["states"][:, 1:], following, rtol=0, atol=1e-12)
