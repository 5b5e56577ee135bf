"""The store goes away while a stage logs: the result is whole, ``track`` completes the record."""

import resource
import time
from contextlib import closing, contextmanager
from functools import partial

import pytest

from soak import load_copy as lab
from soak import load_servers
from soak.load_rows import differences

# Where the database is to stop: before the n-th row of a table that is written or changed.
TABLES = {"runs": 14, "tags": 60, "params": 60, "metrics": 40}
HOLD = """
CREATE SEQUENCE seen;
CREATE FUNCTION hold() RETURNS trigger AS $$ BEGIN
  IF nextval('seen') = {count} THEN PERFORM pg_advisory_xact_lock(1); END IF;
  RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER hold BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION hold();
"""
RELEASE = "DROP FUNCTION IF EXISTS hold CASCADE; DROP SEQUENCE IF EXISTS seen;"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return lab.make(tmp_path_factory.mktemp("load") / "copy")


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with (
        load_servers.postgres() as (postgres, database),
        load_servers.mlflow(tmp_path_factory.mktemp("server"), database) as (mlflow, address),
    ):
        yield {"PostgreSQL": postgres, "MLflow": mlflow}, database, address


@contextmanager
def held(database, table, count):
    """Let the database stop before the n-th row of a table while the block runs."""
    import psycopg2

    load_servers.ask(database, RELEASE + HOLD.format(table=table, count=count))
    with closing(psycopg2.connect(database.replace("+psycopg2", ""))) as connection:
        connection.cursor().execute("SELECT pg_advisory_lock(1)")
        connection.commit()
        yield


def check(soak, copy, ended, ask, expected, **options):
    """A stage that could not log says so once; its files are whole; ``track`` logs it once."""
    outputs, (runs, rows) = expected
    code, said, errors = ended
    assert code == 0, said + errors
    assert errors.count("warning:") == errors.count("not tracked (") <= 1, errors
    assert "Traceback" not in said + errors
    wrong = sum(lab.outputs(copy)[path] != value for path, value in outputs.items())
    told = lab.run(copy, "pipeline", "track", **options)
    assert lab.run(copy, "pipeline", "track", **options) == ""
    held_runs, held_rows = lab.record_of_stage(ask)
    lost, surplus = differences(held_rows, rows)
    soak.tell(
        rounds=1, in_the_midst=errors.count("warning:"), files=len(outputs), differences=wrong,
        rows=len(rows), lost=lost, surplus=surplus,
    )  # fmt: skip
    assert f"{lab.STAGE}: logged" in told or not errors.count("warning:")
    assert (wrong, lost, surplus) == (0, 0, 0)
    assert held_runs == runs


@pytest.mark.parametrize("victim", ["MLflow", "PostgreSQL"])
def test_a_server_that_is_killed_while_a_stage_logs(soak, copy, servers, victim):
    processes, database, address = servers
    ask = partial(load_servers.ask, database)
    expected = lab.outputs(copy), lab.record_of_stage(partial(lab.ask_file, copy))
    lab.run(copy, "pipeline", "track", server=address)
    for turn in range(soak.rounds(short=1, long=10)):
        lab.put_aside(ask)
        rng = soak.random("killed", victim, turn)
        table = rng.choice(list(TABLES))
        with held(database, table, rng.randint(1, TABLES[table])):
            stage = lab.start(copy, "pipeline", lab.STAGE, server=address)
            while stage.poll() is None and ask(WAITING) == [(0,)]:
                time.sleep(0.02)
            processes[victim].kill()
        ended = lab.finish(stage)
        processes[victim].start()
        ask(RELEASE)
        check(soak, copy, ended, ask, expected, server=address)


def test_a_disk_that_is_full_while_a_stage_logs(soak, copy):
    ask = partial(lab.ask_file, copy)
    expected = lab.outputs(copy), lab.record_of_stage(ask)
    for turn in range(soak.rounds(short=1, long=10)):
        lab.put_aside(ask)
        size = (copy / "mlflow.db").stat().st_size
        limit = size + 4096 * soak.random("disk", turn).randint(0, 4)

        def fill(limit=limit):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        ended = lab.finish(lab.start(copy, "pipeline", lab.STAGE, preexec_fn=fill))
        check(soak, copy, ended, ask, expected)
        assert ask("PRAGMA integrity_check") == [("ok",)]
