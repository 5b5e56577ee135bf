from pipeline.labs.memory import datasets
from pipeline.runtime import artifacts

STAGE = "memory_data"


def test_every_entry_is_a_file_of_its_laws(chain):
    folder, config = chain.made(STAGE), chain.params(STAGE).distributions
    for name in datasets.DistributionsConfig.model_fields:
        entry = getattr(config, name)
        schema = datasets.POWER if hasattr(entry, "alpha_1") else datasets.DENSE
        arrays = artifacts.read_tensors(folder / f"{name}.npz", **schema)
        assert set(arrays["seeds"].tolist()) == set(entry.seeds)


def test_power_laws_come_back_with_their_sizes(chain):
    config = chain.params(STAGE).distributions.scaling
    arrays = artifacts.read_tensors(chain.made(STAGE) / "scaling.npz", **datasets.POWER)
    power = datasets.power_laws(arrays)
    assert len(power.alphas) == len(config.alpha_1) * len(config.alpha_2)
    distribution = power.distributions(len(power.alphas) - 1)[0]
    assert distribution.N == config.N
    # alpha_2 = 0.99 leaves c nearly uniform, alpha_2 = 0.05 nearly certain.
    assert float(distribution.entropy()) > 10 * float(power.distributions(0)[0].entropy())


def test_ranked_laws_say_their_rank_and_alignment(chain):
    config = chain.params(STAGE).distributions.rank
    arrays = artifacts.read_tensors(chain.made(STAGE) / "rank.npz", **datasets.RANKED)
    cases = len(config.ranks) * len(config.axis_aligned) * len(config.seeds)
    assert len(datasets.dense_laws(arrays)) == cases
    columns = (arrays["W"].abs().sum(1) > 0).sum(1)
    assert columns.tolist() == arrays["rank"].tolist()
