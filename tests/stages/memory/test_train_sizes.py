import pandas as pd

from pipeline.labs.memory.train.sizes import EARLY, ENTRIES, EXPERIMENT
from stages.memory_sweeps import assert_sweep

STAGE = "memory_train_sizes"


def test_every_model_is_trained_by_both_budgets(chain):
    models = len(ENTRIES) - 1 + len(chain.params(STAGE).sizes.shapes())
    assert_sweep(chain, STAGE, 2 * models, {"population", "train"})


def test_the_two_budgets_are_of_the_same_models(chain):
    table = pd.read_csv(chain.made(STAGE) / "table.csv")
    late, early = (table[table.experiment == name] for name in (EXPERIMENT, EARLY))
    assert late.model.tolist() == early.model.tolist()
    assert late.divergence.tolist() != early.divergence.tolist()
