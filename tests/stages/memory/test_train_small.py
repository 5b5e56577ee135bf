import pandas as pd

from stages.memory_sweeps import assert_sweep

STAGE = "memory_train_small"


def test_every_point_has_a_row_for_each_seed_and_eval_distribution(chain):
    assert_sweep(chain, STAGE, 4, eval_distributions={"uniform", "train"})


def test_every_seed_of_the_distributions_is_a_repetition(chain):
    table = pd.read_csv(chain.made(STAGE) / "table.csv")
    assert set(table.seed) == set(chain.params("memory_data").distributions.lookup_10.seeds)
