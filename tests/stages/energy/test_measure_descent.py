from pipeline.labs.energy.report.descent import FractionRow
from pipeline.runtime.formats import records

STAGE = "energy_measure_descent"


def test_every_model_and_the_untrained_one_are_measured_layer_by_layer(chain):
    results = chain.metrics(STAGE)["E7"]
    losses = chain.params("energy_train_recall").train.losses
    layers = chain.params("energy_train_recall").model.n_layers
    for name in ("untrained", *losses):
        assert 0 <= results[name]["accuracy"] <= 1
        for k in range(layers):
            layer = results[f"{name}_layer{k}"]
            assert layer["downhill_minus_gradient"] == 1
            assert 0 <= layer["lowered_real_low"] <= layer["lowered_real_high"] <= 1


def test_fixed_points_and_ranks_are_those_of_the_untrained_and_the_trained_model(chain):
    results = chain.metrics(STAGE)
    layers = {f"{m}_layer{k}" for m in ("untrained", "task") for k in range(2)}
    assert results["E9"].keys() == layers
    assert results["E5"].keys() == layers | {"untrained_layers", "task_layers"}
    assert {"untrained_nested", "task_nested"} <= results["E7"].keys()


def test_the_table_is_the_metrics(chain):
    results = chain.metrics(STAGE)["E7"]
    table = records.read_table(chain.made(STAGE) / "descent.csv", FractionRow)
    for row in table.itertuples():
        assert row.median == results[f"{row.model}_layer{row.layer}"][row.quantity]
