from pipeline.stages.energy import _results

STAGE = "energy_capacity"


def test_each_curve_has_its_dimensions_and_a_slope_within_its_interval(chain):
    metrics, params = chain.metrics(STAGE), chain.params(STAGE)
    table = _results.Results(chain.inputs).table("capacity/capacity")
    dimensions = {name: c.dimensions for name, c in params.dense.interactions.items()}
    dimensions |= {name: c.dimensions for name, c in params.exponential.criteria.items()}
    assert set(table["curve"]) == dimensions.keys()
    for name, expected in dimensions.items():
        own = table[table["curve"] == name]
        assert tuple(own["d"]) == expected
        assert ((own["low"] <= own["log2_n"]) & (own["log2_n"] <= own["high"])).all()
        found = metrics[own["experiment"].iloc[0]][name]
        assert found["exponent_low"] <= found["exponent"] <= found["exponent_high"]
        assert found["n"] == len(params.dense.seeds)


def test_polynomial_interactions_store_more_the_higher_their_power(chain):
    metrics = chain.metrics(STAGE)["E2"]
    assert metrics["a3"]["exponent"] > metrics["a2"]["exponent"]
    assert metrics["a3"]["limit"] == 2
