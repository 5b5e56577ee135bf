import json
import shutil

import pytest

from pipeline import config
from pipeline.config import ConfigError
from pipeline.runtime import dag
from pipeline.runtime.formats import artifacts
from stages.conftest import ROOT

STAGE = "check_params"


@pytest.fixture
def checkout(chain, tmp_path):
    """A copy of the scratch checkout whose params.yaml may be spoilt."""
    (tmp_path / "pipeline").symlink_to(chain.root / "pipeline")
    for name in ("dvc.yaml", "params.yaml", "requirements.lock"):
        shutil.copy(chain.root / name, tmp_path)
    return tmp_path


def test_it_writes_each_other_stage_s_code_and_resolved_params(chain):
    folder = chain.made(STAGE)
    others = set(dag.stage_names(ROOT)) - {STAGE}
    assert {path.stem for path in (folder / "code").iterdir()} == others
    assert {path.stem for path in (folder / "params").iterdir()} == others
    content = config.read(chain.root / config.FILE)
    for name in others:
        written = artifacts.read_json(folder / "params" / f"{name}.json")
        sections = {
            f"{lab}.{part}": with_lists(keys)
            for lab, p in written.items()
            for part, keys in p.items()
        }
        assert set(sections) == set(dag.stage_module(name).Params.sections())
        assert sections == {section: content[section] for section in sections}
        code = artifacts.read_json(folder / "code" / f"{name}.json")
        assert set(code) == {"code", "files", "packages", "python"}
        assert f"pipeline/stages/{name.replace('_', '/', 1)}.py" in code["files"]
        assert "pipeline/runtime/runner.py" in code["files"]


def with_lists(value):
    """Undo that a list of plain values is written as one text."""
    if isinstance(value, dict):
        return {key: with_lists(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_lists(inner) for inner in value]
    return json.loads(value) if isinstance(value, str) and value.startswith("[") else value


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("dt: 0.1 ", "dt: -0.1 ", "oscillator.task.dt must be >= 1e-06, got -0.1"),
        ("name: AdamW ", "name: Adamw ", "must be an element-wise optimiser of torch"),
        ("{weight_decay: 0.0}", "{weight_dcay: 0.0}", "does not take options .*weight_dcay"),
        (
            "prediction_threshold: 0.1",
            "prediction_threshold: .nan",
            "measure.prediction_threshold must be",
        ),
        ("  task:", "  tusk:", "oscillator.task"),
        ("preset: linear_recipe", "preset: linear_recip", "did you mean linear_recipe"),
    ],
)
def test_a_fault_in_any_section_stops_it_and_nothing_is_written(
    chain, checkout, tmp_path, old, new, complaint
):
    text = (checkout / "params.yaml").read_text()
    assert old in text
    (checkout / "params.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=complaint.replace("{", r"\{")):
        chain.run(STAGE, checkout / "data", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_rollouts_beyond_the_test_trajectories_are_found_before_anything_trains(
    chain, checkout, tmp_path
):
    text = (checkout / "params.yaml").read_text()
    assert "test_steps: 200" in text
    (checkout / "params.yaml").write_text(text.replace("test_steps: 200", "test_steps: 199"))
    with pytest.raises(ConfigError, match=r"rollout_steps must be <= .*test_steps = 199, got 200"):
        chain.run(STAGE, checkout / "data", tmp_path / "out")
