from pipeline.stages.energy import _results

STAGE = "energy_descent"


def test_every_model_and_the_untrained_one_are_measured_layer_by_layer(chain):
    metrics = chain.metrics(STAGE)["E7"]
    losses = chain.params("energy_recall_train").train.losses
    layers = chain.params("energy_recall_train").model.n_layers
    for name in ("untrained", *losses):
        assert 0 <= metrics[name]["accuracy"] <= 1
        for k in range(layers):
            found = metrics[f"{name}_layer{k}"]
            assert found["downhill_minus_gradient"] == 1
            assert 0 <= found["lowered_real_low"] <= found["lowered_real_high"] <= 1


def test_the_table_is_the_metrics(chain):
    metrics = chain.metrics(STAGE)["E7"]
    table = _results.Results(chain.inputs).table("descent/descent")
    for row in table.itertuples():
        assert row.median == metrics[row.layer][row.quantity]
