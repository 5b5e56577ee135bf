from pipeline.core.nn.transformer import Transformer
from pipeline.labs.oscillator.models.forecasters import FORECASTERS
from pipeline.runtime.formats import artifacts, saved_models

STAGE = "oscillator_train_ablation"
# What each variant is without, by the fields of the recipe.
CHANGED = {
    "not_aged": {"data"},
    "not_scale_normalised": {"scale_normalised", "bias"},
    "squared_loss": {"loss"},
    "no_muon": {"muon"},
    "no_previous_token": {"previous_token"},
    "softmax": {"attention"},
}


def test_every_variant_is_the_recipe_but_for_the_ingredient_it_is_named_after(chain):
    variants = dict(chain.params(STAGE).train.models)
    recipe = variants.pop("recipe").model_dump()
    found = {
        name: {key for key, value in variant.model_dump().items() if value != recipe[key]}
        for name, variant in variants.items()
    }
    assert found == CHANGED


def test_the_variants_are_trained_at_equal_iterations_over_the_same_seeds(chain):
    train = chain.params(STAGE).train
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", *FORECASTERS)
    assert models.keys() == {"recipe", *CHANGED}
    table = artifacts.read_csv(chain.made(STAGE) / "history.csv", ["model", "seed", "step"])
    last = table.groupby(["model", "seed"]).step.max()
    assert set(last) == {train.models["recipe"].training.steps}
    assert {name: model.members for name, model in models.items()} == dict.fromkeys(
        models, len(train.seeds)
    )


def test_the_sizes_differ_by_what_was_removed(chain):
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", *FORECASTERS)
    sizes = {name: model.parameters_per_member for name, model in models.items()}
    width = models["recipe"].config.d_model
    recipe = sizes["recipe"]
    # Two channels fewer in the embedding; biases of embedding and unembedding.
    assert sizes["no_previous_token"] == recipe - 2 * width
    assert sizes["not_scale_normalised"] == recipe + width + 2
    assert all(sizes[name] == recipe for name in ("not_aged", "squared_loss", "no_muon", "softmax"))


def test_without_scale_normalisation_the_model_is_the_transformer_alone(chain):
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", *FORECASTERS)
    plain = [name for name, model in models.items() if isinstance(model, Transformer)]
    assert plain == ["not_scale_normalised"]
