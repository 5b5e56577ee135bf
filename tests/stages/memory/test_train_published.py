from stages.memory_sweeps import assert_sweep

STAGE = "memory_train_published"


def test_every_point_has_a_row_for_each_seed_and_eval_distribution(chain):
    assert_sweep(chain, STAGE, 2, {"uniform", "train"}, engine="minibatch")
