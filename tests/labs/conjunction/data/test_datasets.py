import pytest
import torch
from pydantic import ValidationError

from pipeline.labs.conjunction.data.datasets import DataConfig, draw_data, file_of, pack, unpack
from pipeline.labs.conjunction.data.task import TaskConfig
from pipeline.runtime.formats import artifacts, records
from pipeline.runtime.formats.artifacts import ArtifactError

TASK = TaskConfig(
    function="sparse_and_query",
    positions=7,
    targets=2,
    p=None,
    tolerance=0.2,
    identifiable=False,
    max_draws=100,
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


def test_a_file_keeps_all_bits(tmp_path):
    data = {"a": draw_data(TASK, 20, 30, [3, 4]), "b": draw_data(TASK, 10, 30, [3, 4])}
    records.write_arrays(tmp_path / "data.npz", pack(data))
    again = unpack(records.read_arrays(tmp_path / "data.npz", file_of(data)), data)
    assert list(again) == ["a", "b"]
    for name, sets in data.items():
        for part in ("train", "valid", "targets"):
            assert torch.equal(getattr(again[name], part), getattr(sets, part)), (name, part)


@pytest.mark.parametrize(
    ("part", "value", "problem"),
    [
        ("a_train", torch.zeros(2, 20, 7), "'a_train' is float32"),
        ("a_valid", torch.zeros(2, 30, 8, dtype=torch.uint8), r"expected uint8 \(seed=2.*=7\)"),
        ("b_targets", torch.zeros(3, 2, 2, dtype=torch.int64), r"expected int64 \(seed=2"),
    ],
)
def test_each_array_of_a_file_is_checked(tmp_path, part, value, problem):
    file = pack({name: draw_data(TASK, 20, 30, [3, 4]) for name in ("a", "b")})
    arrays = {name: getattr(file, name) for name in file.__dataclass_fields__}
    artifacts.write_npz(tmp_path / "data.npz", **(arrays | {part: value}))
    with pytest.raises(ArtifactError, match=problem):
        records.read_arrays(tmp_path / "data.npz", file_of(["a", "b"]))


def test_a_name_that_cannot_name_an_array_is_refused():
    with pytest.raises(ValidationError, match="letters, digits and _, got 's-2'"):
        DataConfig(seeds=(0,), train=5, valid=5, tasks={"s-2": TASK})


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
