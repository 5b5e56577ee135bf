import itertools

import pytest
import torch

from pipeline.core.training.sampling import generators, minibatches


def first(generator):
    return torch.rand(4, generator=generator, dtype=torch.float64).tolist()


def test_torch_s_generator_keeps_only_32_bits_of_a_seed():
    # The reason why (seed, purpose) is hashed and not packed into one number.
    low, high = (torch.Generator().manual_seed(seed) for seed in (1, 1 + (1 << 32)))
    assert first(low) == first(high)


def test_every_seed_and_purpose_is_a_stream_of_its_own():
    streams = [
        first(generator)
        for purpose in range(4)
        for generator in generators([*range(50), 2**31, 2**32 - 1], purpose)
    ]
    assert all(a != b for a, b in itertools.combinations(streams, 2))


def test_the_same_seed_and_purpose_is_the_same_stream():
    for purpose in range(3):
        (again,) = generators([7], purpose)
        assert first(generators([5, 7], purpose)[1]) == first(again)


def drawn(seeds, steps, block=256):
    batches = minibatches(100, 8, generators(seeds), block)
    return torch.stack(list(itertools.islice(batches, steps)))


@pytest.mark.parametrize("block", [1, 3, 256])
def test_a_member_s_minibatches_do_not_depend_on_the_others(block):
    together = drawn([4, 9, 2], 10, block)
    assert together.shape == (10, 3, 8)
    for k, seed in enumerate([4, 9, 2]):
        assert torch.equal(together[:, k], drawn([seed], 10, block)[:, 0])


def test_minibatches_are_reproducible_and_differ_from_step_to_step_and_member_to_member():
    batches = drawn([4, 9], 6)
    assert torch.equal(batches, drawn([4, 9], 6))
    rows = [tuple(row.tolist()) for row in batches.flatten(0, 1)]
    assert len(set(rows)) == len(rows)


def test_indices_are_uniform_below_the_count():
    indices = drawn([0], 5000).flatten()
    counts = torch.bincount(indices, minlength=100)
    assert counts.shape == (100,)
    # 40,000 draws into 100 cells: 400 each, with standard deviation 20; five of them.
    assert int((counts - 400).abs().max()) < 100
