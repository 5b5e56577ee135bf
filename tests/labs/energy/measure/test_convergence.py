import torch

from pipeline.labs.energy.measure import convergence


def test_states_at_rest_and_states_on_the_way_are_told_apart():
    targets = torch.ones(2, 3, 4)
    start = targets.clone()
    start[:, 1, 0] = -1  # arrives in one update
    start[:, 2] = -1  # alternates with its mirror image: never at rest

    def gaps(states):
        gap = torch.ones_like(states, dtype=torch.float64)
        gap[:, 2] = -states[:, 2]
        return gap

    found = convergence.converge(gaps, start, targets, tie=0.0)
    assert found.settled_in_one.tolist() == [2 / 3, 2 / 3]
    assert found.retrieved_in_one.tolist() == [1.0, 1.0]
    expected = (0 + 1 + convergence.MAX_UPDATES) / 3
    assert found.updates.tolist() == [expected] * 2


def test_a_gap_of_zero_leaves_a_spin_as_it_is():
    start = torch.tensor([[[1.0, -1.0]]])
    found = convergence.converge(torch.zeros_like, start, start, tie=0.0)
    assert found.settled_in_one.tolist() == [1.0]
    assert found.updates.tolist() == [0.0]
