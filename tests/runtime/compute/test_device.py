"""device: the environment's word, what there is of it, and which card a worker trains on."""

import multiprocessing
import re
from collections.abc import Callable, Sequence
from functools import cache
from types import SimpleNamespace

import pytest
import torch

from pipeline import commands
from pipeline.runtime.compute import cluster, cores, device, job, processes
from pipeline.runtime.compute.device import DEVICE, DeviceError
from pipeline.tracking import circumstances

See = Callable[[Sequence[str]], None]


@pytest.fixture(autouse=True)
def _nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (DEVICE, job.WORKERS, job.SCHEDULER):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(device, "cards", cache(device.cards.__wrapped__))


@pytest.fixture
def see(monkeypatch: pytest.MonkeyPatch) -> See:
    """Let torch see cards of these names."""

    def with_cards(names: Sequence[str]) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(names))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(names))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda k: names[k])
        device.cards.cache_clear()

    return with_cards


def train(cell: int, on_step: Callable[[], None], device: torch.device | None = None) -> object:
    on_step()
    return (cell, device)


@pytest.mark.parametrize(
    ("word", "names", "expected"),
    [
        (None, ["A100"], "cpu"),
        ("cpu", ["A100"], "cpu"),
        ("auto", [], "cpu"),
        ("auto", ["A100"], "cuda"),
        ("cuda", ["A100"], "cuda"),
    ],
)
def test_a_card_is_used_only_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, see: See, word: str | None, names: list[str], expected: str
) -> None:
    see(names)
    if word is not None:
        monkeypatch.setenv(DEVICE, word)
    assert device.chosen() == expected


def test_torch_is_not_asked_for_cards_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "cards", lambda: pytest.fail("asked"))
    assert (device.chosen(), device.described()) == ("cpu", "cpu")
    assert device.train(train, 7, lambda: None) == (7, None)


@pytest.mark.parametrize("word", ["", "gpu", "CUDA", "cuda:1"])
def test_another_word_is_refused_before_any_work(
    monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv(DEVICE, word)
    with pytest.raises(DeviceError, match=f"^{DEVICE} must be auto, cpu or cuda, got {word!r}$"):
        commands.tell_device("O3")


def test_cuda_where_there_is_none_is_one_line(monkeypatch: pytest.MonkeyPatch, see: See) -> None:
    see([])
    monkeypatch.setenv(DEVICE, "cuda")
    expected = f"{DEVICE}=cuda: torch {torch.__version__} finds no CUDA device here: unset it to"
    with pytest.raises(DeviceError, match=f"^{re.escape(expected)} compute on the CPU; make TORCH"):
        commands.tell_device("O3")
    assert DeviceError in commands.expected_errors()


def test_a_wrong_number_of_workers_is_refused_before_any_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(job.WORKERS, "0")
    with pytest.raises(job.ExecutionError, match=job.WORKERS):
        commands.tell_device("O3")


def test_the_log_and_the_record_tell_of_cards(
    monkeypatch: pytest.MonkeyPatch, see: See, capsys: pytest.CaptureFixture[str]
) -> None:
    see(["A100", "H100", "A100"])
    commands.tell_device("O3")
    assert capsys.readouterr().err == ""
    assert circumstances.machine_tags()["device"] == "cpu"
    monkeypatch.setenv(DEVICE, "auto")
    commands.tell_device("O3")
    assert capsys.readouterr().err == "O3: trains on cuda: 2 x A100, 1 x H100\n"
    assert circumstances.machine_tags()["device"] == "cuda: 2 x A100, 1 x H100"


def test_the_cards_of_a_cluster_are_not_looked_for_here(
    monkeypatch: pytest.MonkeyPatch, see: See, capsys: pytest.CaptureFixture[str]
) -> None:
    see([])
    monkeypatch.setenv(job.SCHEDULER, "tcp://elsewhere:8786")
    monkeypatch.setenv(DEVICE, "cuda")
    commands.tell_device("O3")
    assert capsys.readouterr().err == "O3: trains on cuda\n"


def test_a_training_has_a_worker_a_card_and_other_cells_one_a_core(
    monkeypatch: pytest.MonkeyPatch, see: See
) -> None:
    see(["A100", "A100", "A100"])
    training = processes.reporting(train)
    assert processes.worker_count(training) == cores.available()
    monkeypatch.setenv(DEVICE, "cuda")
    assert processes.worker_count(training) == 3
    assert processes.worker_count(train) == cores.available()
    monkeypatch.setenv(job.WORKERS, "5")
    assert processes.worker_count(training) == 5


@pytest.mark.parametrize(("worker", "card"), [((), 0), ((1,), 0), ((2,), 1), ((3,), 0)])
def test_workers_take_the_cards_in_turn(
    monkeypatch: pytest.MonkeyPatch, see: See, worker: tuple[int, ...], card: int
) -> None:
    see(["A100", "A100"])
    monkeypatch.setattr(
        multiprocessing, "current_process", lambda: SimpleNamespace(_identity=worker)
    )
    training = processes.reporting(train)
    assert training(7) == (7, None)
    monkeypatch.setenv(DEVICE, "cuda")
    assert training(7) == (7, torch.device("cuda", card))


def run_out(cell: int, device: torch.device) -> None:
    raise torch.OutOfMemoryError(f"{cell} on {device}")


def test_a_card_without_memory_for_a_cell_is_one_line(
    monkeypatch: pytest.MonkeyPatch, see: See
) -> None:
    see(["A100"])
    monkeypatch.setenv(DEVICE, "cuda")
    expected = (
        r"^the memory of cuda:0 \(A100\) ran out: give a cell fewer members \(members_per_cell"
    )
    with pytest.raises(DeviceError, match=expected):
        device.train(run_out, 7)


def test_a_clusters_worker_with_another_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    here = cluster.code.__wrapped__()
    monkeypatch.setenv(DEVICE, "cuda")
    told = cluster.difference(cluster.code.__wrapped__(), here)
    assert told.startswith(f"{DEVICE} cuda where this checkout has cpu: give it the same")
