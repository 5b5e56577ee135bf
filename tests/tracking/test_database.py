import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from pipeline.tracking import database
from pipeline.tracking.database import explained, is_locked
from pipeline.tracking.server.secrets import StoreError

NAMES = ["mlflow.db", "mlflow.db-wal", "mlflow.db-shm", "mlflow.db-journal", "mlartifacts"]


@pytest.fixture
def store(root):
    return root / "mlflow.db"


@pytest.fixture
def fill(prepared):
    """In place of MLflow, which takes seconds: a copy of the store that it made."""
    return lambda path: shutil.copy(prepared[0] / "mlflow.db", path)


def prepare(store, fill):
    return database.prepare(store, store.with_name("lock"), fill)


def write(store, name="a", journal=None):
    with closing(sqlite3.connect(store)) as connection:
        if journal:
            connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("INSERT INTO runs (run_uuid, name) VALUES (?, ?)", (name, name))
        connection.commit()


def held_runs(store):
    return sorted(name for (name,) in database.read(store, "SELECT run_uuid FROM runs"))


def files(store):
    return sorted(path.name for path in store.parent.glob("*mlflow.db*"))


def logged(store, name):
    """Write a run into a store's log alone, as an older version's stage did that was killed."""
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode=WAL')\n"
        "c.execute('INSERT INTO runs (run_uuid, name) VALUES (?, ?)', (sys.argv[2],) * 2)\n"
        "c.commit(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(store), name], check=False)
    assert files(store) == ["mlflow.db", "mlflow.db-shm", "mlflow.db-wal"]


@pytest.fixture
def holder(store):
    """Another program that holds the file until it is ended."""
    code = (
        "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN EXCLUSIVE'); print(flush=True); sys.stdin.read()"
    )
    started = []

    def hold():
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        process.stdout.readline()

    def release():
        for process in started:
            process.communicate()

    yield hold, release
    release()


def test_what_was_written_is_in_the_file_also_beside_an_open_connection(store, fill):
    prepare(store, fill)
    with closing(sqlite3.connect(store)) as reader:
        reader.execute("SELECT count(*) FROM runs").fetchone()
        write(store)
        assert files(store) == ["mlflow.db"]


def test_a_log_that_an_older_version_left_is_taken_in(store, fill):
    write(store, "first")
    logged(store, "second")
    assert prepare(store, fill) is False
    assert files(store) == ["mlflow.db"]
    assert held_runs(store) == ["first", "second"]
    with closing(sqlite3.connect(store)) as connection:  # nor will one be left again
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_deleted_store_leaves_no_ghosts(store, fill):
    logged(store, "ghost")
    journal = store.with_name("mlflow.db-journal")
    journal.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\0" * 504)  # one to be rolled back
    store.unlink()
    assert prepare(store, fill) is True
    assert files(store) == ["mlflow.db"]
    assert held_runs(store) == []


def test_a_backup_over_a_newer_log_is_the_backup(store, fill, tmp_path):
    write(store, "kept")
    backup = shutil.copy(store, tmp_path / "backup")
    logged(store, "later")
    shutil.copy(backup, store)
    prepare(store, fill)
    assert files(store) == ["mlflow.db"]
    assert held_runs(store) == ["kept"]
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def spoil_text(store):
    store.write_text("no database, but long enough to be read as one" * 50)


def spoil_half(store):
    with store.open("r+b") as file:
        file.truncate(store.stat().st_size // 2 // 4096 * 4096)


def spoil_foreign(store):
    store.unlink()
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("CREATE TABLE mine (a)")
        connection.commit()


def spoil_folder(store):
    store.unlink()
    store.mkdir()


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (spoil_text, r"file is not a database"),
        (spoil_half, r"database disk image is malformed"),
        (spoil_foreign, r"something else: it has the tables mine and not MLflow's"),
        (spoil_folder, r"is a folder, expected MLflow's sqlite file"),
    ],
)
def test_what_is_no_store_is_one_line_whose_advice_works(store, fill, tmp_path, spoil, found):
    spoil(store)
    with pytest.raises(StoreError, match=found) as told:
        prepare(store, fill)
    text = str(told.value)
    assert "\n" not in text
    advised = text.partition("move ")[2].partition(" away")[0]
    assert sorted(advised.replace(" and ", ", ").split(", ")) == sorted(NAMES)
    (tmp_path / "away").mkdir()
    for name in NAMES:
        if (store.parent / name).exists():
            shutil.move(store.parent / name, tmp_path / "away")
    assert prepare(store, fill) is True
    assert held_runs(store) == []


