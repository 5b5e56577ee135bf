import pytest

from pipeline.tracking.server import address
from pipeline.tracking.server.secrets import SERVER, StoreError


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("http://localhost:5000", "http://localhost:5000"),
        ("  http://localhost:5000 \n", "http://localhost:5000"),
        ("http://localhost:5000/", "http://localhost:5000"),
        ("HTTPS://lab.example//", "https://lab.example"),
        ("https://lab.example/mlflow/", "https://lab.example/mlflow"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("http://[fe80::1%25eth0]:5000", "http://[fe80::1%25eth0]:5000"),
        ("http://user:pa%40ss@lab.example", "http://user:pa%40ss@lab.example"),
        ("http://user:p@ss@lab.example", "http://user:p@ss@lab.example"),
        ("http://läb.example", "http://läb.example"),
        ("http://lab.example.", "http://lab.example."),
        ("http://10.0.0.7", "http://10.0.0.7"),
    ],
)
def test_addresses_of_servers_are_taken(monkeypatch, given, taken):
    monkeypatch.setenv(SERVER, given)
    assert address.checked_server() == taken


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("localhost:5000", r"no http:// before it: http://localhost:5000\?"),
        ("127.0.0.1:5000/lab", r"no http:// before it: http://127.0.0.1:5000/lab\?"),
        ("user:secret@lab:5000", r"no http:// before it: http://\*\*\*@lab:5000\?"),
        ("labserver", r"no http:// before it: http://labserver\?"),
        ("//labserver", r"no http://|folder"),
        ("[::1]:5000", "no http:// before it|malformed"),
        ("http://", "no host"),
        ("http:///mlflow", "no host"),
        ("http://:5000", "no host"),
        ("http:/x", "no host"),
        ("http:x", "no host"),
        ("http", r"no http:// before it"),
        ("htp://x", "another scheme"),
        ("ftp://x", "another scheme"),
        ("s3://bucket/x", "another scheme"),
        ("http://[::1:5000", "malformed.*brackets"),
        ("http://::1:5000", "malformed.*brackets"),
        ("http://[::zz]:5000", "malformed"),
        ("http://[::1]5000", "no number|malformed"),
        ("http://[127.0.0.1]:5000", "malformed"),
        ("http://x:99999", "between 1 and 65535"),
        ("http://x:0", "between 1 and 65535"),
        ("http://x:-1", "no number"),
        ("http://x:port", "no number"),
        ("http://x:٥", "no number"),
        ("http://x:5000:5000", "malformed"),
        ("http://la b", "space"),
        ("http://x\ty", "space"),
        ("http://x\x01y", "space"),
        ("http:\\\\x", "backslash"),
        ("http://x%20y", "% in its host"),
        ("http://x?token=abc", r"query.*MLFLOW_TRACKING_TOKEN"),
        ("http://x#there", "fragment"),
        ("sqlite:///runs.db", "database: start `mlflow server"),
        ("postgresql+psycopg2://u:p@h/db", "database"),
        ("mysql://u:p@h/db", "database"),
        ("databricks", "Databricks"),
        ("databricks://profile", "Databricks"),
        ("file:///tmp/mlruns", "folder"),
        ("file:mlruns", "folder"),
        ("./mlruns", "folder"),
        ("/srv/mlruns", "folder"),
        ("~/mlruns", "folder"),
    ],
)
def test_what_is_no_address_is_one_line_that_says_what_is_accepted(monkeypatch, given, problem):
    monkeypatch.setenv(SERVER, given)
    with pytest.raises(StoreError, match=problem) as caught:
        address.checked_server()
    text = str(caught.value)
    assert text.startswith(SERVER)
    assert "expected http://HOST:PORT or https://HOST" in text
    assert text.isprintable()
    assert not any(secret in text for secret in ("secret", "abc", "u:p", "there"))


def test_an_empty_address_is_none(monkeypatch):
    for nothing in ("", "  ", "\n"):
        monkeypatch.setenv(SERVER, nothing)
        assert address.server() == ""


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://lab:5000/x", "http://lab:5000/x"),
        ("http://user:secret@lab:5000/x", "http://***@lab:5000/x"),
        ("http://user:se@cr/et@lab:5000/x", "http://***@lab:5000/x"),
        ("user:se//cret@lab", "***@lab"),
        ("http:/user:secret@lab", "***@lab"),
        ("http://lab/?token=secret", "http://lab/?***"),
        ("http://lab/#secret", "http://lab/#***"),
        ("postgresql://user:secret@lab/db", "postgresql://***@lab/db"),
        ("http://la\nb", "http://la\\nb"),
    ],
)
def test_an_address_is_shown_without_its_secrets(uri, shown):
    assert address.shown(uri) == shown
