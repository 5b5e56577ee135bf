import pytest
import torch

from pipeline.labs.conjunction.data.datasets import file_of, unpack
from pipeline.labs.conjunction.data.task import DatasetError, is_balanced, label
from pipeline.runtime.formats import records

STAGE = "conjunction_data"


def of(params, section):
    return params.accuracy.groups.get(section) or getattr(params, section)


def read(chain, section):
    tasks = of(chain.params(STAGE), section).tasks
    path = chain.made(STAGE) / f"{section}.npz"
    return unpack(records.read_arrays(path, file_of(tasks)), tasks)


@pytest.mark.parametrize("section", ["plain", "sparse", "dense", "text", "rule"])
def test_every_task_has_its_data_sets_for_every_seed(chain, section):
    config = of(chain.params(STAGE), section)
    for name, data in read(chain, section).items():
        task = config.tasks[name]
        assert data.train.shape == (len(config.seeds), config.train, task.positions)
        assert data.valid.shape == (len(config.seeds), config.valid, task.positions)
        assert data.targets.shape == (len(config.seeds), task.rules, task.targets)
        assert set(data.train.unique().tolist()) == {0.0, 1.0}
        for labels in label(data.train, data.targets):
            assert is_balanced(task, labels)


def test_the_results_state_the_balance(chain):
    results, config = chain.metrics(STAGE)["C3"], chain.params(STAGE)
    of_accuracy = {name: task.about for name, task in config.accuracy.tasks.items()}
    tasks = {**config.plain.tasks, **of_accuracy, **config.rule.tasks}
    assert set(results) == set(tasks)
    for name, balance in results.items():
        expected = tasks[name].positive_fraction
        assert balance["positive_fraction_expected"] == pytest.approx(expected)
        assert 0 <= balance["positive_fraction"] <= 1
    assert results["s4_tutorial"]["tutorial_failure_probability"] > 0.5
    assert results["s2"]["tutorial_failure_probability"] < 1e-6


def test_a_balance_that_cannot_be_is_one_line(chain, tmp_path, monkeypatch):
    params = chain.params(STAGE)
    update = {"tolerance": 0.01, "max_draws": 3}
    four = params.accuracy.dense.tasks["s4_tutorial"].model_copy(update=update)
    dense = params.accuracy.dense.model_copy(update={"tasks": {"s4": four}})
    changed = {"accuracy": params.accuracy.model_copy(update={"dense": dense})}
    monkeypatch.setattr(chain, "params", lambda stage: params.model_copy(update=changed))
    with pytest.raises(DatasetError, match=r"balanced within 0\.01 in 3 draws") as caught:
        chain.run(STAGE, chain.inputs, tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_the_rule_bit_is_the_last(chain):
    rule = read(chain, "rule")["rule"]
    assert int(rule.targets.max()) < rule.train.shape[-1] - 1
    assert bool(torch.isin(rule.train[..., -1], torch.tensor([0.0, 1.0]).double()).all())
