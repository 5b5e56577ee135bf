import threading
from importlib import import_module

import pytest

from pipeline.tracking import store
from pipeline.tracking.backfill import log_missing
from pipeline.tracking.record import record
from pipeline.tracking.server import patience
from pipeline.tracking.server.patience import AS_BEFORE, Patience
from pipeline.tracking.server.secrets import StoreError
from tracking.server import fakes
from tracking.server.fakes import at_path, from_request, serving
from tracking.stage_files import TIMING, execution_of, write_stage

GIVEN_UP = r"no MLflow server answers at http://127\.0\.0\.1:\d+: given up after \d+ s of silence"
WAYS = [fakes.hang, fakes.hang_after_headers, fakes.hang_within_a_body, fakes.drip]


def named(monkeypatch, server):
    """Name a server, and let no time pass until it hangs; then the budget is over at once."""
    monkeypatch.setattr(patience, "BUDGET_SECONDS", 0.05)
    monkeypatch.setattr(patience, "monotonic", lambda: 1e6 * server.hangs.is_set())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)


@pytest.fixture
def now(monkeypatch):
    """A clock that the test sets."""
    time = [0.0]
    monkeypatch.setattr(patience, "monotonic", lambda: time[0])
    return time


def children(number):
    return [{"name": f"O5.{i}", "params": {"p": i}, "metrics": {"m": i}} for i in range(number)]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("number", [1, 2, 3, 8, 40])
def test_a_server_that_hangs_is_given_up_wherever_it_was(tmp_path, monkeypatch, number, how):
    execution = write_stage(tmp_path, entries=children(12))
    with serving(from_request(number, how)) as server:
        named(monkeypatch, server)
        with pytest.raises(StoreError, match=GIVEN_UP):
            record(tmp_path, execution, TIMING)
        assert len(server.requests) == number, "it was asked nothing any more, not even to hide"
        assert "oscillator_train" not in server.visible("FINISHED")
        assert not list(tmp_path.glob("mlflow.db*"))
        server.heal()
        log_missing(tmp_path, {"oscillator_train": execution}, lambda line: None)
        assert server.visible("FINISHED").count("oscillator_train") == 1


@pytest.mark.parametrize("path", ["mlflow-artifacts", "model-versions/create", "runs/update"])
def test_any_kind_of_request_may_hang(tmp_path, monkeypatch, path):
    execution = write_stage(tmp_path, register="tiny" if "model" in path else None)
    with serving(at_path(path, fakes.hang)) as server:
        named(monkeypatch, server)
        with pytest.raises(StoreError, match=GIVEN_UP):
            record(tmp_path, execution, TIMING)
        assert server.visible("FINISHED") == []
        assert sum(path in asked for _, asked in server.requests) == 1


def test_a_server_that_never_reads_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(patience, "BUDGET_SECONDS", 0.5)
    with fakes.deaf() as port:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        with pytest.raises(StoreError, match=GIVEN_UP):
            store.prepare(tmp_path)


def test_after_the_first_silence_the_other_stages_are_not_tried(tmp_path, monkeypatch):
    write_stage(tmp_path, entries=[])
    stages = {f"s{i}": execution_of(tmp_path, cmd=f"{i}") for i in range(20)}
    with serving(at_path("runs/create", fakes.hang)) as server:
        named(monkeypatch, server)
        with pytest.raises(StoreError, match=GIVEN_UP):
            log_missing(tmp_path, stages)
        assert sum("runs/create" in path for _, path in server.requests) == 1
        server.heal()
        said = []
        log_missing(tmp_path, stages, said.append)
    assert said == [f"{name}: logged" for name in stages]


def test_a_slow_server_that_answers_is_not_given_up(tmp_path, monkeypatch):
    execution = write_stage(tmp_path, entries=children(30))
    with serving() as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
        monkeypatch.setattr(patience, "monotonic", lambda: 0.3 * len(server.requests))
        expected = []
        record(tmp_path, execution, TIMING, {}, expected.append)
        assert len(server.requests) * 0.3 > 2 * patience.BUDGET_SECONDS
        assert len(server.visible("FINISHED")) == 31
    assert expected.count(AS_BEFORE) > 31, "whoever waits is told that it goes on"


def test_a_server_that_answers_all_too_slowly_is_given_up(tmp_path, monkeypatch):
    execution = write_stage(tmp_path, entries=children(30))
    with serving() as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
        monkeypatch.setattr(patience, "monotonic", lambda: 3.0 * len(server.requests))
        with pytest.raises(StoreError, match=GIVEN_UP):
            record(tmp_path, execution, TIMING)
        assert len(server.requests) <= 12


def test_silences_add_up_and_what_is_free_does_not(now):
    def taking(seconds):
        now[0] += seconds
        return seconds

    stage = Patience(budget=10.0, free=2.0)
    for _ in range(1000):
        assert stage.run(lambda: taking(2.0)) == 2.0
    assert stage.left == 10
    for _ in range(3):
        stage.run(lambda: taking(5.0))
    assert stage.left == 1
    stage.run(lambda: taking(4.0))
    with pytest.raises(StoreError, match="given up after 10 s"):
        stage.run(lambda: pytest.fail("asked once more"))


def test_an_upload_that_goes_on_is_no_silence(now):
    stage = Patience(budget=10.0, free=2.0)

    def upload():
        stage.sent(b"PUT /file HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(100):
            now[0] += 1
            stage.sent(b"block")

    stage.run(upload)
    assert stage.left == 10


def test_a_request_that_is_sent_once_more_is_no_sign_of_life(now):
    stage = Patience(budget=100.0, free=2.0)

    def again():
        for _ in range(5):
            stage.sent(b"POST /runs/create HTTP/1.1\r\nHost: x\r\n\r\n")
            now[0] += 1.9

    stage.run(again)
    assert stage.left == 100 - (5 * 1.9 - 2)


def test_what_a_call_imports_is_no_silence(now, monkeypatch, tmp_path):
    (tmp_path / "late.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    stage = Patience(budget=10.0, free=2.0)

    def late():
        now[0] += 2
        import_module("late")
        now[0] += 2

    stage.run(late)
    assert stage.left == 10


def test_an_error_of_a_call_is_raised_as_it_is():
    def failing():
        raise KeyError("as it is")

    with pytest.raises(KeyError, match="as it is"):
        Patience(budget=5.0).run(failing)


def test_a_call_that_is_left_behind_does_not_hold_the_next_stage():
    free, over, marks = threading.Event(), threading.Event(), []

    def hanging():
        free.wait(60)
        marks.append(patience._PATIENCE.get())
        over.set()

    first = Patience(budget=0.05, free=0.0)
    with pytest.raises(StoreError):
        first.run(hanging)
    second = Patience(budget=5.0)
    free.set()
    assert second.run(lambda: 7) == 7
    over.wait(60)
    assert marks == [first]
