import pytest
import torch

from pipeline.labs.conjunction.task import DatasetError, is_balanced, label
from pipeline.stages.conjunction._data import read_data

STAGE = "conjunction_data"


@pytest.mark.parametrize("section", ["samples", "compare", "rule"])
def test_every_task_has_its_data_sets_for_every_seed(chain, section):
    config = getattr(chain.params(STAGE), section)
    chain.made(STAGE)
    for name, data in read_data(chain.inputs, f"{section}.npz", list(config.tasks)).items():
        task = config.tasks[name]
        assert data.train.shape == (len(config.seeds), config.train, task.positions)
        assert data.valid.shape == (len(config.seeds), config.valid, task.positions)
        assert data.targets.shape == (len(config.seeds), task.rules, task.targets)
        assert set(data.train.unique().tolist()) == {0.0, 1.0}
        for own in label(data.train, data.targets):
            assert is_balanced(task, own)


def test_the_metrics_state_the_balance(chain):
    metrics, config = chain.metrics(STAGE)["C3"], chain.params(STAGE)
    tasks = {**config.samples.tasks, **config.compare.tasks, **config.rule.tasks}
    assert set(metrics) == set(tasks)
    for name, found in metrics.items():
        assert found["positive_expected"] == pytest.approx(tasks[name].positive_fraction)
        assert 0 <= found["positive"] <= 1
    assert metrics["s4_tutorial"]["retries_fail"] > 0.5
    assert metrics["s2"]["retries_fail"] < 1e-6


def test_a_balance_that_cannot_be_is_one_line(chain, tmp_path, monkeypatch):
    params = chain.params(STAGE)
    four = params.compare.tasks["s4_tutorial"].model_copy(update={"tolerance": 0.01, "tries": 3})
    compare = params.compare.model_copy(update={"tasks": {"s4": four}})
    monkeypatch.setattr(
        chain, "params", lambda stage: params.model_copy(update={"compare": compare})
    )
    with pytest.raises(DatasetError, match=r"balanced within 0\.01 in 3 tries") as caught:
        chain.run(STAGE, chain.inputs, tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_the_rule_bit_is_the_last(chain):
    chain.made(STAGE)
    rule = read_data(chain.inputs, "rule.npz", ["rule"])["rule"]
    assert int(rule.targets.max()) < rule.train.shape[-1] - 1
    assert bool(torch.isin(rule.train[..., -1], torch.tensor([0.0, 1.0]).double()).all())
