"""runner: a stage whose ground moves while it runs publishes nothing."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import scratch
from scratch import APART, INPUT, MADE, OLD, SHARED, STAGE, outputs, write

from pipeline.runtime import dag, runner
from pipeline.runtime.fingerprint import FingerprintError
from pipeline.runtime.formats import artifacts
from pipeline.runtime.formats.artifacts import ArtifactError
from pipeline.runtime.runner import ChangedError

Edit = Callable[[Path], None]
PARAMS = "params.yaml"
BEFORE = {f"{STAGE}/x.json": OLD}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return scratch.repository(tmp_path)


def writing(name: str, text: str) -> Edit:
    return lambda root: write(root, **{name: text})


def removing(name: str) -> Edit:
    return lambda root: (root / name).unlink()


def run(root: Path, monkeypatch: pytest.MonkeyPatch, edit: Edit = lambda root: None) -> None:
    """Run the stage; ``edit`` is what the user does when it has read what it needs."""

    def edited(params: scratch.Params, inputs: Path, out: Path) -> dict[str, Any]:
        measured = scratch.make(params, inputs, out)
        edit(root)
        return measured

    monkeypatch.setattr(dag, "stage_module", scratch.stage(edited))
    runner.run(STAGE, root)


def refusal(root: Path, monkeypatch: pytest.MonkeyPatch, edit: Edit = lambda root: None) -> str:
    """The one line that refuses to publish; nothing of the stage is on disk but what was."""
    with pytest.raises((ChangedError, ArtifactError, FingerprintError)) as refused:
        run(root, monkeypatch, edit)
    assert outputs(root) == BEFORE
    assert not (root / "data" / ".partial" / STAGE).exists()
    assert len(str(refused.value).splitlines()) == 1
    return str(refused.value)


def test_a_stage_publishes_its_files_its_results_and_its_headline(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(root, monkeypatch)
    assert set(outputs(root)) == MADE
    folder = root / "data" / STAGE
    assert artifacts.read_json(folder / "results.json")["O3"]["gamma_0"] == {"r_50": 1e-5, "n": 5}
    assert artifacts.read_json(folder / "metrics.json") == {"O3.gamma_0.r_50": 1e-5}
    assert not (root / "data" / ".partial" / STAGE).exists()


CHANGES = {
    "params": (writing(PARAMS, "lab: {part: {size: 3}}"), "params.yaml: lab.part.size"),
    "a number's type": (writing(PARAMS, "lab: {part: {size: 2.0}}"), "params.yaml: lab.part.size"),
    "another key": (writing(PARAMS, "lab: {part: {size: 2, n: 1}}"), "params.yaml: lab.part.n"),
    "no section": (writing(PARAMS, "lab: {other: {size: 1}}"), "params.yaml: lab.part"),
    "code": (writing(SHARED, "LIMIT = 4"), SHARED),
    "code gone": (removing(SHARED), SHARED),
    "more code": (writing(SHARED, "LIMIT = 3\nfrom pipeline.core import apart"), APART),
    "the runner": (writing("pipeline/runtime/runner.py", "X = 1"), "pipeline/runtime/runner.py"),
    "a package": (writing("requirements.lock", "numpy==0.1"), "package numpy"),
}  # fmt: skip
INPUTS = {
    "an input": (writing(INPUT, '{"y": 2}'), INPUT),
    "an input's layout": (writing(INPUT, '{"y":  1}'), INPUT),
    "an input gone": (removing(INPUT), INPUT),
}


@pytest.mark.parametrize("what", [*CHANGES, *INPUTS])
def test_a_change_while_it_runs_is_one_line_and_nothing_is_published(
    root: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    edit, named = (CHANGES | INPUTS)[what]
    assert refusal(root, monkeypatch, edit) == (
        f"{named} changed while the stage ran: nothing was published; run dvc repro again"
    )


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_since_params_were_checked_is_one_line_and_nothing_runs(
    root: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    edit, named = CHANGES[what]
    edit(root)
    ran: list[Path] = []
    message = refusal(root, monkeypatch, ran.append)
    assert message == f"{named} changed since check_params ran: run dvc repro"
    assert ran == []


def everything_else(root: Path) -> None:
    write(root, **{
        PARAMS: "# a comment\nlab: {other: {size: 7}, part: {'size': 2}}\nnew: {part: {size: 1}}\n",
        APART: "LIMIT = 5\n",
        SHARED: '"""What it is."""\n\n# why\nLIMIT  =  (3)\n',
        "requirements.lock": (root / "requirements.lock").read_text() + "torch==0.1\n",
        "data/b_stage/unread.json": "{}",
    })  # fmt: skip


def test_what_the_stage_does_not_depend_on_may_change_while_it_runs(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(root, monkeypatch, everything_else)
    assert set(outputs(root)) == MADE


def test_and_before_it_runs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everything_else(root)
    run(root, monkeypatch)
    assert set(outputs(root)) == MADE


def test_another_installed_version_than_the_pinned_one_is_one_line(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, **{"requirements.lock": "numpy==0.1\n"})
    scratch.check_params(root)
    message = refusal(root, monkeypatch)
    assert message.startswith("requirements.lock pins numpy 0.1, and ")
    assert message.endswith("or pin what is installed")


@pytest.mark.parametrize("path", [dag.code_file(STAGE), dag.params_file(STAGE)])
@pytest.mark.parametrize("text", [None, "", "[1]", '{"lab": 3}', '{"files": 3}', "\0"])
def test_what_check_params_wrote_is_missing_or_damaged(
    root: Path, monkeypatch: pytest.MonkeyPatch, path: str, text: str | None
) -> None:
    (root / path).unlink() if text is None else write(root, **{path: text})
    message = refusal(root, monkeypatch)
    assert message.startswith(f"{path.removeprefix('data/')}: ")
    assert message.endswith(
        f"; restore it: dvc checkout -f {path}, or remake it: dvc repro -f -s check_params"
    )


def check(root: Path, monkeypatch: pytest.MonkeyPatch, edit: Edit) -> None:
    """Run check_params as if it wrote one stage's files; ``edit`` happens meanwhile."""

    def written(params: scratch.Params, inputs: Path, out: Path) -> None:
        for kind in ("code", "params"):
            artifacts.write_json(out / kind / "c_stage.json", {})
        edit(root)

    class NoParams(runner.config.StageParams):
        pass

    module = SimpleNamespace(Params=NoParams, run=written)
    monkeypatch.setattr(dag, "stage_module", lambda name: module)
    runner.run(dag.CHECK, root)


def checked(root: Path) -> set[str]:
    folder = root / "data" / dag.CHECK
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*.json")}


def test_check_params_replaces_its_folders_whole(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checked(root) == {f"code/{STAGE}.json", f"params/{STAGE}.json"}
    check(root, monkeypatch, lambda root: None)
    assert checked(root) == {"code/c_stage.json", "params/c_stage.json"}


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (writing(PARAMS, "lab: {}"), PARAMS),
        (writing("requirements.lock", ""), "requirements.lock"),
        (writing(APART, "LIMIT = 4"), "pipeline"),
        (removing(APART), "pipeline"),
    ],
)
def test_check_params_publishes_nothing_if_what_it_checks_changes_meanwhile(
    root: Path, monkeypatch: pytest.MonkeyPatch, edit: Edit, named: str
) -> None:
    # Else DVC would record the new files, and never check them.
    with pytest.raises(ChangedError, match=f"^{named} changed while the stage ran: nothing was "):
        check(root, monkeypatch, edit)
    assert checked(root) == {f"code/{STAGE}.json", f"params/{STAGE}.json"}
