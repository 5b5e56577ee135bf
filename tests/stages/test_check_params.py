import shutil

import pytest

from pipeline.config import ConfigError
from pipeline.runtime import artifacts

STAGE = "check_params"


@pytest.fixture
def checkout(chain, tmp_path):
    """A copy of the scratch checkout whose params.yaml may be spoilt."""
    (tmp_path / "pipeline").symlink_to(chain.root / "pipeline")
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(chain.root / name, tmp_path)
    return tmp_path


def test_its_output_says_nothing_of_the_values(chain):
    content = artifacts.read_json(chain.made(STAGE) / "ok.json")
    assert content == {"params.yaml": "checked"}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("dt: 0.1 ", "dt: -0.1 ", "oscillator.task.dt must be > 0, got -0.1"),
        ("name: AdamW ", "name: Adamw ", "must be an element-wise optimiser of torch"),
        ("{weight_decay: 0.0}", "{weight_dcay: 0.0}", "does not take options {'weight_dcay': 0.0}"),
        (
            "prediction_threshold: 0.1",
            "prediction_threshold: .nan",
            "measure.prediction_threshold must be",
        ),
        ("  task:", "  tusk:", "oscillator.task"),
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
