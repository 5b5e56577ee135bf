import torch

from labs.energy.measure.test_phases import PHASES as SIZES
from labs.energy.models.test_heads import at_work
from pipeline.labs.energy.measure.phases import PhaseConfig
from pipeline.labs.energy.report import trained

PHASES = PhaseConfig(**SIZES)

LAST = slice(-1, None)


def test_every_softmax_layer_has_its_kinds_and_the_layers_are_counted():
    _, _, layers = at_work({})
    found = trained.kinds({"m": layers}, slice(None), PHASES)
    assert set(found) == {"m_layer0", "m_layer1", "m_layers"}
    for kind in ("global", "metastable", "single"):
        above = [found[f"m_layer{k}"][f"{kind}_low"] > trained.KIND_PRESENT for k in range(2)]
        assert found["m_layers"][kind] == sum(above)


def test_ranks_have_a_condition_for_each_layer():
    _, _, layers = at_work({"attention": "linear"})
    found = trained.ranks({"m": layers}, seed=0)
    assert set(found) == {"m_layer0", "m_layer1"}
    assert found["m_layer0"]["rank_bound"] == 4 / 6


def test_models_of_one_layer_are_left_out_and_the_table_is_the_results():
    deep, x, _ = at_work({})
    flat, _, _ = at_work({"n_layers": 1})
    found = trained.hierarchy({"deep": deep, "flat": flat}, x[0], LAST, seed=0)
    assert list(found) == ["deep_nested"]
    table = trained.nested_table(found, {"deep": "two layers"})
    assert set(table["description"]) == {"two layers"}
    assert len(table) == 2 * (len(trained.NESTED) + 1)
    row = table[(table["order"] == "shuffled") & (table["quantity"] == "through")].iloc[0]
    assert row["median"] == found["deep_nested"]["through_shuffled"]


def test_a_model_counts_if_its_whole_interval_is_beyond_the_mark():
    def model(low, excess):
        names = ("every_own_small", "every_joint_small", "through")
        return {f"{n}_low": low for n in names} | {f"{n}_excess_low": excess for n in names}

    counts = trained.minimised({"a": model(0.96, 0.1), "b": model(0.94, 0.1), "c": model(1, 0.0)})
    assert counts["n_models"] == 3
    assert counts["every_own_small_nearly"] == 2
    assert counts["through_above_shuffled"] == 2
    assert torch.tensor(list(counts.values())).le(3).all()
