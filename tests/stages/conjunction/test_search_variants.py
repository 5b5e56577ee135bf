from pipeline.labs.conjunction.train.sample_search import SamplePoint
from pipeline.runtime.formats import records

STAGE = "conjunction_search_variants"


def test_every_variant_is_tried_at_its_t(chain):
    variants = chain.params(STAGE).ablation.variants
    points = records.read_table(chain.made(STAGE) / "points.csv", SamplePoint)
    assert list(points.learner.unique()) == list(variants)
    for name, tried in points.groupby("learner"):
        assert set(tried.positions) == set(variants[name].first_samples)
        assert set(tried.seed) == set(variants[name].seeds)


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
