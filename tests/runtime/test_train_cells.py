"""train_cells: the members of one name come back as one model, whoever trained them, and when."""

from typing import Any

import pytest
import torch
from work import LinearCell, train_linear

from pipeline.runtime import training_record
from pipeline.runtime.compute import job, parallel, processes
from pipeline.runtime.training_record import Trained


class Workers:
    """parallel.map_cells in this process; remembers what it was given, and counts the steps."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.description, self.units, self.reported = "", 0, 0

    def map_cells(self, function: Any, cells: Any, *, description: str, units: int) -> list[Any]:
        self.description, self.units = description, units
        self.started += [cell.name for cell in cells]
        return [function(cell) for cell in cells]

    def report(self, units: int = 1) -> None:
        self.reported += units


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    here = Workers()
    monkeypatch.setattr(parallel, "map_cells", here.map_cells)
    monkeypatch.setattr(processes, "report", here.report)
    return here


def trained(*cells: LinearCell) -> list[Trained]:
    return training_record.train_cells(train_linear, {"O1": cells})


@pytest.mark.usefixtures("workers")
def test_cells_of_one_name_are_one_model_with_its_members_in_order() -> None:
    parts = trained(
        LinearCell("b", [3, 4]), LinearCell("a", [1]), LinearCell("b", [7]), LinearCell("a", [2])
    )
    assert [(item.name, item.seeds) for item in parts] == [("b", [3, 4, 7]), ("a", [1, 2])]
    for item in parts:
        model, history, metrics = train_linear(LinearCell(item.name, item.seeds), lambda: None)
        assert item.experiment == "O1"
        assert item.params == {"window": 3, "steps": 4}
        assert item.history is not None
        assert item.history.steps == history.steps == [2, 4]
        for name, value in model.state_dict().items():
            # Stacked members are summed in another order: 1e-6 is eight float32 roundings.
            torch.testing.assert_close(item.model.state_dict()[name], value, rtol=0, atol=1e-6)
        assert item.history.values["loss"].shape == history.values["loss"].shape
        torch.testing.assert_close(item.metrics["largest"], metrics["largest"], rtol=0, atol=1e-6)


@pytest.mark.usefixtures("workers")
def test_one_name_in_two_experiments_is_two_models() -> None:
    cells = {"P2": [LinearCell("d_8", [0])], "P3": [LinearCell("d_8", [1]), LinearCell("e", [2])]}
    found = training_record.train_cells(train_linear, cells)
    assert [(item.experiment, item.name, item.seeds) for item in found] == [
        ("P2", "d_8", [0]),
        ("P3", "d_8", [1]),
        ("P3", "e", [2]),
    ]


@pytest.mark.usefixtures("workers")
def test_a_training_may_keep_no_history() -> None:
    [item] = trained(LinearCell("a", [0], measured=False), LinearCell("a", [1], measured=False))
    assert item.history is None
    assert item.metrics == {}
    assert item.model.members == 2


def test_no_cells_give_no_models() -> None:
    assert training_record.train_cells(train_linear, {"P7": []}) == []


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize("other", [{"steps": 6}, {"measured": False}])
def test_members_recorded_otherwise_are_not_joined(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a: only members with the same records can be joined"):
        trained(LinearCell("a", [0]), LinearCell("a", [1], **other))


def test_every_step_moves_the_bar_of_all_cells(workers: Workers) -> None:
    cells = {"O1": [LinearCell("a", [0])], "O2": [LinearCell("b", [0, 1], steps=6)]}
    training_record.train_cells(train_linear, cells)
    assert workers.description == "O1, O2"
    assert workers.reported == workers.units == 10


def test_worker_processes_return_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(job.SCHEDULER, raising=False)
    monkeypatch.setenv(job.WORKERS, "2")
    [item] = trained(LinearCell("a", [0]), LinearCell("a", [1]))
    for k, seed in enumerate(item.seeds):
        model, *_ = train_linear(LinearCell("a", [seed]), lambda: None)
        for name, value in model.state_dict().items():
            assert torch.equal(item.model.state_dict()[name][k], value[0])
