from pipeline.runtime import artifacts
from pipeline.stages.conjunction._tables import POINTS

STAGE = "conjunction_ablate"


def test_every_variant_is_tried_at_the_same_t(chain):
    variants = chain.params(STAGE).ablation.variants
    points = artifacts.read_csv(chain.made(STAGE) / "points.csv", POINTS)
    assert list(points.learner.unique()) == list(variants)
    for name, own in points.groupby("learner"):
        assert set(own.positions) == set(variants[name].contexts)
        assert set(own.seed) == set(variants[name].seeds)


def test_each_variant_changes_the_tutorials_model_and_nothing_else(chain):
    variants = chain.params(STAGE).ablation.variants
    tutorial = variants["tutorial"]
    for name, variant in variants.items():
        same = variant.fit.model_copy(update={"model": tutorial.fit.model})
        assert same == tutorial.fit
        changed = {
            key
            for key, value in variant.fit.model.model_dump().items()
            if value != getattr(tutorial.fit.model, key)
        }
        assert len(changed) == {"tutorial": 0, "both": 2}.get(name, 1), name
