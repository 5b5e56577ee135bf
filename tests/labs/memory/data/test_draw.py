import pytest
import torch

from pipeline.config import Section
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data import draw, families

SEEDS = (3, 8)
POWER = families.PowerConfig(
    N=7, support_sizes=(5, 4, 3), alpha_1=(1.0, 0.5), alpha_2=(0.9, 0.3, 0.1), seeds=SEEDS
)
LAST = families.LastPositionConfig(N=6, k=1.0, p=0.7, seeds=SEEDS)
ALMOST = families.AlmostRankConfig(
    N=6, rank=2, axis_aligned=False, high=1.0, low=0.1, logit_scales=(1.0, 20.0), seeds=SEEDS
)
RANK = families.RankConfig(
    N=6, ranks=(2, 5), axis_aligned=(True, False), logit_scales=(0.3, 2.0), seeds=SEEDS
)


def streams():
    return generators(SEEDS, draw.DISTRIBUTION)


def assert_same(drawn, expected):
    for one, other in zip(drawn, expected, strict=True):
        for name in ("first", "second", "third"):
            assert torch.equal(getattr(one, name), getattr(other, name)), name


def test_power_distributions_come_back_with_every_alpha_and_seed():
    power = draw.draw(POWER)
    assert (power.N, power.seeds.tolist()) == (7, list(SEEDS))
    assert [tuple(row) for row in power.alphas.tolist()] == [
        (1.0, 1.0, 0.9), (1.0, 1.0, 0.3), (1.0, 1.0, 0.1),
        (0.5, 0.5, 0.9), (0.5, 0.5, 0.3), (0.5, 0.5, 0.1),
    ]  # fmt: skip
    supports = [families.draw_supports(7, (5, 4, 3), g) for g in streams()]
    for k, alphas in enumerate(power.alphas.tolist()):
        assert_same(power.distributions(k), [families.power_unif(alphas, s, 7) for s in supports])


def test_all_of_them_come_with_their_seeds_the_seeds_fastest():
    power = draw.draw(POWER)
    everything, seeds = power.all()
    assert seeds == list(SEEDS) * 6
    assert_same(everything[2:4], power.distributions(1))
    assert draw.draw(LAST).all()[1] == list(SEEDS)


def test_supports_are_stored_without_loss_at_the_most_tokens():
    most = families.PowerConfig.model_fields["N"].metadata
    largest = max(bound.le for bound in most if hasattr(bound, "le"))
    assert torch.iinfo(torch.int16).max >= largest


def test_distributions_of_the_last_position_come_back():
    drawn = draw.draw(LAST).distributions()
    assert_same(drawn, [families.last_position(6, 1.0, 0.7, g) for g in streams()])


def test_distributions_of_almost_a_rank_come_back():
    scaled = draw.draw(ALMOST)
    assert scaled.logit_scale.tolist() == [1.0, 1.0, 20.0, 20.0]
    assert scaled.seeds.tolist() == list(SEEDS) * 2
    small = [families.almost_rank_d(6, 2, False, 1.0, 0.1, g) for g in streams()]
    large = [families.almost_rank_d(6, 2, False, 20.0, 2.0, g) for g in streams()]
    assert_same(scaled.distributions(), small + large)


def test_a_seed_s_logits_are_the_same_at_every_scale():
    small, _, large, _ = draw.draw(ALMOST).distributions()
    logs = [one.conditional.log() for one in (small, large)]
    centred = [each - each.mean(1, keepdim=True) for each in logs]
    # Logarithms of probabilities down to e^-20 keep twelve digits in float64.
    assert torch.allclose(20 * centred[0], centred[1], rtol=0, atol=1e-10)


def test_ranked_distributions_come_back_with_their_directions():
    ranked = draw.draw(RANK)
    cases = [(c, r, a, s) for c in (0.3, 2.0) for r in (2, 5) for a in (True, False) for s in SEEDS]
    columns = (ranked.logit_scale, ranked.rank, ranked.axis_aligned, ranked.seeds)
    stored_cases = zip(*(column.tolist() for column in columns), strict=True)
    assert list(stored_cases) == cases
    made = [
        families.rank_d(6, r, a, c, generators([s], draw.DISTRIBUTION)[0]) for c, r, a, s in cases
    ]
    assert_same(ranked.distributions(), [distribution for distribution, _ in made])
    for stored, (_, W) in zip(ranked.W, made, strict=True):
        assert torch.equal(stored[:, : W.shape[1]], W)
        assert not bool(stored[:, W.shape[1] :].any())


@pytest.mark.parametrize("config", [POWER, LAST, ALMOST, RANK])
def test_a_seed_alone_draws_the_same_distribution(config):
    alone = config.model_copy(update={"seeds": SEEDS[1:]})
    both, one = draw.draw(config), draw.draw(alone)
    of_seed = both.seeds == SEEDS[1]
    assert torch.equal(both.third[of_seed], one.third)
    assert not torch.equal(both.third[~of_seed], one.third)


def test_a_section_that_describes_no_distribution_is_refused():
    class Other(Section):
        N: int

    with pytest.raises(TypeError, match="Other describes no distribution"):
        draw.draw(Other(N=3))
