"""Four writers at once, the first users of their store: every row arrives, and none twice."""

import sqlite3
from contextlib import closing
from functools import partial

import pytest

from pipeline.tracking.store import EXPERIMENT
from soak import load_servers
from soak.load_rows import QUERY, RUNS, differences, log_at_once, rows_of

WRITERS, ROWS = 4, 1000  # of each model: more than one batch takes
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # of what a killed server left


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """An MLflow server on PostgreSQL: its address, and what asks the database."""
    with (
        load_servers.postgres() as (_, database),
        load_servers.mlflow(tmp_path_factory.mktemp("server"), database) as (_, address),
    ):
        yield address, partial(load_servers.ask, database)


def ask_file(root, query):
    with closing(sqlite3.connect(f"file:{root / 'mlflow.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def check(soak, ask, stages, rows, seconds):
    """Compare what a database holds with what was logged, row by row."""
    expected = [row for stage in stages for row in rows_of(stage, rows)]
    held = [row for row in ask(QUERY) if row[1] == "loss"]
    lost, surplus = differences(held, expected)
    runs = ask(RUNS)
    soak.tell(rows=len(expected), lost=lost, surplus=surplus, logging_seconds=round(seconds, 1))
    assert (lost, surplus) == (0, 0)
    assert {status for _, status in runs} == {"FINISHED"}
    names = sorted(name for name, _ in runs)
    assert names == sorted({row[0] for row in expected} | set(stages))
    assert ask(f"SELECT count(*) FROM experiments WHERE name = '{EXPERIMENT}'") == [(1,)]


def test_four_first_users_of_the_local_store_lose_no_row(soak, tmp_path):
    for turn in range(soak.rounds(short=1, long=10)):
        root = tmp_path / str(turn)
        # Two in the checkout, two in copies that DVC makes for queued experiments.
        copies = [root / ".dvc" / "tmp" / "exps" / f"copy{i}" for i in range(WRITERS // 2)]
        for folder in copies:
            folder.mkdir(parents=True)
        stages = [f"a_train_{i}" for i in range(WRITERS)]
        roots = [root] * (WRITERS - len(copies)) + copies
        seconds = log_at_once(roots, stages, ROWS, tmp_path / "go")
        soak.tell(rounds=1)
        check(soak, partial(ask_file, root), stages, ROWS, seconds)
        # Whole in its file, and nothing of the writers left beside it.
        assert {path.name for path in root.glob("*mlflow.db*")} == {"mlflow.db"}
        assert not [path for copy in copies for path in copy.glob("*mlflow*")]


def test_four_first_users_of_a_server_on_postgresql_lose_no_row(soak, tmp_path, server):
    address, ask = server
    roots = [tmp_path / f"checkout{i}" for i in range(WRITERS)]
    for root in roots:
        root.mkdir()
    stages, seconds = [], 0.0
    for turn in range(soak.rounds(short=1, long=10)):
        new = [f"a_train_{turn}_{i}" for i in range(WRITERS)]
        seconds += log_at_once(roots, new, ROWS, tmp_path / "go", MLFLOW_TRACKING_URI=address)
        stages += new
        soak.tell(rounds=1)
    soak.tell(server=f"PostgreSQL {ask('SHOW server_version')[0][0].split()[0]}")
    check(soak, ask, stages, ROWS, seconds)
    assert not any((root / "mlflow.db").exists() for root in roots)
