import pytest
import torch
from pydantic import ValidationError

from pipeline.labs.conjunction import datasets
from pipeline.labs.conjunction.datasets import DataConfig, draw_data, from_arrays, to_arrays
from pipeline.labs.conjunction.task import TaskConfig, label

TASK = TaskConfig(
    form="query", positions=7, targets=2, p=None, tolerance=0.2, identified=False, tries=100
)


def test_a_members_data_sets_are_those_of_its_seed_alone():
    both, alone = draw_data(TASK, 20, 30, [3, 4]), draw_data(TASK, 20, 30, [4])
    assert torch.equal(both.train[1], alone.train[0])
    assert torch.equal(both.valid[1], alone.valid[0])
    assert torch.equal(both.targets[1], alone.targets[0])
    part = both.members(1, 2)
    assert torch.equal(part.train, alone.train)


def test_training_and_validation_sets_share_targets_and_nothing_else():
    data = draw_data(TASK, 30, 30, [0])
    assert not torch.equal(data.train, data.valid)


def test_a_file_keeps_all_bits():
    data = draw_data(TASK, 20, 30, [3, 4])
    arrays = to_arrays("a", data)
    assert arrays.keys() == datasets.schema(["a"]).keys()
    again = from_arrays("a", arrays)
    assert torch.equal(again.train, data.train)
    assert torch.equal(again.targets, data.targets)


def test_the_tutorials_loop_always_fails_for_four_targets_and_hardly_ever_for_two():
    p = 0.5**0.5
    four = TASK.model_copy(update={"positions": 17, "targets": 4, "p": p})
    # 100 tries of P(90 <= Binomial(200, 1/4) <= 110) of about 1e-9.
    assert datasets.retries_fail(four, 200) > 1 - 1e-6
    assert datasets.retries_fail(TASK, 200) < 1e-30


def test_the_chance_that_retries_fail_is_that_of_a_simulation():
    task = TASK.model_copy(update={"p": 0.62})
    once = 1 - datasets.retries_fail(task, 40) ** (1 / 100)
    loose = task.model_copy(update={"tolerance": None})
    data = draw_data(loose, 40, 1, range(4000))
    share = label(data.train, data.targets).mean(1)
    balanced = ((share - 0.5).abs() <= 0.05 + 1e-12).double().mean()
    # Binomial: five standard deviations over 4,000 data sets.
    assert float(balanced) == pytest.approx(once, abs=5 * (once * (1 - once) / 4000) ** 0.5)


@pytest.mark.parametrize("size", ["train", "valid"])
def test_zero_samples_are_refused(size):
    sizes = {"train": 5, "valid": 5, size: 0}
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        DataConfig(seeds=(0,), tasks={"a": TASK}, **sizes)


def test_a_balance_that_cannot_be_is_refused_before_anything_is_drawn():
    four = TASK.model_dump() | {"positions": 17, "targets": 4, "p": 0.5**0.5, "tolerance": 0.05}
    with pytest.raises(ValidationError, match=r"tasks\.a: no 200 samples can be expected"):
        DataConfig(seeds=(0,), train=200, valid=200, tasks={"a": four})
    kept = DataConfig(seeds=(0,), train=200, valid=200, tasks={"a": four | {"tolerance": None}})
    assert kept.tasks["a"].p == 0.5**0.5
