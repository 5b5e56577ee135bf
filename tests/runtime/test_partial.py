"""Folders of stages that are being made, and what a kill leaves of them."""

from pathlib import Path

import pytest

from pipeline.runtime import locks, partial


def killed(root: Path, name: str) -> Path:
    """Leave what a killed stage leaves."""
    folder = root / "data" / ".partial" / name
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "half.json").write_text("{", encoding="utf-8")
    return folder


def test_a_stage_starts_in_an_empty_folder_that_is_gone_afterwards(tmp_path: Path) -> None:
    left = killed(tmp_path, "a_stage")
    with partial.making(tmp_path, "a_stage") as folder:
        assert folder == left
        assert list(folder.iterdir()) == []
    assert not folder.exists()
    with pytest.raises(OSError, match="full"), partial.making(tmp_path, "a_stage") as folder:
        raise OSError("disk full")
    assert not folder.exists()


def test_what_killed_stages_left_is_swept_and_what_is_being_made_is_not(tmp_path: Path) -> None:
    left, held = killed(tmp_path, "left"), killed(tmp_path, "held")
    with locks.exclusive_lock(partial.lock(tmp_path, "held"), "held"):
        partial.sweep(tmp_path)
        assert not left.exists()
        assert (held / "code" / "half.json").exists()
    partial.sweep(tmp_path)
    assert not held.exists()


def test_there_may_be_nothing_to_sweep_or_no_right_to(tmp_path: Path) -> None:
    partial.sweep(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".partial").touch()
    partial.sweep(tmp_path)
    (tmp_path / "data" / ".partial").unlink()
    left = killed(tmp_path, "left")
    (tmp_path / "data" / ".locks").touch()  # where a lock should be made
    partial.sweep(tmp_path)
    assert left.exists()
