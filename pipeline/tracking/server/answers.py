"""Whether an MLflow server answers at the address that the user names, and what is there if not.

Asked by MLflow's own client, so that proxies, certificates and passwords are those of every later
request.
"""

import errno
import json
import os
from collections.abc import Iterator
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.tracking.server.address import checked_server, is_this_machine, shown
from pipeline.tracking.server.patience import Patience
from pipeline.tracking.server.secrets import SERVER, StoreError, one_line

if TYPE_CHECKING:
    from requests import Response

QUESTION = "/api/2.0/mlflow/experiments/get-by-name"
LOGIN = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
AIRPLAY = "AirTunes"  # macOS's receiver, on port 5000
LOSES_REQUESTS = {301, 302, 303}  # a redirected POST is sent on as a GET


def check(experiment: str, patience: Patience) -> str:
    """Return the server's address, at which an MLflow server answers.

    Raises StoreError, within the patience, for an address that cannot be one, for a server that
    does not answer, and for one that is no MLflow server or lets nobody in.
    """
    uri = checked_server()
    bypass_proxies(uri)
    otherwise = f"or unset {SERVER} to log to the local store"
    import_module("mlflow.utils.rest_utils")  # for seconds, which are no silence of the server's
    try:
        response = patience.run(lambda: _ask(uri, experiment))
    except StoreError:
        raise
    except Exception as error:
        raise StoreError(
            f"no MLflow server answers at {shown(uri)} ({_reason(error, uri)}); start it, "
            f"{otherwise}"
        ) from error
    if problem := _problem(response):
        raise StoreError(f"cannot log to {shown(uri)}: it {problem}, {otherwise}")
    return uri


def bypass_proxies(uri: str) -> None:
    """Let no proxy be asked for a server on this machine, which is another one to the proxy."""
    if is_this_machine(uri):
        known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
        host = urlsplit(uri).hostname or ""
        if host not in known.split(","):
            os.environ["no_proxy"] = ",".join(filter(None, [known, host]))


def _ask(uri: str, experiment: str) -> "Response":
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    return http_request(
        get_default_host_creds(uri),
        QUESTION,
        "GET",
        params={"experiment_name": experiment},
        max_retries=1,  # at once: nobody waits for a server that is down
        raise_on_status=False,
    )


def _problem(response: "Response") -> str:
    """Return what is wrong with an answer, or nothing: it has the experiment, or knows none."""
    if any(step.status_code in LOSES_REQUESTS for step in response.history):
        return f"redirects to {shown(response.url.partition(QUESTION)[0])}: name that address"
    content = _json(response)
    if "experiment" in content or content.get("error_code") == "RESOURCE_DOES_NOT_EXIST":
        return ""
    code = response.status_code
    said = f"{code} {_phrase(code)}"
    if AIRPLAY in response.headers.get("Server", ""):
        return "is macOS's AirPlay receiver: start the MLflow server on another port"
    if code == HTTPStatus.UNAUTHORIZED:
        return f"asks for a login ({said}): set {LOGIN}"
    if "Invalid Host header" in response.text[:200]:
        return (
            f"is an MLflow server that refuses the name it is called by ({said}): start it with "
            "--allowed-hosts"
        )
    if code == HTTPStatus.FORBIDDEN:
        return (
            f"refuses access ({said}): set {LOGIN} if it is an MLflow server (on macOS port 5000 "
            "is AirPlay's)"
        )
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"fails ({said}): see to the server"
    kind = response.headers.get("Content-Type", "no type").partition(";")[0]
    return f"is no MLflow server, or has another path (it answers {said}, {kind}): name an MLflow's"


def _json(response: "Response") -> dict[str, Any]:
    try:
        content = json.loads(response.text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _phrase(code: int) -> str:
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return "of no known meaning"


def _reason(error: BaseException, uri: str) -> str:
    """Return why no connection was made: the system's own word, and what to do about it."""
    causes = list(_causes(error))
    text = " ".join(str(cause) for cause in causes)
    proxy = any(type(cause).__name__ == "ProxyError" for cause in causes)
    through = "through the proxy that the environment names: " if proxy else ""
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return (
            f"{through}its certificate is not trusted: name its authority in "
            "MLFLOW_TRACKING_SERVER_CERT_PATH"
        )
    if any(word in text for word in ("WRONG_VERSION_NUMBER", "RECORD_LAYER", "UNEXPECTED_EOF")):
        return f"{through}it speaks no TLS: http:// and not https://?"
    system = [cause for cause in causes if isinstance(cause, OSError) and cause.strerror]
    if system:
        return f"{through}{_system_word(system[-1])}"
    if uri.startswith("http:") and ("BadStatusLine" in text or "RemoteDisconnected" in text):
        return f"{through}it speaks no HTTP: https:// and not http://?"
    return f"{through}{one_line(causes[-1])}"


def _system_word(error: OSError) -> str:
    if error.errno == errno.ECONNRESET:
        return f"{error.strerror}: does it speak https://, or no HTTP at all?"
    return str(error.strerror)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that led to it, the first cause last."""
    seen: set[int] = set()
    following: list[BaseException] = [error]
    while following:
        cause = following.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
        following += [each for each in inner if isinstance(each, BaseException)]
