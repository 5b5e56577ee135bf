import pytest

from pipeline.runtime.files import ArtifactError
from pipeline.tracking.children import child_runs, read_entries
from pipeline.tracking.store import TrackingError
from tracking.stage_files import STEPS, execution_of, write_stage


def children(root, execution):
    return child_runs(root, execution, read_entries(root, execution))


def test_each_entry_is_a_run_with_its_curves_and_tags(tmp_path):
    first, second = children(tmp_path, write_stage(tmp_path))
    assert [first.name, second.name] == ["O5.tiny.seed_0", "O5.tiny.seed_1"]
    assert second.params == {"n_layers": "2", "seed": "1"}
    assert second.tags == {
        "stage": "oscillator_train",
        "lab": "oscillator",
        "kind": "train",
        "experiment": "O5",
        "model": "O5.tiny.seed_1",
    }
    curves = {key: [] for key, _, _ in second.points}
    for key, value, step in second.points:
        curves[key].append((step, value))
    assert curves["loss"] == [(step, 1 / (step + 1)) for step in range(1, STEPS + 1)]
    assert curves["validation_loss"] == [(s, 2 / (s + 1)) for s in range(2, STEPS + 1, 2)]
    # The final value is at the last step, so that no curve starts with its end.
    assert curves["final"] == [(STEPS, 7.0)]


def test_a_stage_without_a_list_of_models_has_no_child_runs(tmp_path):
    write_stage(tmp_path)
    outs = {"data/oscillator_train/metrics.json": ""}
    assert read_entries(tmp_path, execution_of(tmp_path, outs=outs)) == []


@pytest.mark.parametrize(
    ("entry", "error", "complaint"),
    [
        ({"params": {}, "metrics": {}}, ArtifactError, r"models\.json: entry 0\.name: Field req"),
        (
            {"name": "a", "params": {}, "metrics": {},
             "history": {"file": "history.csv", "where": {"model": "none"}}},
            TrackingError, r"oscillator_train/history\.csv: no row with \{'model': 'none'\}",
        ),
        (
            {"name": "a", "params": {}, "metrics": {},
             "history": {"file": "lost.csv", "where": {}}},
            TrackingError, r"oscillator_train/lost\.csv: cannot be read",
        ),
        (
            {"name": "a", "params": {}, "metrics": {},
             "history": {"file": "words.csv", "where": {}}},
            TrackingError, r"words\.csv: expected a column step of integers",
        ),
    ],
)  # fmt: skip
def test_a_bad_list_of_models_is_one_line(tmp_path, entry, error, complaint):
    execution = write_stage(tmp_path, entries=[entry])
    (tmp_path / "data/oscillator_train/words.csv").write_text("step,loss\n1,small\n")
    with pytest.raises(error, match=complaint):
        children(tmp_path, execution)
