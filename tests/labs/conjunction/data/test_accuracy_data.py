import pytest
from pydantic import ValidationError

from pipeline.labs.conjunction.data.accuracy_data import AccuracyData, CountedData
from pipeline.labs.conjunction.data.datasets import DataConfig, draw_all
from pipeline.labs.conjunction.data.task import TaskConfig

TASK = TaskConfig(
    function="sparse_and", positions=6, targets=2, p=None, tolerance=0.1, identifiable=False,
    max_draws=100,
)  # fmt: skip


def group(name, seeds, task=TASK):
    return CountedData(seeds=seeds, train=20, valid=30, tasks={name: task})


DATA = AccuracyData(sparse=group("a", 3), dense=group("b", 2), text=group("c", 1))


def test_a_number_of_seeds_stands_for_the_first_ones():
    expected = DataConfig(seeds=(0, 1, 2), train=20, valid=30, tasks={"a": TASK})
    assert DATA.groups["sparse"] == expected


def test_every_task_knows_its_groups_samples_and_seeds():
    assert list(DATA.tasks) == ["a", "b", "c"]
    task = DATA.tasks["b"]
    assert (task.about, task.samples, list(task.seeds)) == (TASK, 20, [0, 1])


def test_data_of_all_groups_are_read_as_one():
    files = []

    def read(file, config):
        files.append(file)
        return draw_all(config)

    data = DATA.read(read)
    assert files == ["sparse", "dense", "text"]
    assert {name: len(sets.train) for name, sets in data.items()} == {"a": 3, "b": 2, "c": 1}


def test_two_tasks_of_one_name_are_refused():
    with pytest.raises(ValidationError, match="two groups have a task named 'a'"):
        AccuracyData(sparse=group("a", 3), dense=group("a", 2), text=group("c", 1))


def test_data_that_cannot_be_balanced_are_refused_as_elsewhere():
    skewed = TASK.model_copy(update={"p": 0.3, "max_draws": 1})
    with pytest.raises(ValidationError, match="no 20 samples can be expected to be balanced"):
        group("a", 3, skewed)
