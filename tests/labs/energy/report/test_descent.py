import dataclasses

import pytest
import torch

from labs.energy.models.test_heads import at_work
from pipeline.labs.energy.measure import descent
from pipeline.labs.energy.report import descent as report

EVERY = slice(None)


def test_a_layer_that_does_descend_is_told_from_its_controls():
    _, _, layers = at_work({"d_head": 8})
    layer = layers[0]
    downhill = dataclasses.replace(layer, update=-0.01 * layer.gradient()[:, :, 0])
    changes = descent.measure([downhill], torch.Generator().manual_seed(0))[0]
    quantities = report.quantities(changes, EVERY)
    assert (quantities["lowered_real"] == 1).all()
    assert (quantities["cosine"] > 1 - 1e-12).all()
    assert (quantities["lowered_random"] < 0.8).all()
    assert (quantities["gain_real"] > 0.999).all()
    assert (quantities["gain_minus_gradient"] == 1).all()


def measured():
    _, _, layers = at_work({})
    models = [
        report.ModelAtWork("first", "one layer", layers[:1], EVERY),
        report.ModelAtWork("second", "two layers", layers, EVERY),
    ]
    return report.measure_models(models, seed=0)


def test_every_layer_is_measured_with_its_models_own_random_directions():
    layers = measured()
    assert [layer.condition for layer in layers] == [
        "first_layer0", "second_layer0", "second_layer1",
    ]  # fmt: skip
    # Beside other models or alone, a layer meets the same random directions.
    assert layers[0].summary == layers[1].summary


def test_layers_whose_whole_interval_lies_on_one_side_are_counted():
    def layer(low, high):
        ends = {"_low": low, "_high": high}
        summary = {
            f"{kind}_excess{end}": value
            for kind in ("downhill", "matching", "lowered")
            for end, value in ends.items()
        }
        full = {"lowered_minus_gradient_low": 0.95 if low > 0 else 0.5}
        return report.LayerSummary("model", "words", 0, summary | full)

    layers = [layer(0.1, 0.2), layer(-0.1, 0.2), layer(0.0, 0.1), layer(-0.3, -0.2)]
    assert report.results(layers)["all_layers"] == {
        "n_layers": 4, "full_step_can_descend": 1,
        **{f"{kind}_excess_above_0": 1 for kind in ("downhill", "matching", "lowered")},
        **{f"{kind}_excess_below_0": 1 for kind in ("downhill", "matching", "lowered")},
    }  # fmt: skip


def test_the_table_is_the_summaries():
    layers = measured()
    table = report.table(layers)
    # Small steps, full ones and the line search's gain, for each direction.
    assert len(table) == 3 * 3 * len(descent.DIRECTIONS)
    for row in table.itertuples():
        layer = next(x for x in layers if (x.model, x.layer) == (row.model, row.layer))
        assert row.description == layer.description
        assert row.median == layer.summary[row.quantity]
        assert (row.low, row.high) == tuple(
            pytest.approx(layer.summary[f"{row.quantity}{end}"], abs=0) for end in ("_low", "_high")
        )
        assert row.n == 2
