import json

import pytest

from pipeline.runtime.files import ArtifactError
from pipeline.runtime.formats import model_list
from pipeline.runtime.formats.model_list import HistoryRows, ModelEntry, SavedMember

FULL = {
    "name": "O5.a.seed_0",
    "params": {"n_layers": 8, "rates": [0.1, 1]},
    "metrics": {"loss": 0.01, "n": 3, "accuracy": None},
    "history": {"file": "history.csv", "where": {"model": "a", "seed": 0}},
    "model": {"file": "models.safetensors", "name": "a", "member": 0},
    "register": "attention",
    "example": [[[0.0, 1.0]]],
}
BARE = {
    "name": "M3.b",
    "params": {},
    "metrics": {},
    "history": None,
    "model": None,
    "register": None,
}


def test_what_is_read_and_written_again_is_the_same_text(tmp_path):
    path = tmp_path / "models.json"
    path.write_text(json.dumps([FULL, BARE]))
    assert json.dumps(model_list.content(model_list.read(path))) == path.read_text()


def test_what_an_entry_need_not_name_is_absent(tmp_path):
    path = tmp_path / "models.json"
    path.write_text(json.dumps([{"name": "O5.a", "params": {}, "metrics": {}}]))
    assert model_list.read(path) == [ModelEntry(name="O5.a", params={}, metrics={})]


def test_an_entry_is_typed():
    entry = ModelEntry.model_validate_json(json.dumps(FULL))
    assert entry.history == HistoryRows(file="history.csv", where={"model": "a", "seed": 0})
    assert entry.model == SavedMember(file="models.safetensors", name="a", member=0)
    assert entry.register_as == "attention"
    assert entry.experiment == "O5"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": None}, r"train/models\.json: entry 0\.name: "),
        ({"metrics": {"x": "y"}}, r"entry 0\.metrics\.x"),
        ({"metrics": {"x": True}}, r"entry 0\.metrics\.x"),
        ({"model": {"file": "a", "member": -1}}, r"entry 0\.model\.member: .*greater than or"),
        ({"colour": "red"}, r"entry 0\.colour: Extra inputs"),
    ],
)
def test_a_bad_entry_is_named(tmp_path, change, complaint):
    path = tmp_path / "train" / "models.json"
    path.parent.mkdir()
    path.write_text(json.dumps([{**FULL, **change}]))
    with pytest.raises(ArtifactError, match=complaint):
        model_list.read(path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("", "is truncated"), ("{}", "entry the file"), ("[1", "is truncated"), ("[NaN]", "NaN")],
)
def test_a_file_that_is_no_list_is_named(tmp_path, text, complaint):
    path = tmp_path / "models.json"
    path.write_text(text)
    with pytest.raises(ArtifactError, match=rf"models\.json: .*{complaint}"):
        model_list.read(path)


@pytest.mark.parametrize(
    "name", ["x' OR name LIKE '%", "a/b", "a:b", "../a", "", "a\n", "Q" * 300, "-a"]
)
def test_a_registered_name_that_is_no_plain_name_is_refused(tmp_path, name):
    path = tmp_path / "models.json"
    path.write_text(json.dumps([{**FULL, "register": name}]))
    with pytest.raises(ArtifactError, match=r"models\.json: entry 0\.register: "):
        model_list.read(path)


@pytest.mark.parametrize(
    "file", ["../h.csv", "/etc/passwd", "~/h.csv", "a/b", "", ".", "..", "a\0"]
)
def test_a_file_that_is_not_beside_the_list_is_refused(tmp_path, file):
    path = tmp_path / "models.json"
    for change in (
        {"history": {"file": file, "where": {}}},
        {"model": {"file": file, "member": 0}},
    ):
        path.write_text(json.dumps([{**FULL, **change}]))
        with pytest.raises(ArtifactError, match=r"models\.json: entry 0\.\w+\.file: "):
            model_list.read(path)
