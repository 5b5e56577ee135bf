import shlex
import sqlite3
from contextlib import closing

import pytest

from pipeline.tracking import schema
from pipeline.tracking.server.secrets import StoreError


def set_version(store, *versions):
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("DELETE FROM alembic_version")
        connection.executemany("INSERT INTO alembic_version VALUES (?)", [(v,) for v in versions])
        connection.commit()


def test_the_installed_mlflow_s_own_schema_is_good(root):
    schema.check(root / "mlflow.db")


def test_the_newest_of_mlflow_s_revisions_is_the_one_that_it_makes_a_store_with(root):
    known, newest = schema._revisions()
    with closing(sqlite3.connect(root / "mlflow.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (newest,)
    assert newest in known


def test_an_older_store_is_told_with_the_whole_command(root):
    root = root.rename(root.with_name(f"a folder {'x' * 200}"))
    store = root / "mlflow.db"
    known, newest = schema._revisions()
    set_version(store, min(known - {newest}))
    with pytest.raises(StoreError, match="of an MLflow older than the installed MLflow 3") as told:
        schema.check(store)
    command = str(told.value).partition("upgrade it: ")[2]
    assert shlex.split(command)[1:] == ["-m", "mlflow", "db", "upgrade", f"sqlite:///{store}"]


@pytest.mark.parametrize("versions", [["ffffffffffff"], []])
def test_a_newer_store_asks_for_a_newer_mlflow(root, versions):
    set_version(root / "mlflow.db", *versions)
    with pytest.raises(StoreError, match=r"newer than the installed MLflow 3.*install the MLflow"):
        schema.check(root / "mlflow.db")
