import pytest

from pipeline.labs.memory.models.low_rank import LowRank
from pipeline.labs.memory.train.low_rank import TABULATED, LowRankRow, LowRankTrainConfig
from pipeline.runtime.formats import saved_models
from pipeline.runtime.formats.records import read_table

STAGE = "memory_train_low_rank"


def test_every_distribution_has_its_divergence(chain):
    table = read_table(chain.made(STAGE) / "table.csv", LowRankRow)
    assert bool((table.divergence >= 0).all())
    assert set(table.distributions) == set(chain.params(STAGE).fits.d)
    assert (table.distributions == "scaling").sum() == 30


def test_the_small_distributions_models_are_kept(chain):
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", LowRank)
    table = read_table(chain.made(STAGE) / "table.csv", LowRankRow)
    assert set(models) == set(TABULATED)
    for name, model in models.items():
        assert model.members == (table.distributions == name).sum()


def test_an_entry_that_is_no_distribution_is_refused(chain):
    config = chain.params(STAGE).fits
    with pytest.raises(ValueError, match="d must name"):
        LowRankTrainConfig(d={"scalling": 10}, fit=config.fit)
