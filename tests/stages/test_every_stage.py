"""What holds for each stage of dvc.yaml, whatever it does."""

import re

import pytest

from pipeline.runtime import artifacts, dag
from pipeline.runtime.artifacts import ArtifactError
from stages.conftest import ROOT

STAGES = list(dag.read(ROOT))
INPUTS = [
    (stage, path.removeprefix("data/"))
    for stage, entry in dag.read(ROOT).items()
    for path in entry.get("deps", [])
    if path.startswith("data/") and not path.startswith("data/check_params/")
]


def is_read(chain, stage, source):
    """A recipe of O7 names its data: its stage depends on all, and reads what is named."""
    recipes = artifacts.read_json(chain.made("oscillator_train_recipe") / "models.json")
    named = {each["params"]["data"] for each in recipes}
    if stage == "oscillator_polish":
        polished = chain.params(stage).polish.model
        named = {e["params"]["data"] for e in recipes if e["model"]["name"] == polished}
    elif stage == "oscillator_train_ablation":
        named = {recipe.data for recipe in chain.params(stage).train.models.values()}
    elif stage != "oscillator_train_recipe":
        return True
    data, _, part = source.removeprefix("oscillator_data/").partition("_")
    return data in named or part not in ("train.npz", "valid.npz")


@pytest.mark.parametrize("stage", STAGES)
def test_it_writes_exactly_the_files_that_dvc_yaml_declares(chain, stage):
    assert {path.name for path in chain.made(stage).iterdir()} == chain.declared(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_from_its_declared_inputs_alone_it_makes_the_same_bytes_again(chain, stage, tmp_path):
    # Some first by worker processes; now all in this one.
    first = chain.made(stage)
    # check_params reads the whole checkout, not only files of other stages.
    inputs = chain.inputs if stage == "check_params" else tmp_path / "data"
    if stage != "check_params":
        chain.copied_inputs(stage, inputs)
    second = chain.run(stage, inputs, tmp_path / "again")
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


@pytest.mark.parametrize("damage", ["missing", "foreign"])
@pytest.mark.parametrize(("stage", "source"), INPUTS)
def test_a_damaged_input_is_one_line_that_names_the_stage_that_makes_it(
    chain, stage, source, damage, tmp_path
):
    inputs = chain.copied_inputs(stage, tmp_path / "data")
    if not is_read(chain, stage, source):
        pytest.skip("no recipe names this data set")
    if damage == "missing":
        (inputs / source).unlink()
        problem = "is missing"
    else:
        (inputs / source).write_bytes(b"\x00 of another program")
        problem = "is truncated or not a "
    maker = source.split("/")[0]
    remedy = f"dvc repro -f -s {maker}"
    if maker == "reference":
        remedy = f"git checkout -- data/{source}"
    expected = re.escape(f"{source}: {problem}") + f".*{re.escape(remedy)}$"
    with pytest.raises(ArtifactError, match=expected) as caught:
        chain.run(stage, inputs, tmp_path / "out")
    assert "\n" not in str(caught.value)
