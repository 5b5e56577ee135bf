"""What holds for each stage of dvc.yaml, whatever it does.

That every reader refuses every damage is tested once a reader (test_artifacts, test_records, ...);
here each stage shows once that it reads through one of them.
"""

import re
from pathlib import Path

import pytest

from pipeline.runtime import dag, files
from pipeline.runtime.formats.artifacts import ArtifactError
from stages.conftest import ROOT

STAGES = list(dag.read(ROOT))
# A recipe of O7 names its data: its stage depends on all, and reads what is named.
NAMING = ("oscillator_train_recipe", "oscillator_train_ablation", "oscillator_polish")
MAY_BE_NAMED = ("oscillator_data/variable_", "oscillator_data/damped_")


def surely_read(stage):
    """Return the inputs of a stage that it reads at every scale."""
    paths = [path.removeprefix("data/") for path in dag.read(ROOT)[stage].get("deps", [])]
    inputs = [path for path in paths if not path.startswith(("check_params/", "params.yaml"))]
    if stage in NAMING:
        inputs = [path for path in inputs if not path.startswith(MAY_BE_NAMED)]
    return [path for path in inputs if "/" in path]


WITH_INPUTS = [stage for stage in STAGES if surely_read(stage)]


def texts(folder):
    """Return the bytes of all files of a folder."""
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("stage", STAGES)
def test_it_writes_exactly_the_files_that_dvc_yaml_declares(chain, stage):
    assert {path.name for path in chain.made(stage).iterdir()} == chain.declared(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_from_its_declared_inputs_alone_it_makes_the_same_bytes_again(chain, stage, tmp_path):
    # Some first by worker processes; now all in this one.
    first = chain.made(stage)
    # check_params reads the whole checkout, not only files of other stages.
    inputs = chain.inputs if stage == dag.CHECK else tmp_path / "data"
    if stage != dag.CHECK:
        chain.copied_inputs(stage, inputs)
    with files.recording() as read:
        second = chain.run(stage, inputs, tmp_path / "again")
    assert texts(first) == texts(second)
    # The runner holds against the disk what the readers told it of: that is every input.
    unread = set(chain.sources(stage)) - {path.relative_to(inputs) for path in read}
    assert {path for path in unread if path.as_posix() in surely_read(stage)} == set()
    assert not unread or stage in NAMING


@pytest.mark.parametrize("damage", ["missing", "foreign"])
@pytest.mark.parametrize("stage", WITH_INPUTS)
def test_a_damaged_input_is_one_line_that_names_the_stage_that_makes_it(
    chain, stage, damage, tmp_path
):
    inputs = chain.copied_inputs(stage, tmp_path / "data")
    if damage == "missing":
        source, problem = surely_read(stage)[0], "is missing"
        (inputs / source).unlink()
    else:
        source, problem = surely_read(stage)[-1], "is truncated or not a "
        if Path(source).suffix == ".json":
            problem = ""  # read as JSON, or as a record of it
        (inputs / source).write_bytes(b"\x00 of another program")
    maker = source.split("/")[0]
    remedy = f"restore it: dvc checkout -f data/{source}, or remake it: dvc repro -f -s {maker}"
    if maker == "reference":
        remedy = f"git checkout -- data/{source}"
    expected = re.escape(f"{source}: {problem}") + f".*{re.escape(remedy)}$"
    with pytest.raises(ArtifactError, match=expected) as caught:
        chain.run(stage, inputs, tmp_path / "out")
    assert "\n" not in str(caught.value)
