"""How long a stage waits for a server that is silent, and whether one answers at all.

A server may hang anywhere: while a connection is made, in the midst of an answer, at one byte a
second. So each call to it runs in a thread of its own, which is left behind when the budget is
spent; a timeout of one request would bound neither their number nor a slow answer. What counts is
silence: a slow server that answers every request is not given up, nor an upload that goes on.
"""

import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pipeline.tracking.server.address import server, shown
from pipeline.tracking.server.secrets import SERVER, StoreError

if TYPE_CHECKING:
    from mlflow import MlflowClient

Result = TypeVar("Result")

BUDGET_SECONDS = 10.0  # of a stage's, for a server that is silent
FREE_SECONDS = 2.0  # a request that takes no longer costs nothing of it
AT_WORK = {"import", "open", "exec", "compile", "marshal.loads"}  # Python's own events
AS_BEFORE = 0.0  # tells that a step goes on, and may take as long again
SETTINGS = {
    # Beyond the budget: a request that is silent is never sent twice.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # of those that fail at once
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    # It tells the address at the end of every run.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def unlimited(seconds: float) -> None:
    """Take any time."""


class Patience:
    """The budget of one stage: what its calls to the server may cost in silence, all together."""

    def __init__(
        self,
        expect: Callable[[float], object] = unlimited,
        budget: float | None = None,
        free: float | None = None,
    ):
        """``expect`` is told ``AS_BEFORE`` whenever a call begins or goes on."""
        self.expect = expect
        self.budget = self.left = BUDGET_SECONDS if budget is None else budget
        self.free = FREE_SECONDS if free is None else free
        self.lock = threading.Lock()
        self.since = monotonic()
        self.request = b""

    def run(self, call: Callable[[], Result]) -> Result:
        """Return what a call returns; StoreError if the server is silent, now or before."""
        self._begin()
        outcome: list[Result] = []
        errors: list[BaseException] = []
        done = threading.Event()

        def work() -> None:
            _PATIENCE.set(self)
            try:
                outcome.append(call())
            except BaseException as error:
                errors.append(error)
            finally:
                done.set()

        _listen()
        context = copy_context()
        threading.Thread(target=lambda: context.run(work), daemon=True).start()
        while not done.wait(self._remaining()):
            if self._remaining() <= 0:
                self.left = 0.0
                raise self._given_up()
        self.sign()
        if errors:
            raise errors[0]
        return outcome[0]

    def _begin(self) -> None:
        if self.left <= 0:
            raise self._given_up()
        with self.lock:
            self.since, self.request = monotonic(), b""

    def _remaining(self) -> float:
        self.expect(AS_BEFORE)
        with self.lock:
            return max(0.0, self.since + self.left - monotonic())

    def sign(self) -> None:
        """Note that the server did something, and what it took beyond its free time."""
        with self.lock:
            now = monotonic()
            self.left -= max(0.0, now - self.since - self.free)
            self.since = now

    def sent(self, block: object) -> None:
        """Note that a block of a request was sent: what was sent before has been taken."""
        line = bytes(block[:9000]).partition(b"\r\n")[0] if isinstance(block, bytes) else b""
        if line.endswith(b" HTTP/1.1"):
            if line == self.request:  # the same once more: it failed, which is no sign of life
                return
            self.request = line
        self.sign()

    def _given_up(self) -> StoreError:
        return StoreError(
            f"no MLflow server answers at {shown(server())}: given up after {self.budget:.0f} s of "
            f"silence; see to the server, or unset {SERVER} to log to the local store"
        )


_PATIENCE: ContextVar[Patience | None] = ContextVar("patience", default=None)


@cache
def _listen() -> None:
    """Let Python tell of each block that http.client sends, MLflow's and other clients' alike.

    And of what a call does before it asks: MLflow imports much of itself at last.
    """

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if (event == "http.client.send" or event in AT_WORK) and (stage := _PATIENCE.get()):
            if event in AT_WORK:
                stage.sign()
            else:
                stage.sent(arguments[1])

    sys.addaudithook(hear)


class Watched:
    """An MlflowClient whose calls have a stage's patience."""

    def __init__(self, client: "MlflowClient", patience: Patience):
        self._client, self._patience = client, patience

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda *values, **named: self._patience.run(lambda: method(*values, **named))


def watched(client: "MlflowClient", patience: Patience) -> "MlflowClient":
    """Return a client whose calls have a stage's patience."""
    return cast("MlflowClient", Watched(client, patience))
