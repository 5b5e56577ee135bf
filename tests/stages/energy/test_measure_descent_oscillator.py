STAGE = "energy_measure_descent_oscillator"


def test_every_layer_of_every_oscillator_model_is_measured(chain):
    results = chain.metrics(STAGE)["E7"]
    train = chain.params("oscillator_train_variable").train
    expected = {
        f"oscillator_{name}_layer{k}"
        for name, shape in train.models.items()
        for k in range(shape.n_layers)
    }
    deep = {f"oscillator_{name}_nested" for name, s in train.models.items() if s.n_layers > 1}
    assert results.keys() == expected | deep | {"all_layers", "nested_models"}
    assert results["nested_models"]["n_models"] == len(deep)
    assert chain.metrics(STAGE)["E9"].keys() == expected
    assert {results[layer]["n"] for layer in expected} == {len(train.seeds)}
