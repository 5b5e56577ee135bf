from pipeline.labs.conjunction.report.scaling import ADDED, PERFECT
from pipeline.labs.conjunction.train.sample_search import SamplePoint
from pipeline.runtime.formats import records

STAGE = "conjunction_search_mlp"


def test_every_task_and_addition_is_tried_with_all_its_seeds(chain):
    params = chain.params(STAGE)
    points = records.read_table(chain.made(STAGE) / "points.csv", SamplePoint)
    curves = {f"{PERFECT}{name}": params.perfect.curve for name in params.perfect.tasks}
    curves |= {f"{ADDED}{name}": curve for name, curve in params.additions.curves.items()}
    assert list(points.learner.unique()) == list(curves)
    for (name, _), tried in points.groupby(["learner", "samples"]):
        assert set(tried.positions) == set(curves[name].first_samples)
        assert list(tried.seed) == list(curves[name].seeds)


def test_an_addition_changes_c5s_mlp_in_one_thing(chain):
    params = chain.params(STAGE)
    decay, l1, gains = (curve.fit for curve in params.additions.curves.values())
    plain = chain.params("conjunction_search_learners").learners.mlp.fit.model_copy(
        update={"steps": decay.steps}
    )
    assert decay.optimizer.options != plain.optimizer.options
    optimizer = decay.optimizer.model_copy(
        update={"name": plain.optimizer.name, "options": plain.optimizer.options}
    )
    assert decay.model_copy(update={"optimizer": optimizer}) == plain
    assert l1.model_dump(exclude={"l1"}) == plain.model_dump()
    without = gains.model_dump()
    assert without["model"].pop("gain") > 0
    assert without == plain.model_dump()


def test_exercise_three_asks_for_all_validation_samples(chain):
    for search in chain.params(STAGE).perfect.tasks.values():
        assert search.threshold == 1.0
        assert search.task(17).rules == 2
