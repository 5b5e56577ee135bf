import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tracking import runs
from pipeline.tracking.children import read_entries
from pipeline.tracking.store import ENTRY, TrackingError
from tracking.stage_files import execution_of, made, write_stage


@pytest.mark.parametrize(
    ("stage", "outs", "expected"),
    [
        ("oscillator_data", ["train.npz", "test.npz"], "data"),
        ("memory_train_heads", ["models.safetensors", "models.json", "table.csv"], "train"),
        ("memory_train_table", ["models.json", "table.csv"], "train"),
        ("memory_low_rank", ["models.safetensors", "table.csv"], "train"),
        ("energy_capacity", ["scores.npz", "results.json", "metrics.json"], "measure"),
        ("conjunction_complexity", ["points.csv"], "measure"),
        ("energy_figures", ["a.png", "a.svg"], "draw"),
        ("check_params", ["code", "params"], "check"),
    ],
)
def test_a_stage_is_of_the_kind_that_its_outputs_show(stage, outs, expected):
    assert runs.kind(made(stage, *outs)) == expected


def test_a_stage_is_of_the_lab_that_its_name_begins_with():
    assert runs.stage_tags(made("memory_train_heads", "models.json")) == {
        "stage": "memory_train_heads",
        "lab": "memory",
        "kind": "train",
    }
    assert runs.stage_tags(made("check_params")) == {"stage": "check_params", "kind": "check"}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["O7", "O7_ablation", "O10.a.seed_0", "O5.x"], {"experiment": "O5,O7,O10"}),
        (["P1_published", "M9", "P1"], {"experiment": "M9,P1"}),
        (["noise", "frequency", "O", "7", "A1c", "xO5"], {}),
        ([], {}),
    ],
)
def test_experiments_are_what_keys_begin_with(keys, expected):
    assert runs.experiment_tag(keys) == expected


def test_a_run_is_tagged_by_what_its_results_and_models_name(tmp_path):
    execution = write_stage(tmp_path)
    from pipeline.tracking.children import read_entries

    run = runs.describe(tmp_path, execution, read_entries(tmp_path, execution))
    assert run.tags["experiment"] == "O5,O6,O10"
    assert run.tags["lab"] == "oscillator"
    assert run.tags["kind"] == "train"
    assert run.tags[ENTRY] == execution.hash
    # The headline alone becomes metrics; results.json is a file.
    assert run.points == [("O5.tiny.r50", 0.5, 0), ("O5.tiny.n", 2.0, 0)]


def test_a_description_says_what_a_stage_does_and_its_headline():
    text = runs.note("Rollout errors", {"O5.a.r50": 0.123456, "O5.a.n": 3, "O5.verdict": "holds"})
    assert text.splitlines() == [
        "Rollout errors",
        "",
        "| headline | |",
        "| :-- | --: |",
        "| O5.a.r50 | 0.1235 |",
        "| O5.a.n | 3 |",
        "| O5.verdict | holds |",
    ]
    assert runs.note("Trajectories", {}) == "Trajectories"


def test_a_long_headline_is_cut_and_says_so():
    text = runs.note("Many", {f"O5.{'a' * 50}.{i}": i for i in range(60)})
    assert text.count("| O5.") == runs.HEADLINES
    assert text.endswith("... and 20 more in metrics.json")
    assert len(runs.note("x" * 9000, {})) == runs.TAG_LIMIT


def test_metrics_that_cannot_be_read_are_named(tmp_path):
    execution = write_stage(tmp_path)
    (tmp_path / "data/oscillator_train/metrics.json").write_text("{")
    with pytest.raises(TrackingError, match=r"oscillator_train/metrics\.json: cannot be read"):
        runs.describe(tmp_path, execution, [])


@pytest.mark.parametrize("text", ["[1, 2]", "3", "<<<<<<< HEAD\n{}"])
def test_metrics_of_another_form_are_named(tmp_path, text):
    write_stage(tmp_path)
    (tmp_path / "data/oscillator_train/results.json").write_text(text)
    with pytest.raises(
        TrackingError, match=r"^oscillator_train/results\.json: (cannot be|must be)"
    ):
        runs.describe(tmp_path, execution_of(tmp_path), [])


def test_a_stage_of_the_user_s_own_may_name_its_files_so_elsewhere(tmp_path):
    (tmp_path / "out").mkdir()
    outs = {f"out/{name}": "0a" for name in ("metrics.json", "results.json", "models.json")}
    for path in outs:
        (tmp_path / path).write_text("[1, 2]")
    execution = execution_of(tmp_path, "own@1", outs=outs, params={"k": 3, "l.m": [4]})
    run = runs.describe(tmp_path, execution, read_entries(tmp_path, execution))
    assert (run.name, run.points) == ("own@1", [])
    assert run.params == {"k": "3", "l.m": "[4]"}


def test_small_files_and_no_arrays_are_copied(tmp_path):
    write_stage(tmp_path)
    copied = runs.copied_files(tmp_path, execution_of(tmp_path))
    assert [path.name for path in copied] == [
        "history.csv",
        "metrics.json",
        "models.json",
        "models.safetensors",
        "results.json",
    ]


@given(st.text(max_size=300))
def test_every_text_becomes_a_name_that_mlflow_takes(text):
    from mlflow.utils import validation

    name = runs.valid(text)
    assert validation.validate_param_and_metric_name(name)
    assert not validation.path_not_unique(name)
    assert len(name) <= validation.MAX_ENTITY_KEY_LENGTH


def test_a_good_name_stays_as_it_is():
    assert runs.valid("O3.gamma_0.step200_error") == "O3.gamma_0.step200_error"


def test_a_value_too_long_for_mlflow_is_cut():
    cut = runs.as_params({"a": {"b": list(range(5000))}})["a.b"]
    assert len(cut) == runs.PARAM_LIMIT
    assert cut.startswith("[0,1,2")
    assert cut.endswith("...")


@pytest.mark.parametrize(
    "path", ["../secret.json", "data/../../secret.json", "{root}/../secret.json", "/etc/x.json"]
)
def test_a_file_from_outside_is_not_copied_whatever_dvc_lock_says(tmp_path, path):
    root = tmp_path / "checkout"
    write_stage(root)
    (tmp_path / "secret.json").write_text("{}")
    outs = {path.format(root=root): "0a", "data/oscillator_train/metrics.json": "0a"}
    copied = runs.copied_files(root, execution_of(root, outs=outs))
    assert [file.name for file in copied] == ["metrics.json"]
