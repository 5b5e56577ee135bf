from pipeline.labs.memory.data.draw import (
    DistributionsConfig,
    PowerDistributions,
    RankedDistributions,
    TabulatedDistributions,
)
from pipeline.runtime.formats.records import read_arrays

STAGE = "memory_data"


def test_every_entry_is_a_file_of_its_distributions(chain):
    folder, config = chain.made(STAGE), chain.params(STAGE).distributions
    for name in DistributionsConfig.model_fields:
        entry = getattr(config, name)
        kind = PowerDistributions if hasattr(entry, "alpha_1") else TabulatedDistributions
        drawn = read_arrays(folder / f"{name}.npz", kind)
        assert set(drawn.seeds.tolist()) == set(entry.seeds)


def test_power_distributions_come_back_with_their_sizes(chain):
    config = chain.params(STAGE).distributions.scaling
    power = read_arrays(chain.made(STAGE) / "scaling.npz", PowerDistributions)
    assert len(power.alphas) == len(config.alpha_1) * len(config.alpha_2)
    distribution = power.distributions(len(power.alphas) - 1)[0]
    assert distribution.N == config.N
    # alpha_2 = 0.99 leaves c nearly uniform, alpha_2 = 0.05 nearly certain.
    assert float(distribution.entropy()) > 10 * float(power.distributions(0)[0].entropy())


def test_ranked_distributions_say_their_rank_and_alignment(chain):
    config = chain.params(STAGE).distributions.rank
    ranked = read_arrays(chain.made(STAGE) / "rank.npz", RankedDistributions)
    cases = len(config.ranks) * len(config.axis_aligned) * len(config.seeds)
    assert len(config.logit_scales) == 1
    assert len(ranked.distributions()) == cases
    columns = (ranked.W.abs().sum(1) > 0).sum(1)
    assert columns.tolist() == ranked.rank.tolist()
