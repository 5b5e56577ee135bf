import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

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


def test_the_ui_serves_a_moved_checkout_and_ends_with_its_children(root):
    record.record(root, write_stage(root))
    moved = Path(shutil.move(root, root.with_name("moved")))
    identity, port = runs_of(moved)["oscillator_train"].info.run_id, unused_port()
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
            with urlopen(f"{address}/get-artifact?path=metrics.json&run_uuid={identity}") as reply:
                assert json.load(reply)["O5.tiny.r50"] == 0.5
            record.record(moved, write_stage(moved, "oscillator_other"))
            assert not (moved / "mlflow.db-wal").exists(), "whole in its file beside an open UI"
        finally:
            ui.send_signal(signal.SIGINT)
            ui.wait(20)
    assert ui.returncode == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "nothing listens any more"
