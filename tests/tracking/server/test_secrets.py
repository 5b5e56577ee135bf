import base64
import json
import logging
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from pipeline.tracking.server import secrets
from pipeline.tracking.server.secrets import SERVER, TrackingError, one_line, redact

REPOSITORY = Path(__file__).resolve().parents[3]
PASSWORD = "gehé!m/o@s"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (SERVER, f"http://user:{PASSWORD}@lab:5000"),
        (SERVER, f"http://user:{quote(PASSWORD, safe='')}@lab:5000"),
        (SERVER, f"http://{quote(PASSWORD, safe='')}@lab:5000"),
        (SERVER, f"user:{PASSWORD}@lab:5000"),
        (SERVER, f"htp:/user:{PASSWORD}@lab:5000"),
        (SERVER, f"http://lab:5000/?token={PASSWORD}"),
        (SERVER, f"postgresql+psycopg2://user:{PASSWORD}@lab/db"),
        ("MLFLOW_TRACKING_PASSWORD", PASSWORD),
        ("MLFLOW_TRACKING_TOKEN", PASSWORD),
        ("AWS_SECRET_ACCESS_KEY", PASSWORD),
        ("https_proxy", f"http://user:{PASSWORD}@proxy:3128"),
    ],
)
def test_a_secret_of_the_environment_is_hidden_in_every_form(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    forms = [PASSWORD, quote(PASSWORD), quote(PASSWORD, safe=""), quote(PASSWORD, safe="").lower()]
    forms += [repr(PASSWORD), ascii(PASSWORD), json.dumps(PASSWORD)]
    forms += [base64.b64encode(PASSWORD.encode()).decode(), value]
    for form in forms:
        text = redact(f"failed with {form}, at last")
        assert form.strip("'\"") not in text, form
        assert text.startswith("failed with ")
        assert text.endswith(", at last")
        assert redact(text) == text


def test_the_basic_credentials_of_a_header_are_hidden(monkeypatch):
    monkeypatch.setenv(SERVER, "http://user:secret@lab:5000")
    header = base64.b64encode(b"user:secret").decode()
    assert redact(f"Basic {header}") == "Basic ***"


def test_what_looks_like_a_secret_is_hidden_wherever_it_comes_from():
    assert redact("at postgresql://me:pw@db/x") == "at postgresql://***@db/x"
    assert redact("at http://lab/?token=abc&x=1") == "at http://lab/?token=***&x=1"
    assert redact("(password=abc)") == "(password=***)"


def test_a_short_password_is_hidden_as_a_word_and_leaves_the_rest_readable(monkeypatch):
    monkeypatch.setenv(SERVER, "http://user:an@lab:5000")
    assert redact("an error can say 'an'") == "*** error can say '***'"
    assert redact("no server at http://user:an@lab:5000") == "no server at http://***@lab:5000"


def test_other_texts_stay_as_they_are(monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    monkeypatch.setenv("A_KEY", "no")
    text = "params.yaml: memory.train.lr: expected a number (no 'false'), see http://lab/x a@b"
    assert redact(text) == text


def test_own_errors_are_told_in_full_and_others_are_cut_after_redaction(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "s" * 40)
    assert one_line(TrackingError("a\n" * 400)) == " ".join("a" * 400)
    text = one_line(ValueError("x" * (secrets.CUT - 20) + "s" * 40))
    assert text == f"ValueError: {'x' * (secrets.CUT - 20)}***"
    assert one_line(ValueError("x" * 900)).endswith("x...")


def test_loggers_and_tracebacks_tell_no_secret():
    code = """
import logging, os
from pipeline.tracking.server.secrets import guard_output
guard_output()
log = logging.getLogger("mlflow.store")
log.warning("at %s with %(x)s" if False else "at %s", os.environ["MLFLOW_TRACKING_URI"])
try:
    raise ValueError(os.environ["MLFLOW_TRACKING_URI"])
except ValueError:
    log.exception("failed")
logging.getLogger("urllib3.connectionpool").warning("Retrying")
raise RuntimeError(os.environ["MLFLOW_TRACKING_URI"])
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={"MLFLOW_TRACKING_URI": "http://user:geheim@lab:5000"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "geheim" not in ended.stderr + ended.stdout
    assert ended.stderr.count("***@lab:5000") == 3
    assert "RuntimeError" in ended.stderr
    assert "Retrying" not in ended.stderr
    assert logging.getLogRecordFactory() is not None
