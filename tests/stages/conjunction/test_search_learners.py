from pipeline.labs.conjunction.train.sample_search import SamplePoint
from pipeline.runtime.formats import records

STAGE = "conjunction_search_learners"


def test_every_learner_is_tried_at_every_t_with_all_its_seeds(chain):
    learners = chain.params(STAGE).learners
    curves = learners.curves
    assert list(curves) == ["elimination", "voting", "linear", "mlp", *learners.attention]
    points = records.read_table(chain.made(STAGE) / "points.csv", SamplePoint)
    assert list(points.learner.unique()) == list(curves)
    for (name, positions), tried in points.groupby(["learner", "positions"]):
        assert positions in curves[name].first_samples
        for _, at_size in tried.groupby("samples"):
            assert list(at_size.seed) == list(curves[name].seeds)
    for name, curve in curves.items():
        assert set(points[points.learner == name].positions) == set(curve.first_samples)
    assert bool(points.accuracy.between(0, 1).all())
    # The size nearest to the cap may lie half a step beyond it.
    for name, tried in points.groupby("learner"):
        assert tried.samples.max() <= curves[name].max_samples * 2**0.25


def test_searches_went_as_far_as_they_were_told(chain):
    params = chain.params(STAGE)
    search, curve = params.search, params.learners.elimination
    points = records.read_table(chain.made(STAGE) / "points.csv", SamplePoint)
    elimination = points[points.learner == "elimination"]
    for positions in curve.first_samples:
        tried = elimination[elimination.positions == positions]
        solved = (tried.accuracy >= search.threshold).groupby(tried.samples).mean()
        assert solved.iloc[0] <= search.stop_below
        at_cap = solved.index[-1] * 2 ** (1 / curve.sizes_per_doubling) > curve.max_samples * 0.9
        assert solved.iloc[-1] >= curve.stop_above > search.stop_above or at_cap
