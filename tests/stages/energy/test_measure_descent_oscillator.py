STAGE = "energy_descent_oscillator"


def test_every_layer_of_every_oscillator_model_is_measured(chain):
    metrics = chain.metrics(STAGE)["E7"]
    train = chain.params("oscillator_train_variable").train
    expected = {
        f"oscillator_{name}_layer{k}"
        for name, shape in train.models.items()
        for k in range(shape.n_layers)
    }
    assert metrics.keys() == expected
    assert {found["n"] for found in metrics.values()} == {len(train.seeds)}
