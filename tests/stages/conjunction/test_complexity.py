from pipeline.runtime import artifacts
from pipeline.stages.conjunction._tables import POINTS

STAGE = "conjunction_complexity"


def test_every_learner_is_tried_at_every_t_with_all_its_seeds(chain):
    params = chain.params(STAGE)
    curves = params.curves
    learners = {
        "elimination": curves.elimination,
        "linear": curves.linear,
        "mlp": curves.mlp,
        **curves.attention,
    }
    points = artifacts.read_csv(chain.made(STAGE) / "points.csv", POINTS)
    assert list(points.learner.unique()) == list(learners)
    for (name, positions), own in points.groupby(["learner", "positions"]):
        assert positions in learners[name].contexts
        for _, rung in own.groupby("samples"):
            assert list(rung.seed) == list(learners[name].seeds)
    for name, curve in learners.items():
        assert set(points[points.learner == name].positions) == set(curve.contexts)
    assert bool(points.accuracy.between(0, 1).all())
    # The nearest rung to the cap may lie half a rung beyond it.
    for name, own in points.groupby("learner"):
        assert own.samples.max() <= learners[name].max_samples * 2**0.25


def test_searches_went_as_far_as_they_were_told(chain):
    params = chain.params(STAGE)
    search, curve = params.search, params.curves.elimination
    points = artifacts.read_csv(chain.made(STAGE) / "points.csv", POINTS)
    own = points[points.learner == "elimination"]
    for positions in curve.contexts:
        tried = own[own.positions == positions]
        solved = (tried.accuracy >= search.threshold).groupby(tried.samples).mean()
        assert solved.iloc[0] <= search.low
        at_cap = solved.index[-1] * 2 ** (1 / curve.rungs_per_doubling) > curve.max_samples * 0.9
        assert solved.iloc[-1] >= search.high or at_cap
