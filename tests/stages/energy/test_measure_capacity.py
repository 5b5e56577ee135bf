from pipeline.labs.energy.report.capacity import CapacityRow
from pipeline.runtime.formats import records

STAGE = "energy_measure_capacity"


def test_each_curve_has_its_dimensions_and_a_slope_within_its_interval(chain):
    results, params = chain.metrics(STAGE), chain.params(STAGE)
    table = records.read_table(chain.made(STAGE) / "capacity.csv", CapacityRow)
    dimensions = {name: c.dimensions for name, c in params.dense.interactions.items()}
    dimensions |= {name: c.dimensions for name, c in params.exponential.criteria.items()}
    assert set(table["curve"]) == dimensions.keys()
    for name, expected in dimensions.items():
        curve = table[table["curve"] == name]
        assert tuple(curve["d"]) == expected
        assert ((curve["low"] <= curve["log2_n"]) & (curve["log2_n"] <= curve["high"])).all()
        measured = results[curve["experiment"].iloc[0]][name]
        assert measured["exponent_low"] <= measured["exponent"] <= measured["exponent_high"]
        assert measured["n"] == len(params.dense.seeds)


def test_polynomial_interactions_store_more_the_higher_their_power(chain):
    results = chain.metrics(STAGE)["E2"]
    assert results["a3"]["exponent"] > results["a2"]["exponent"]
    assert results["a3"]["limit"] == 2
