"""An environment that is moved or copied runs its own Python and imports its own checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import relocation
from setup.places import ODD_NAMES

PROGRAM = "import sys, pipeline; print(sys.prefix); print(pipeline.__file__); print(sys.argv[1:])\n"


def environment(root: Path, shebang: str = "#!{python}") -> Path:
    """Make an environment with a program and an editable package, as pip leaves them."""
    (root / "pipeline").mkdir(parents=True)
    (root / "pipeline" / "__init__.py").touch()
    venv = root / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    program = venv / "bin" / "program"
    program.write_text(shebang.format(python=venv / "bin" / "python") + "\n" + PROGRAM)
    program.chmod(0o755)
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "__editable__.attention_lab-0.1.0.pth").write_text(str(root))
    info = packages / "attention_lab-0.1.0.dist-info"
    info.mkdir()
    (info / "direct_url.json").write_text("{}")
    relocation.relocate(venv)
    return venv


def run(*command: str | Path, **options: Path) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True, **options)
    return done.stdout.splitlines()


def of(root: Path, arguments: str = "[]") -> list[str]:
    return [str(root / ".venv"), str(root / "pipeline" / "__init__.py"), arguments]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "first"
    environment(root)
    return root


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_copy_in_a_folder_of_any_name_is_its_own(made: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / name
    shutil.copytree(made, copy, symlinks=True)
    argument = "a $b 'c' \"d\""
    assert run(copy / ".venv" / "bin" / "program", argument) == of(copy, str([argument]))
    assert run("./bin/program", cwd=copy / ".venv") == of(copy)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_activate_finds_the_environment_that_it_stands_in(
    made: Path, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / name
    shutil.copytree(made, copy, symlinks=True)
    # a folder that begins with a dash is named by ./ as for every program
    read = '. ./.venv/bin/activate; cd /; echo "$VIRTUAL_ENV"; command -v python'
    told = [str(copy / ".venv"), str(copy / ".venv" / "bin" / "python")]
    assert run("bash", "-c", read, cwd=copy) == told
    relocation.relocate(copy / ".venv")  # make does it: sh cannot tell where it reads
    assert run("sh", "-c", read, cwd=copy) == told


def test_a_moved_environment_is_its_own(tmp_path: Path) -> None:
    environment(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    assert run(tmp_path / "new" / ".venv" / "bin" / "program") == of(tmp_path / "new")


def test_a_link_to_the_environment_imports_the_checkout_around_the_link(
    made: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / "pipeline").mkdir(parents=True)
    (other / "pipeline" / "__init__.py").touch()
    (other / ".venv").symlink_to(made / ".venv")
    assert run(other / ".venv" / "bin" / "program") == of(other)


def test_a_link_to_a_program_runs_it(made: Path, tmp_path: Path) -> None:
    (tmp_path / "program").symlink_to(made / ".venv" / "bin" / "program")
    assert run(tmp_path / "program") == of(made)


def test_the_form_that_pip_gives_programs_of_long_paths_is_known(tmp_path: Path) -> None:
    form = "#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''"
    venv = environment(tmp_path / "old", form)
    text = (venv / "bin" / "program").read_text()
    assert str(tmp_path) not in text
    assert text.endswith(PROGRAM)


def test_nothing_but_what_tells_people_holds_a_path(made: Path) -> None:
    held = [
        file.name
        for file in (made / ".venv").rglob("*")
        if file.is_file() and not file.is_symlink() and str(made).encode() in file.read_bytes()
    ]
    # the last are of shells that cannot tell where the file they read is
    assert sorted(held) == ["activate", "activate.csh", "direct_url.json", "pyvenv.cfg"]


def test_what_is_right_is_not_written_again(made: Path) -> None:
    files = [file for file in (made / ".venv").rglob("*") if not file.is_symlink()]
    before = {file: file.stat().st_ino for file in files}
    relocation.relocate(made / ".venv")
    assert {file: file.stat().st_ino for file in files} == before


def test_programs_that_are_none_of_pythons_stay(tmp_path: Path) -> None:
    venv = environment(tmp_path / "old")
    for name, content in {
        "binary": b"\x7fELF\xff#!",
        "shell": b"#!/bin/bash\necho python\n",
    }.items():
        (venv / "bin" / name).write_bytes(content)
        relocation.relocate(venv)
        assert (venv / "bin" / name).read_bytes() == content
