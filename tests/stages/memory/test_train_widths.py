import pandas as pd

from stages.memory_sweeps import assert_sweep

STAGE = "memory_train_widths"


def test_every_point_has_a_row_for_each_seed_and_eval_distribution(chain):
    assert_sweep(chain, STAGE, 9, eval_distributions={"uniform", "train"})


def test_a_dimension_of_its_own_is_in_the_name(chain):
    table = pd.read_csv(chain.made(STAGE) / "table.csv")
    assert {"d4_dh1_h2", "d4_h2"} <= set(table[table.experiment == "P2"].model)
