import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_files import write_stage

from pipeline import tracking
from pipeline.tracking import runs as tracking_runs


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"params": {}, "metrics": {}}, r"train/models.json: entry 0.name: Field required"),
        ({"name": "a", "params": {}, "metrics": {"x": "y"}}, r"entry 0.metrics.x"),
        (
            {"name": "a", "params": {}, "metrics": {},
             "history": {"file": "history.csv", "where": {"model": "none"}}},
            r"train/history.csv: no row with \{'model': 'none'\}",
        ),
        (
            {"name": "a", "params": {}, "metrics": {},
             "history": {"file": "lost.csv", "where": {}}},
            r"train/lost.csv: cannot be read",
        ),
    ],
)  # fmt: skip
def test_a_bad_list_of_models_is_one_line(root, entry, complaint):
    execution = write_stage(root, entries=[entry])
    with pytest.raises(tracking.TrackingError, match=complaint):
        tracking.record(root, execution)


@given(st.text(max_size=300))
def test_every_text_becomes_a_name_that_mlflow_takes(text):
    from mlflow.utils import validation

    name = tracking_runs.valid(text)
    assert validation.validate_param_and_metric_name(name)
    assert not validation.path_not_unique(name)
    assert len(name) <= validation.MAX_ENTITY_KEY_LENGTH


def test_a_good_name_stays_as_it_is():
    assert tracking_runs.valid("O3.gamma_0.step200_error") == "O3.gamma_0.step200_error"


def test_a_value_too_long_for_mlflow_is_cut():
    cut = tracking_runs.as_params({"a": {"b": list(range(5000))}})["a.b"]
    assert len(cut) == tracking_runs.PARAM_LIMIT
    assert cut.startswith("[0,1,2")
    assert cut.endswith("...")
