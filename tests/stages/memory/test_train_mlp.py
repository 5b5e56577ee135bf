import pandas as pd

from stages.memory_sweeps import assert_sweep

STAGE = "memory_train_mlp"


def test_every_point_has_a_row_for_each_seed_and_eval_distribution(chain):
    assert_sweep(chain, STAGE, 6, {"uniform", "train"}, engine="full_batch part_batch")


def test_both_memories_have_nearly_equal_parameters(chain):
    table = pd.read_csv(chain.made(STAGE) / "table.csv").drop_duplicates("model")
    counts = table.set_index("model").parameters
    attention, mlp = counts["d3_h2"], counts["d3_h2_mlp"]
    # The MLP's biases alone differ: 2 d (H - 1) hidden and d outputs.
    assert mlp - attention == 2 * 3 + 3
