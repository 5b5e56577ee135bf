"""Servers on free ports of this machine: an MLflow that keeps runs in memory, and worse ones."""

import json
import socket
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

API = "/api/2.0/mlflow/"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class FakeMlflow(ThreadingHTTPServer):
    """What MLflow's server answers to this project, and the faults that a test asks for.

    ``fault`` is called with the number of a request (from 1), its path and its handler, before it
    is answered; if it returns True the answer was its own.
    """

    daemon_threads = True

    def __init__(self, fault=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.fault = fault or (lambda number, path, handler: False)
        self.experiments, self.runs, self.files, self.versions = {}, {}, {}, []
        self.requests, self.received = [], b""
        self.lock = threading.Lock()
        self.ended, self.hangs = threading.Event(), threading.Event()

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.server_port}"

    def heal(self):
        self.fault = lambda number, path, handler: False
        self.hangs.clear()

    def visible(self, status):
        return [
            run["data"]["name"]
            for run in self.runs.values()
            if run["info"]["status"] == status and run["info"]["lifecycle_stage"] == "active"
        ]

    def answer(self, path, asked):
        """Return the status and the content of an answer."""
        name = path.rpartition(API)[2].replace("/", "_").replace("-", "_")
        return getattr(self, f"do_{name}")(asked)

    def do_experiments_get_by_name(self, asked):
        name = asked["experiment_name"]
        if name not in self.experiments:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"}
        return 200, {"experiment": {"experiment_id": "1", "name": name}}

    def do_experiments_create(self, asked):
        self.experiments[asked["name"]] = "1"
        return 200, {"experiment_id": "1"}

    def do_runs_create(self, asked):
        identity = uuid.uuid4().hex  # MLflow keeps what it knows of a run, across servers
        info = {"run_id": identity, "run_uuid": identity, "experiment_id": "1"}
        info |= {"status": "RUNNING", "lifecycle_stage": "active", "start_time": 1}
        info |= {"artifact_uri": f"mlflow-artifacts:/1/{identity}/artifacts"}
        data = {"name": asked["run_name"], "tags": asked["tags"]}
        self.runs[identity] = {"info": info, "data": data}
        return 200, {"run": {"info": info, "data": {"tags": asked["tags"]}}}

    def do_runs_get(self, asked):
        run = self.runs[asked.get("run_id") or asked["run_uuid"]]
        return 200, {"run": {"info": run["info"], "data": {"tags": run["data"]["tags"]}}}

    def do_runs_log_batch(self, asked):
        return 200, {}

    def do_runs_set_tag(self, asked):
        self.runs[asked["run_id"]]["data"]["tags"].append(asked)
        return 200, {}

    def do_runs_update(self, asked):
        info = self.runs[asked["run_id"]]["info"]
        info["status"] = asked["status"]
        return 200, {"run_info": info}

    def do_runs_delete(self, asked):
        self.runs[asked["run_id"]]["info"]["lifecycle_stage"] = "deleted"
        return 200, {}

    def do_runs_search(self, asked):
        key, _, value = asked["filter"].partition(" and ")[0].partition(" = ")
        key = key.removeprefix("tags.").strip("`")
        tag = {"key": key, "value": value.strip("'")}
        only_finished = "FINISHED" in asked["filter"]
        found = [
            {"info": run["info"], "data": {"tags": run["data"]["tags"]}}
            for run in self.runs.values()
            if any(tag.items() <= each.items() for each in run["data"]["tags"])
            and (run["info"]["status"] == "FINISHED" or not only_finished)
        ]
        return 200, {"runs": found}

    def do_registered_models_create(self, asked):
        return 200, {"registered_model": {"name": asked["name"]}}

    def do_model_versions_search(self, asked):
        return 200, {"model_versions": self.versions}

    def do_model_versions_create(self, asked):
        version = {"name": asked["name"], "version": "1", "status": "READY"}
        self.versions.append(version | {"tags": asked.get("tags", [])})
        return 200, {"model_version": version}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def handle_any(self):
        parts = urlsplit(self.path)
        with self.server.lock:
            self.server.requests.append((self.command, parts.path))
            number = len(self.server.requests)
        if self.server.fault(number, parts.path, self):
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.received += body + str(self.path).encode()
        if ARTIFACTS in parts.path:
            self.server.files[parts.path.rpartition(ARTIFACTS)[2]] = body
            self.reply(200, {})
            return
        asked = json.loads(body or b"{}") | {k: v[0] for k, v in parse_qs(parts.query).items()}
        try:
            self.reply(*self.server.answer(parts.path, asked))
        except AttributeError:
            self.reply(404, {"error_code": "ENDPOINT_NOT_FOUND", "message": parts.path})

    def reply(self, status, content, **headers):
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815


@contextmanager
def serving(fault=None, server=None):
    """Yield a server that runs, end it and free whoever hangs in it."""
    server = server or FakeMlflow(fault)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()


def hang(handler):
    """Say nothing until the test is over."""
    handler.server.ended.wait(60)


def hang_after_headers(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.flush()
    hang(handler)


def hang_within_a_body(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"run": ')
    hang(handler)


def drip(handler):
    """Answer a byte now and a byte then."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    try:
        while not handler.server.ended.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()
    except OSError:
        pass


def from_request(number, how):
    """Return a fault: from this request on the server hangs in this way."""

    def fault(current, path, handler):
        if current < number:
            return False
        handler.server.hangs.set()
        how(handler)
        return True

    return fault


def at_path(part, how):
    """Return a fault: each request to such a path hangs in this way."""

    def fault(number, path, handler):
        if part not in path:
            return False
        handler.server.hangs.set()
        how(handler)
        return True

    return fault


def always(status, content=b"", **headers):
    """Return a fault: every request has this answer."""

    def fault(number, path, handler):
        # Said, since the connection ends: else a client that asks again may find it gone.
        handler.reply(status, content, Connection="close", **headers)
        return True

    return fault


@contextmanager
def deaf():
    """Yield the port of a server that takes connections and never reads."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield server.getsockname()[1]
