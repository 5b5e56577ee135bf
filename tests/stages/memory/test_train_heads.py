from stages.memory_sweeps import assert_sweep

STAGE = "memory_train_heads"


def test_every_point_has_a_row_for_each_seed_and_eval_distribution(chain):
    assert_sweep(chain, STAGE, 9, eval_distributions={"uniform", "train"})


def test_the_seconds_of_a_run_stand_in_no_file(chain):
    for name in ("table.csv", "models.json", "history.csv"):
        assert "second" not in (chain.made(STAGE) / name).read_text()