def test_an_empty_file_is_no_store_yet(store, fill):
    store.write_bytes(b"")
    assert prepare(store, fill) is True
    assert database.tables(store) >= database.TABLES


def test_an_empty_file_that_another_program_holds_is_left_to_it(store, fill, holder, monkeypatch):
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    store.unlink()
    hold, release = holder
    hold()
    with pytest.raises(StoreError, match=r"mlflow\.db is locked by another program"):
        prepare(store, fill)
    release()
    assert prepare(store, fill) is True


def test_a_link_to_another_disk_stays_one(store, fill, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    shutil.move(store, disk / "store.db")
    store.symlink_to(disk / "store.db")
    assert prepare(store, fill) is False
    (disk / "store.db").write_bytes(b"")
    assert prepare(store, fill) is True
    assert store.is_symlink()
    assert [path.name for path in disk.iterdir()] == ["store.db"]


def test_a_link_to_a_disk_that_is_away_is_one_line(store, fill, tmp_path):
    store.unlink()
    store.symlink_to(tmp_path / "away" / "mlflow.db")
    with pytest.raises(StoreError, match=rf"is a link to {tmp_path}/away/mlflow.db, where noth"):
        prepare(store, fill)
    assert store.is_symlink()


def test_a_process_that_never_ends_creating_it_is_named(store, fill, monkeypatch):
    from pipeline.runtime import locks

    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(database, "CREATE_SECONDS", 0.1)
    store.unlink()
    lock = store.with_name("lock")
    with (
        locks.exclusive_lock(lock, "mlflow.db"),
        pytest.raises(StoreError, match=r"mlflow.db is being made by process \d+"),
    ):
        prepare(store, fill)


def test_a_store_that_another_program_holds_is_one_line(store, fill, holder, monkeypatch):
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    hold, release = holder
    assert database.is_free(store)
    hold()
    assert not database.is_free(store)
    for look in (lambda: prepare(store, fill), lambda: database.check_writable(store)):
        with pytest.raises(StoreError, match=r"^mlflow\.db is locked by another program"):
            look()
    release()
    assert prepare(store, fill) is False
    database.check_writable(store)


def test_a_folder_that_cannot_be_written_is_named(store, monkeypatch):
    monkeypatch.setattr(database.os, "access", lambda path, mode: False)  # root may all
    with pytest.raises(StoreError, match=rf"mlflow.db cannot be written: .*{store.parent}"):
        database.check_writable(store)


def failure(store, options="", *statements):
    with closing(sqlite3.connect(f"{store.as_uri()}{options}", uri=True)) as connection:
        for statement in statements:
            connection.execute(statement)
        try:
            connection.execute("CREATE TABLE more AS SELECT hex(zeroblob(1000000))")
        except sqlite3.Error as error:
            return error
    raise AssertionError("it was written")


def test_what_sqlite_says_is_told_in_the_user_s_words(store):
    full = failure(store, "", "PRAGMA max_page_count = 1")
    assert "the disk is full" in str(explained(full))
    read_only = failure(store, "?mode=ro")
    wrapped = RuntimeError("SQL: INSERT " * 100)
    wrapped.__cause__ = ValueError("between")
    wrapped.__cause__.__cause__ = read_only
    assert str(explained(wrapped)).startswith("mlflow.db cannot be opened and written (attempt to")
    assert not is_locked(wrapped)
    assert explained(ValueError("of something else")) is None
    assert explained(failure(store, "", "CREATE TABLE more (a)")) is None
