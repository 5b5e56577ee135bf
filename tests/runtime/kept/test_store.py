"""The folder of finished cells: whole entries, the least used removed, damage as if never kept."""

import os
from pathlib import Path

import pytest

from pipeline.runtime.kept import store as stores
from pipeline.runtime.kept.store import ABANDONED_SECONDS, Store, StoreError, configured

KEYS = [f"{k:064x}" for k in range(8)]


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    return Store(tmp_path / "cells", 10_000)


def age(store: Store, key: str, seconds: float) -> None:
    path = store._path(key)
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_what_is_kept_comes_back(kept: Store) -> None:
    assert kept.get(KEYS[0]) is None
    kept.put(KEYS[0], b"one")
    kept.put(KEYS[1], b"")
    assert (kept.get(KEYS[0]), kept.get(KEYS[1])) == (b"one", b"")
    assert len(list(kept.entries())) == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "longer"])
def test_a_damaged_entry_is_as_one_that_never_was(kept: Store, damage: str) -> None:
    kept.put(KEYS[0], b"result" * 10)
    path = kept._path(KEYS[0])
    content = path.read_bytes()
    path.write_bytes(
        {
            "cut": content[:-1],
            "empty": b"",
            "flipped": content[:40] + bytes([content[40] ^ 1]) + content[41:],
            "longer": content + b"x",
        }[damage]
    )
    assert kept.get(KEYS[0]) is None
    kept.put(KEYS[0], b"again")
    assert kept.get(KEYS[0]) == b"again"


def test_the_least_lately_used_goes_first(kept: Store) -> None:
    for number, key in enumerate(KEYS[:4]):
        kept.put(key, bytes(3000))
        age(kept, key, 1000 - number)
    assert kept.get(KEYS[0]) is not None  # used now
    kept.shrink()
    assert [key for key in KEYS[:4] if kept.get(key)] == [KEYS[0], KEYS[3]]


def test_within_the_limit_nothing_goes(kept: Store) -> None:
    for key in KEYS[:3]:
        kept.put(key, bytes(3000))
    kept.shrink()
    assert all(kept.get(key) for key in KEYS[:3])


def test_what_is_larger_than_the_limit_is_not_kept(kept: Store) -> None:
    kept.put(KEYS[0], b"small")
    kept.put(KEYS[1], bytes(20_000))
    kept.shrink()
    assert (kept.get(KEYS[0]), kept.get(KEYS[1])) == (b"small", None)


def test_what_a_killed_process_left_half_written_goes_in_time(kept: Store) -> None:
    kept.put(KEYS[0], b"one")
    young, old = (kept._path(KEYS[0]).with_name(f".{KEYS[k]}.77") for k in (1, 2))
    for path in (young, old):
        path.write_bytes(b"half")
    long_ago = old.stat().st_mtime - ABANDONED_SECONDS - 1
    os.utime(old, (long_ago, long_ago))
    assert [entry.path.name for entry in kept.entries()] == [f"{KEYS[0]}.cell"]
    assert (young.exists(), old.exists()) == (True, False)


def test_clearing_leaves_nothing_and_other_files_alone(kept: Store) -> None:
    kept.put(KEYS[0], b"one")
    note = kept.folder / "note.txt"
    note.write_text("mine", encoding="utf-8")
    kept.clear()
    assert list(kept.entries()) == []
    assert note.exists()


def test_it_says_what_it_holds(kept: Store) -> None:
    kept.put(KEYS[0], bytes(1000))
    assert kept.described() == (
        f"1 finished cells are kept, 0.00 of at most {kept.limit / stores.GIB:g} GiB, "
        f"in {kept.folder}"
    )


@pytest.mark.parametrize("word", ["off", "OFF", " off "])
def test_it_can_be_turned_off(word: str) -> None:
    assert configured({stores.FOLDER: word}) is None


def test_it_lies_in_the_user_s_cache_unless_told(tmp_path: Path) -> None:
    home = configured({})
    assert home is not None
    assert home.folder == Path("~/.cache/attention-lab/cells").expanduser()
    cache = configured({"XDG_CACHE_HOME": str(tmp_path)})
    assert cache is not None
    assert cache.folder == tmp_path / "attention-lab" / "cells"
    told = configured({stores.FOLDER: str(tmp_path / "here"), stores.LIMIT: "0.5"})
    assert told == Store(tmp_path / "here", 2**29)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({stores.FOLDER: "cells"}, "ATTENTION_LAB_CELLS must be an absolute path or 'off'"),
        *(
            ({stores.LIMIT: given}, "ATTENTION_LAB_CELLS_GIB must be a number of GiB above 0")
            for given in ("", "0", "-1", "nan", "inf", "much")
        ),
    ],
)
def test_another_word_of_the_environment_is_refused(
    environment: dict[str, str], message: str
) -> None:
    with pytest.raises(StoreError, match=f"^{message}, got"):
        configured(environment)
