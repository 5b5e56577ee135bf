"""What is installed, and from where: with a pip and an uv that only tell what they are asked."""

import sys
from pathlib import Path

import pytest

import packages
from failure import SetupError
from pipeline.__main__ import ROOT
from setup.places import BASE, script


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "requirements.lock").write_text("numpy==2.4.6\ntorch==2.13.0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def python(folder: Path, answer: str) -> Path:
    """A Python that writes down what it is asked, and answers with a line of sh."""
    return script(folder / "python", f'echo "$*" >> asked\n{answer}')


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines() if (folder / "asked").exists() else []


def test_on_linux_the_cpu_build_is_asked_for_by_its_exact_name(folder: Path) -> None:
    packages.install_torch(python(folder, "exit 0"), "2.13.0", packages.CPU)
    (command,) = asked(folder)
    assert command.startswith("-m pip install ")
    assert command.endswith("--no-deps torch==2.13.0+cpu")


UV_INSTALLS = """case "$*" in
*+cpu) echo 'ERROR: No matching distribution' >&2; exit 1 ;;
*uv) mkdir -p .venv/.uv/bin; cd .venv/.uv/bin
     printf '#!/bin/sh\\necho uv "$*" >> asked; exit %s\\n' {code} > uv; chmod +x uv ;;
esac"""


def test_where_pip_has_no_cpu_build_uv_fetches_it(folder: Path) -> None:
    packages.install_torch(python(folder, UV_INSTALLS.format(code=0)), "2.13.0", packages.CPU)
    by_pip, uv, by_uv = asked(folder)
    assert "torch==2.13.0+cpu" in by_pip
    assert uv.endswith("--target .venv/.uv uv")
    assert by_uv.startswith("uv pip install ")
    assert "--torch-backend cpu" in by_uv
    assert by_uv.endswith("torch==2.13.0")
    assert not (folder / ".venv" / ".uv").exists()


@pytest.mark.parametrize("answer", [UV_INSTALLS.format(code=2), "echo 'ERROR: no net' >&2; exit 1"])
def test_no_cpu_build_at_all_is_one_line_that_says_what_helps(folder: Path, answer: str) -> None:
    with pytest.raises(SetupError) as error:
        packages.install_torch(python(folder, answer), "2.13.0", packages.CPU)
    message = str(error.value)
    for part in ("torch 2.13.0", "ERROR: no", "PIP_EXTRA_INDEX_URL", "make TORCH=cuda", "4 GB"):
        assert part.lower() in message.lower()
    assert "\n" not in message
    by_pip = [line for line in asked(folder) if not line.startswith("uv ")]
    assert not any(line.endswith("torch==2.13.0") for line in by_pip)  # which is CUDA's


def test_elsewhere_the_default_index_has_the_cpu_build(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    packages.install_torch(python(folder, "exit 0"), "2.13.0", packages.CPU)
    assert asked(folder)[0].endswith("--no-deps torch==2.13.0")


def test_cuda_is_asked_for_and_never_the_cpu_build(folder: Path) -> None:
    packages.install_torch(python(folder, "exit 0"), "2.13.0", packages.CUDA)
    assert asked(folder)[0].endswith("torch==2.13.0,!=2.13.0+cpu")


def test_the_variable_is_checked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [packages.chosen(name) for name in ("", "cpu", "cuda")] == ["", "cpu", "cuda"]
    with pytest.raises(SetupError, match="TORCH=gpu: must be cpu or cuda"):
        packages.chosen("gpu")
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SetupError, match="for Linux, not for darwin"):
        packages.chosen("cuda")


@pytest.mark.parametrize(
    ("version", "build"),
    [("2.13.0+cpu", "cpu"), ("2.13.0", "cuda"), ("2.13.0+cu130", "cuda"), ("2.12.0+cpu", "")],
)
def test_the_build_that_is_installed(folder: Path, version: str, build: str) -> None:
    assert packages.installed_variant(python(folder, f"echo {version}")) == build


def test_what_leads_pip_elsewhere_is_taken_from_its_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in packages.ELSEWHERE:
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "file:///an/index")
    told = python(folder, "env")
    given = dict(line.split("=", 1) for line in packages.run([told]).stdout.splitlines())
    assert "/elsewhere" not in given.values()
    assert given["PIP_EXTRA_INDEX_URL"] == "file:///an/index"


def test_a_pip_that_fails_is_an_error(folder: Path) -> None:
    with pytest.raises(SetupError, match="make starts again"):
        packages.pip(python(folder, "exit 1"), "x")


def test_packages_that_went_elsewhere_are_missed(folder: Path) -> None:
    (folder / "requirements.lock").write_text("torch==2.13.0\nno-such-package-anywhere==1.0\n")
    with pytest.raises(SetupError, match=r"in \.venv .*==.* is not installed .*pip config list"):
        packages.check(Path(BASE))


@pytest.mark.parametrize("text", ["numpy>=2\n", "torch @ file:///x\n", "numpy==1\n", ""])
def test_a_lock_that_pins_not_everything_is_refused(folder: Path, text: str) -> None:
    (folder / "requirements.lock").write_text(text)
    with pytest.raises(SetupError, match=r"requirements\.lock: "):
        packages.pins()


def test_a_lock_with_comments_and_carriage_returns_is_read(folder: Path) -> None:
    text = "# all\r\ntorch==2.13.0\r\ntomli==2.0; python_version < '3.11'\r\n"
    (folder / "requirements.lock").write_bytes(text.encode())
    assert packages.pins() == {"torch": "2.13.0", "tomli": "2.0"}


def test_no_index_is_named_in_the_repository() -> None:
    files = [ROOT / "Makefile", ROOT / "pyproject.toml", *(ROOT / ".make").iterdir()]
    named = [file.name for file in files if file.is_file() and "index-url" in file.read_text()]
    assert named == []
