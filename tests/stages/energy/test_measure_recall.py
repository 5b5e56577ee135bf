STAGE = "energy_measure_recall"


def test_readouts_are_fitted_where_the_task_was_not_trained(chain):
    results = chain.metrics(STAGE)["E7"]
    losses = chain.params("energy_train_recall").train.losses
    read = {"untrained", "task", *(name for name, loss in losses.items() if not loss.task)}
    assert {name for name, x in results.items() if "readout_accuracy" in x} == read
    for name in read:
        assert 0 <= results[name]["readout_accuracy"] <= 1


def test_every_trained_model_has_its_learning_and_the_task_its_curve_and_basins(chain):
    results, train = chain.metrics(STAGE)["E7"], chain.params("energy_train_recall").train
    for name in (*train.losses, *(f"heads_{n}" for n in train.other_heads)):
        assert results[f"{name}_learning"]["n"] == len(train.seeds)
    assert results["curve"]["match_after"] <= 1
    assert 0 <= results["basins"]["removed_accuracy"] <= 1


def test_each_temperature_has_its_kinds(chain):
    results, config = chain.metrics(STAGE)["E9"], chain.params(STAGE).measure
    assert len(results) == 2 * config.octaves + 1
    assert "beta_times_1" in results
