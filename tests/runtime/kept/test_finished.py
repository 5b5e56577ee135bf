"""Cells that are kept: taken instead of computed, with the same bits, and never wrongly."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import work

from pipeline.__main__ import ROOT
from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.labs.oscillator.train.forecast import ForecastCell, train_forecaster
from pipeline.runtime import fingerprint, training_record
from pipeline.runtime.compute import account, device, job, parallel, processor
from pipeline.runtime.compute.account import Account
from pipeline.runtime.kept import finished, identity
from pipeline.runtime.kept import store as stores
from pipeline.runtime.kept.content import Digest


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Account:
    fresh = Account()
    monkeypatch.setattr(account, "of_process", fresh)
    return fresh


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(stores.FOLDER, str(tmp_path / "cells"))
    monkeypatch.setenv(job.WORKERS, "1")
    return tmp_path / "cells"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in this process, one cell after the other."""

    def execute(asked: job.Job, done: Any) -> None:
        for number, each in enumerate(asked.cells):
            done(number, asked.finishing(each))

    monkeypatch.setattr(parallel, "_execute", execute)


def cell(seeds: list[int], **changes: Any) -> ForecastCell:
    states = torch.randn(20, 4, 2, generator=torch.Generator().manual_seed(0))
    plain = ForecastCell(
        name="linear", kind=LinearWindow,
        config=LinearWindowConfig(window=3, d_in=2, d_out=2), seeds=seeds, loss="last",
        training=work.TRAINING.model_copy(update={"steps": 6}), train=states, valid=states,
    )  # fmt: skip
    return replace(plain, **changes)


def trained(*cells: ForecastCell) -> str:
    """Train, and return the hash of all that came out."""
    return Digest().of(training_record.train_cells(train_forecaster, {"O6": list(cells)}))


def test_a_second_run_takes_all_and_gives_the_same_bits(counted: Account) -> None:
    first = trained(cell([0]), cell([1, 2]))
    assert (counted.computed, counted.kept) == (2, 0)
    assert trained(cell([0]), cell([1, 2])) == first
    assert (counted.computed, counted.kept) == (2, 2)


@pytest.mark.usefixtures("here")
def test_turned_off_it_gives_the_same_bits(
    counted: Account, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = trained(cell([0]), cell([1, 2]))
    kept = sorted(folder.rglob("*.cell"))
    monkeypatch.setenv(stores.FOLDER, stores.OFF)
    assert trained(cell([0]), cell([1, 2])) == first
    assert (counted.computed, counted.kept) == (4, 0)
    assert sorted(folder.rglob("*.cell")) == kept


@pytest.mark.usefixtures("here")
def test_a_seed_that_is_added_costs_that_seed(counted: Account) -> None:
    trained(cell([0]), cell([1]))
    trained(cell([0]), cell([1]), cell([2]))
    assert (counted.computed, counted.kept) == (3, 2)


def changes() -> list[dict[str, Any]]:
    states = cell([0]).train
    other = work.TRAINING.model_copy(update={"steps": 7})
    return [{"training": other}, {"train": states + 1}, {"valid": states[:10]}, {"seeds": [3]}]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("change", changes(), ids=lambda change: next(iter(change)))
def test_whatever_a_cell_computes_with_makes_it_another(
    counted: Account, change: dict[str, Any]
) -> None:
    trained(cell([0]))
    trained(replace(cell([0]), **change))
    assert (counted.computed, counted.kept) == (2, 0)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("part", ["code", "processor", "device"])
def test_other_code_and_another_processor_take_nothing(
    counted: Account, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    trained(cell([0]))
    if part == "code":
        monkeypatch.setattr(identity.Identity, "code", lambda self: "edited")
    elif part == "processor":
        monkeypatch.setattr(processor, "kind", lambda: "another")
    else:
        monkeypatch.setattr(device, "described", lambda: "cuda: 1 x another")
    trained(cell([0]))
    assert (counted.computed, counted.kept) == (2, 0)


def test_the_code_of_a_cell_is_its_function_s_and_what_that_imports() -> None:
    told = identity.Identity("cpu")
    told.keys(train_forecaster, [cell([0])])
    modules = sorted(name for name in told._digest.modules if name.startswith("pipeline."))
    files = fingerprint.of_modules([*modules, *identity.AROUND], identity.ROOT).files
    assert {
        "pipeline/labs/oscillator/train/forecast.py",
        "pipeline/core/training/ensemble.py",
        "pipeline/core/nn/linear.py",
        "pipeline/runtime/compute/numerics.py",
    } <= set(files)
    assert not any("stages" in file or "runtime/kept" in file for file in files)


@pytest.mark.usefixtures("here")
def test_code_that_was_edited_while_cells_ran_keeps_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter(["before", "before", *["edited"] * 9])
    monkeypatch.setattr(identity.Identity, "code", lambda self: next(codes))
    trained(cell([0]))
    assert not list(folder.rglob("*.cell"))


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("damage", [b"", b"not a cell"])
def test_a_damaged_entry_is_computed_again(counted: Account, folder: Path, damage: bytes) -> None:
    first = trained(cell([0]))
    [entry] = folder.rglob("*.cell")
    entry.write_bytes(damage)
    assert trained(cell([0])) == first
    assert trained(cell([0])) == first
    assert (counted.computed, counted.kept) == (2, 1)


@pytest.mark.usefixtures("here")
def test_an_entry_of_another_layout_is_computed_again(counted: Account, folder: Path) -> None:
    first = trained(cell([0]))
    [entry] = folder.rglob("*.cell")
    kept = stores.configured()
    assert kept is not None
    kept.put(entry.stem, b"sound, but no result")
    assert trained(cell([0])) == first
    assert (counted.computed, counted.kept) == (2, 0)


@pytest.mark.usefixtures("here")
def test_a_cell_whose_content_cannot_be_told_is_computed_and_not_kept(
    counted: Account, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    squared = partial(device.train, lambda x: x.square())
    cells = [torch.tensor(2.0), torch.tensor(3.0)]
    assert parallel.map_cells(squared, cells, description="squares") == [4.0, 9.0]
    assert not list(folder.rglob("*.cell"))
    assert (counted.computed, counted.kept) == (2, 0)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "<lambda>" in told
    assert "are computed and not kept" in told


def test_what_finished_before_an_error_is_kept(counted: Account) -> None:
    broken = cell([5], loss="sequence", name="broken")  # which a linear map refuses
    with pytest.raises(ValueError, match="predicts its last position only"):
        trained(cell([0]), broken)
    trained(cell([0]))
    assert (counted.computed, counted.kept) == (1, 1)


def test_what_finished_before_a_kill_is_kept(counted: Account, folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "import work; work.train_short_and_endless()"],
        env=os.environ | {job.WORKERS: "2", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
    )
    assert work.until(lambda: bool(list(folder.rglob("*.cell"))))
    process.kill()
    process.wait()
    trained(cell([0], name="short"))
    assert (counted.computed, counted.kept) == (0, 1)


@pytest.mark.usefixtures("here")
def test_a_folder_that_cannot_be_written_costs_one_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write_text("a file", encoding="utf-8")
    first = trained(cell([0]), cell([1]))
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith(f"warning: finished cells are not kept in {folder} (")
    folder.unlink()
    assert trained(cell([0]), cell([1])) == first


@pytest.mark.parametrize("function", [work.train_linear, print])
def test_functions_of_other_packages_are_not_kept(function: Callable[..., Any]) -> None:
    held = finished.Finished(function, [1], "cpu")
    assert held.take() == {}
    held.keep(0, b"anything")
    assert held.take() == {}
