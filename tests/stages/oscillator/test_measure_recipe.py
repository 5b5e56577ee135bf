from pipeline.labs.oscillator.report.rollouts import NO_SEED, Rollouts
from pipeline.runtime.formats import artifacts, records

STAGE = "oscillator_measure_recipe"
QUANTITIES = ("one_step", "r50", "r200", "valid_prediction_time", "energy_drift", "energy_spread")
ORACLES = ("dmd", "likelihood")


def without_parameters(conditions):
    return {
        name: {key: value for key, value in found.items() if key != "parameters"}
        for name, found in conditions.items()
    }


def test_every_model_variant_and_oracle_is_measured(chain, assert_summaries):
    found = chain.metrics(STAGE)
    recipe, ablation = (
        chain.params(f"oscillator_train_{name}").train for name in ("recipe", "ablation")
    )
    assert found.keys() == {"O7", "O7_ablation"}
    assert found["O7"].keys() == {*recipe.models, "small_polished", *ORACLES}
    assert found["O7_ablation"].keys() == set(ablation.models)
    counts = {None: len(recipe.seeds)} | dict.fromkeys(ORACLES, 1)
    for conditions in found.values():
        assert_summaries(without_parameters(conditions), QUANTITIES, counts)


def test_every_model_says_its_parameters_and_an_oracle_has_none(chain):
    found = chain.metrics(STAGE)
    for conditions in found.values():
        for name, values in conditions.items():
            assert ("parameters" in values) == (name not in ORACLES)
    # Embedding 4 x 4, two layers of four 4 x 4 matrices, unembedding 4 x 2.
    assert found["O7"]["small"]["parameters"] == 16 + 2 * 64 + 8
    assert found["O7"]["small_polished"]["parameters"] == 16 + 2 * 64 + 8


def test_the_oracles_are_exact_on_noise_free_windows(chain):
    found = chain.metrics(STAGE)["O7"]
    assert found["dmd"]["r200"] < 1e-12
    # omega0 is searched to 3 / 10 / 5^7 / 10 rad/s: a phase wrong by this after 24 s.
    assert found["likelihood"]["r200"] < 24 * 3 / (10 * 5**7 * 10)
    for name in ORACLES:
        assert found[name]["valid_prediction_time"] == 200


def test_the_rollouts_for_the_figures_are_of_the_models_beside_in_context_dmd(chain):
    rollouts = records.read_arrays(chain.made(STAGE) / "rollouts.npz", Rollouts)
    assert rollouts.predicted.shape[1] == 200
    assert rollouts.seed[rollouts.model.index("dmd")] == NO_SEED
    assert set(rollouts.model) == chain.metrics(STAGE)["O7"].keys() - {"likelihood"}


def test_the_table_has_no_row_for_a_number_without_an_interval(chain):
    table = artifacts.read_csv(chain.made(STAGE) / "table.csv", ["experiment", "quantity"])
    assert set(table.quantity) == set(QUANTITIES)
    metrics = chain.metrics(STAGE)
    assert len(table) == len(QUANTITIES) * sum(len(found) for found in metrics.values())
