import pytest
import torch

from pipeline.labs.memory.data import families


def stream(seed):
    return torch.Generator().manual_seed(seed)


def test_a_last_support_of_one_token_is_a_look_up_table():
    distribution = families.power_unif(
        (1.0, 1.0, 1.0), families.draw_supports(5, (5, 5, 1), stream(0)), 5
    )
    assert float(distribution.entropy()) == 0
    assert bool(((distribution.third == 0) | (distribution.third == 1)).all())
    torch.testing.assert_close(distribution.contexts, torch.full((25,), 0.04, dtype=torch.float64))


def test_power_weights_fall_by_alpha_along_the_support():
    supports = families.draw_supports(4, (4, 4, 4), stream(1))
    distribution = families.power_unif((0.5, 1.0, 0.25), supports, 4)
    ordered = distribution.first[supports[0]]
    torch.testing.assert_close(ordered[1:] / ordered[:-1], torch.full((3,), 0.5).double())
    last = distribution.third[2, 3][supports[2][2, 3]]
    torch.testing.assert_close(last[1:] / last[:-1], torch.full((3,), 0.25).double())


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("rank", [1, 3, 5])
def test_rank_d_distributions_have_log_probabilities_of_that_rank(rank, aligned):
    distribution, W = families.rank_d(5, rank, aligned, 0.5, stream(2))
    assert W.shape == (5, rank)
    logs = distribution.conditional.log()
    # Less the mean over tokens, the softmax's constant is gone: rank d, one less if W spans it.
    values = torch.linalg.svdvals(logs - logs.mean(1, keepdim=True))
    assert bool((values[min(rank, 4) :] < 1e-12).all())
    assert float(values[min(rank, 4) - 1]) > 1e-3


def test_almost_rank_d_distributions_have_the_given_singular_values():
    distribution = families.almost_rank_d(5, 2, False, 1.0, 0.0, stream(3))
    logs = distribution.conditional.log()
    values = torch.linalg.svdvals(logs - logs.mean(1, keepdim=True))
    assert bool((values[2:] < 1e-12).all())


def test_last_position_puts_p_on_one_token():
    distribution = families.last_position(5, 2.0, 0.8, stream(4))
    ordered = distribution.conditional.sort(1).values
    torch.testing.assert_close(ordered[:, -1], torch.full((25,), 0.8).double())
    torch.testing.assert_close(ordered[:, :-1], torch.full((25, 4), 0.05).double())


POWER = {"N": 5, "alpha_1": (1.0,), "alpha_2": (1.0,), "seeds": (0,)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: families.PowerConfig(support_sizes=(5, 6, 1), **POWER),
            "support_sizes must be from 1 to N = 5",
        ),
        (
            lambda: families.PowerConfig(support_sizes=(0, 5, 1), **POWER),
            r"support_sizes\.0\s+Input should be greater than or equal to 1",
        ),
        (
            lambda: families.RankConfig(
                N=5, ranks=(2, 6), axis_aligned=(True,), logit_scales=(0.1,), seeds=(0,)
            ),
            "ranks must not exceed N = 5",
        ),
        (
            lambda: families.AlmostRankConfig(
                N=5, rank=6, axis_aligned=True, high=1.0, low=0.1, logit_scales=(1.0,), seeds=(0,)
            ),
            "rank must not exceed N = 5, got 6",
        ),
    ],
)
def test_sizes_beyond_the_tokens_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
