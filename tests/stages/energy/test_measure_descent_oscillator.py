STAGE = "energy_measure_descent_oscillator"


def test_every_layer_of_every_oscillator_model_is_measured(chain):
    results = chain.metrics(STAGE)["E7"]
    train = chain.params("oscillator_train_variable").train
    expected = {
        f"oscillator_{name}_layer{k}"
        for name, shape in train.models.items()
        for k in range(shape.n_layers)
    }
    assert results.keys() == expected | {"all_layers"}
    assert {results[layer]["n"] for layer in expected} == {len(train.seeds)}
