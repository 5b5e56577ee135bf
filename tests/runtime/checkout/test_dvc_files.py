"""dvc.yaml and dvc.lock as a merge, a full disk or a hand may leave them: one line each."""

import pytest

from pipeline.__main__ import main
from pipeline.runtime import provenance
from pipeline.runtime.checkout import dvc_files
from pipeline.runtime.checkout.dvc_files import DvcFileError

STAGES = "stages:\n  a:\n    cmd: echo 1 > x\n    outs: [x]\n"
HEAD = "schema: '2.0'\n"
LOCK = f"{HEAD}stages:\n  a:\n    cmd: echo 1 > x\n    outs:\n    - path: x\n      md5: 0a\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "pipeline" / "stages").mkdir(parents=True)
    (tmp_path / "dvc.yaml").write_text(STAGES)
    (tmp_path / "dvc.lock").write_text(LOCK)
    return tmp_path


BROKEN = [
    ("", "must be a mapping, got an empty file"),
    ("# nothing\n", "must be a mapping, got an empty file"),
    ("[]\n", "must be a mapping, got []"),
    ("text\n", "must be a mapping, got 'text'"),
    (
        LOCK.replace("      md5", "<<<<<<< HEAD\n      md5"),
        "line 7 is '<<<<<<< HEAD', a conflict that a merge left",
    ),
    (f"{LOCK}=======\n", "line 8 is '======='"),
    (f"{LOCK}>>>>>>> branch\n", "line 8 is '>>>>>>> branch'"),
    (f"{LOCK}||||||| 1234\n", "line 8 is '||||||| 1234'"),
    (LOCK.replace("\n", "\r\n").replace("x\r", "x\r\n>>>>>>> b\r", 1), "line 5 is '>>>>>>> b'"),
    (LOCK + LOCK[len(HEAD) :], "is not valid YAML: line 8: found duplicate key"),
    (LOCK[:-14] + "}\n", "is not valid YAML: line"),
    ("\t- x\n", "is not valid YAML: line 1: found character"),
    ("!!python/object:os.system x\n", "is not valid YAML: line 1"),
    ("[" * 400, "is not valid YAML: "),
]


@pytest.mark.parametrize(("text", "problem"), BROKEN)
@pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml"])
def test_a_file_that_is_no_yaml_of_dvc_is_one_line_and_its_place(root, capsys, name, text, problem):
    (root / name).write_bytes(text.encode())
    assert main(["track"], root) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"error: track: {name}: {problem}")
    assert told.endswith(
        f"git checkout HEAD -- {name}{', then dvc repro' * (name == 'dvc.lock')}\n"
    )
    assert told.count("\n") == 1


def test_binary_or_unreadable_files_are_named(root):
    (root / "dvc.lock").write_bytes(b"\x89PNG\r\n\x00\xff")
    with pytest.raises(DvcFileError, match=r"^dvc\.lock: is not text; "):
        dvc_files.locked_stages(root)
    (root / "dvc.yaml").unlink()
    with pytest.raises(DvcFileError, match=r"^dvc\.yaml: cannot be read \(No such file"):
        dvc_files.stages(root)


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        (LOCK.replace("'2.0'", "'1.0'"), "schema must be '2.0', got '1.0'"),
        (LOCK.replace("'2.0'", "2.0"), "schema must be '2.0', got 2.0"),
        (LOCK[len(HEAD) :], "schema must be '2.0', got None"),
        ("a:\n  cmd: echo\n", "schema must be '2.0', got None"),
        (f"{HEAD}stages:\n", "stages must be a mapping of names, got None"),
        (f"{HEAD}stages: []\n", r"stages must be a mapping of names, got \[\]"),
        (f"{HEAD}stages:\n  a:\n", "stages.a must be a mapping, got None"),
        (f"{HEAD}stages:\n  a: {{outs: []}}\n", "stages.a.cmd must be text, got None"),
        (f"{HEAD}stages: {{a: {{cmd: x, outs: }}}}\n", "stages.a.outs must be a list, got None"),
        (f"{HEAD}stages: {{a: {{cmd: x, deps: [y]}}}}\n", "stages.a.deps.0 must be a mapping with"),
        (f"{HEAD}stages: {{a: {{cmd: x, outs: [{{md5: 1}}]}}}}\n", "stages.a.outs.0 must be"),
        (f"{HEAD}stages: {{a: {{cmd: x, params: 3}}}}\n", "stages.a.params must be a mapping of"),
        (f"{HEAD}stages: {{a: {{cmd: x, params: {{f: 3}}}}}}\n", "stages.a.params.f must be a map"),
    ],
)
def test_an_entry_that_dvc_would_refuse_is_named(root, entries, problem):
    (root / "dvc.lock").write_text(entries)
    with pytest.raises(DvcFileError, match=rf"^dvc\.lock: {problem}"):
        provenance.from_lock(root)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stages: 3\n", "stages must be a mapping of names, got 3"),
        ("stages: {a: }\n", "stages.a must be a mapping, got None"),
    ],
)
def test_a_dvc_yaml_of_another_form_is_named(root, text, problem):
    (root / "dvc.yaml").write_text(text)
    with pytest.raises(DvcFileError, match=rf"^dvc\.yaml: {problem}"):
        provenance.from_lock(root)


def test_a_stage_that_dvc_yaml_lacks_is_named(root):
    with pytest.raises(DvcFileError, match=r"^dvc\.yaml: stages\.b is missing; "):
        provenance.from_workspace(root, "b")


def test_without_entries_there_is_nothing_to_log(root):
    for text in (HEAD, f"{HEAD}stages: {{}}\n", f"{HEAD}datasets: []\n"):
        (root / "dvc.lock").write_text(text)
        assert provenance.from_lock(root) == {}
    (root / "dvc.lock").unlink()
    assert provenance.from_lock(root) == {}
