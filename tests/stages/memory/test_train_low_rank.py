import pandas as pd
import pytest

from pipeline.labs.memory.train.low_rank import LowRank
from pipeline.runtime import saved_models
from pipeline.stages.memory.low_rank import DENSE, LowRankStageConfig

STAGE = "memory_low_rank"


def test_every_law_has_its_loss(chain):
    table = pd.read_csv(chain.made(STAGE) / "table.csv")
    assert bool((table.loss >= 0).all())
    assert set(table.distributions) == set(chain.params(STAGE).low_rank.d)
    assert (table.distributions == "scaling").sum() == 30


def test_the_small_laws_models_are_kept(chain):
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", LowRank)
    table = pd.read_csv(chain.made(STAGE) / "table.csv")
    assert set(models) == set(DENSE)
    for name, model in models.items():
        assert model.members == (table.distributions == name).sum()


def test_an_entry_that_is_no_law_is_refused(chain):
    config = chain.params(STAGE).low_rank
    with pytest.raises(ValueError, match="d must name"):
        LowRankStageConfig(d={"scalling": 10}, fit=config.fit)
