import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from pipeline.tracking import record
from pipeline.tracking import ui as tracking_ui
from pipeline.tracking.store import TrackingError
from tracking.stage_files import runs_of, write_stage

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_busy_port_is_one_line_that_says_how_to_choose_another(root):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(TrackingError, match=rf"port {port} .*make ui PORT={port + 1}"):
            tracking_ui.serve(root, port)


def test_the_ui_serves_a_moved_checkout_behind_a_proxy_and_ends_with_its_children(
    root, monkeypatch
):
    record.record(root, write_stage(root))
    moved = Path(shutil.move(root, root.with_name("moved")))
    identity, port = runs_of(moved)["oscillator_train"].info.run_id, unused_port()
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")  # nobody is there
    code = "import sys; from pathlib import Path; from pipeline.tracking import ui as t\n"
    code += "t.serve(Path(sys.argv[1]), int(sys.argv[2]), say=lambda line: print(line, flush=True))"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(moved), str(port)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as ui:
        try:
            address = f"http://127.0.0.1:{port}"
            assert address in ui.stdout.readline()
            opener = build_opener(ProxyHandler({}))
            with opener.open(
                f"{address}/get-artifact?path=metrics.json&run_uuid={identity}"
            ) as reply:
                assert json.load(reply)["O5.tiny.r50"] == 0.5
            record.record(moved, write_stage(moved, "oscillator_other"))
            assert not (moved / "mlflow.db-wal").exists(), "whole in its file beside an open UI"
        finally:
            ui.send_signal(signal.SIGINT)
            ui.wait(20)
    assert ui.returncode == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "nothing listens any more"


def test_with_a_server_named_there_is_no_ui_and_its_password_is_not_told(root, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:geheim@lab:5000")
    with pytest.raises(TrackingError, match=r"their UI are at http://\*\*\*@lab:5000$"):
        tracking_ui.serve(root, unused_port())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "lab:5000")
    with pytest.raises(TrackingError, match=r"no http:// before it"):
        tracking_ui.serve(root, unused_port())


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a b", "::zz"])
def test_a_host_that_is_not_this_machine_s_is_one_line(root, host):
    with pytest.raises(TrackingError, match=r"cannot be used .*make ui HOST=0\.0\.0\.0$"):
        tracking_ui.serve(root, unused_port(), host)


def test_the_server_of_one_machine_alone_has_mlflow_s_own_names(monkeypatch):
    monkeypatch.delenv(tracking_ui.NAMES, raising=False)
    for host in ("127.0.0.1", "localhost", "::1"):
        assert tracking_ui._allowed(host, 5000) == {}


def test_a_server_for_other_machines_may_be_called_by_its_names_and_no_others(monkeypatch):
    from mlflow.server.security_utils import is_allowed_host_header, should_block_cors_request

    monkeypatch.setattr(tracking_ui.socket, "gethostname", lambda: "gpu7")
    monkeypatch.setattr(tracking_ui.socket, "getfqdn", lambda: "gpu7.lab.example")
    for host in ("0.0.0.0", "gpu7.lab.example"):
        allowed = tracking_ui._allowed(host, 5001)
        hosts = allowed[tracking_ui.NAMES].split(",")
        origins = allowed[tracking_ui.ORIGINS].split(",")
        for name in ("gpu7.lab.example:5001", "gpu7.lab.example", "localhost:5001"):
            assert is_allowed_host_header(hosts, name)
            assert not should_block_cors_request(f"http://{name}", "POST", origins)
        for name in ("evil.example", "gpu7.lab.example.evil.example:5001"):
            assert not is_allowed_host_header(hosts, name)
            assert should_block_cors_request(f"http://{name}", "POST", origins)


def test_names_that_the_user_gives_stand_and_their_pages_may_ask(monkeypatch):
    monkeypatch.setenv(tracking_ui.NAMES, "mlflow.example, other:*")
    allowed = tracking_ui._allowed("127.0.0.1", 5000)
    assert allowed[tracking_ui.NAMES] == "mlflow.example, other:*"
    assert "https://mlflow.example" in allowed[tracking_ui.ORIGINS].split(",")
    monkeypatch.setenv(tracking_ui.ORIGINS, "https://page.example")
    assert tracking_ui._allowed("127.0.0.1", 5000)[tracking_ui.ORIGINS] == "https://page.example"
