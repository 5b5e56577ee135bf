import datetime
import ipaddress
import re
import ssl
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.tracking import store
from pipeline.tracking.backfill import log_missing
from pipeline.tracking.record import record
from pipeline.tracking.server import answers
from pipeline.tracking.server.patience import Patience
from pipeline.tracking.server.secrets import StoreError
from tracking.server import fakes
from tracking.server.fakes import FakeMlflow, always, serving
from tracking.stage_files import TIMING, write_stage

PROXIES = [f"{name}_proxy" for name in ("http", "https", "all")]
HTML = b"<html><body>It works!</body></html>"


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    for name in [*PROXIES, *(name.upper() for name in PROXIES), "NO_PROXY"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "")  # so that what the code adds is taken back after the test


def refused(tmp_path, monkeypatch, uri):
    """Return the one line that says why nothing can be logged there."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(StoreError) as caught:
        store.prepare(tmp_path)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    assert "unset MLFLOW_TRACKING_URI to log to the local store" in text
    return text


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (always(403, b"", Server="AirTunes/760.20.1"), "macOS's AirPlay receiver"),
        (always(403), "refuses access (403 Forbidden)"),
        (always(403, b"Invalid Host header - possible DNS rebinding"), "--allowed-hosts"),
        (always(401, HTML), "asks for a login (401 Unauthorized): set MLFLOW_TRACKING_USERNAME"),
        (always(404, HTML, Content_Type="text/html; charset=x"), "404 Not Found, text/html"),
        (always(404, {"detail": "Not Found"}), "is no MLflow server"),
        (always(404, {"error_code": "ENDPOINT_NOT_FOUND"}), "is no MLflow server"),
        (always(200, HTML, Content_Type="text/html"), "200 OK, text/html"),
        (always(200, b""), "is no MLflow server"),
        (always(200, b"[1]"), "is no MLflow server"),
        (always(200, {"other": 1}), "is no MLflow server"),
        (always(204), "204 No Content"),
        (always(418, b""), "418"),
        (always(599, b""), "599 of no known meaning"),
        (always(500, b"Traceback"), "fails (500 Internal Server Error)"),
        (always(503, HTML, Retry_After="0"), "fails (503 Service Unavailable)"),
        (always(501, {"error_code": "INTERNAL_ERROR", "message": "x"}), "fails (501"),
    ],
)
def test_what_is_no_mlflow_server_is_one_line(tmp_path, monkeypatch, fault, said):
    with serving(fault) as server:
        text = refused(tmp_path, monkeypatch, server.uri)
        assert text.startswith(f"cannot log to {server.uri}: it ")
    assert said in text


def test_a_redirect_names_the_address_to_take(tmp_path, monkeypatch):
    def fault(number, path, handler):
        if path.startswith("/new"):
            handler.reply(200, {"experiment": {"experiment_id": "1", "name": "x"}})
        else:
            handler.reply(302, b"", Location=f"/new{handler.path}")
        return True

    with serving(fault) as server:
        text = refused(tmp_path, monkeypatch, server.uri)
        assert f"redirects to {server.uri}/new: name that address" in text
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{server.uri}/new/")
        store.prepare(tmp_path)


def test_a_server_that_answers_is_taken_with_and_without_the_experiment(tmp_path, monkeypatch):
    with serving() as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{server.uri}/")
        store.prepare(tmp_path)
        server.experiments[store.EXPERIMENT] = "1"
        store.prepare(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://127.0.0.1:PORT", "Connection refused"),
        ("http://no-such-host.invalid:5000", "(?i)name|resol"),
        (f"http://{'a' * 70}.example", "."),
        ("http://.example..", "."),
        ("http://a_b.invalid", "."),
    ],
)
def test_nobody_there_is_one_line(tmp_path, monkeypatch, uri, said):
    # Not drawn when tests are collected: each of several processes must collect the same ones.
    text = refused(tmp_path, monkeypatch, uri.replace("PORT", str(fakes.unused_port())))
    assert text.startswith("no MLflow server answers at ")
    assert re.search(said, text)


def test_a_server_that_ends_every_connection_is_one_line(tmp_path, monkeypatch):
    with serving(lambda *_: True) as server:
        assert "no MLflow server answers" in refused(tmp_path, monkeypatch, server.uri)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + made.public_bytes(pem))
    return path


def over_tls(certificate):
    server = FakeMlflow()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_certificates_and_schemes_that_do_not_fit(tmp_path, monkeypatch, certificate):
    with serving(server=over_tls(certificate)) as server:
        server.handle_error = lambda *_: None
        secure = server.uri.replace("http", "https")
        text = refused(tmp_path, monkeypatch, secure)
        assert "certificate is not trusted" in text
        assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in text
        assert "https" in refused(tmp_path, monkeypatch, server.uri)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", secure)
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
        store.prepare(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_SERVER_CERT_PATH")
    with serving() as server:
        text = refused(tmp_path, monkeypatch, server.uri.replace("http", "https"))
        assert "http:// and not https://" in text


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_server_that_is_reached_through_a_proxy_alone(tmp_path, monkeypatch, name):
    execution = write_stage(tmp_path)
    with serving() as proxy:
        monkeypatch.setenv(name, proxy.uri)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.invalid:5000")
        store.prepare(tmp_path)
        record(tmp_path, execution, TIMING)
        assert len(proxy.visible("FINISHED")) == 3


def test_a_proxy_that_is_down_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://me:geheim@127.0.0.1:{fakes.unused_port()}")
    text = refused(tmp_path, monkeypatch, "http://mlflow.invalid:5000")
    assert "through the proxy that the environment names: Connection refused" in text
    assert "geheim" not in text


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("known", ["", "other.example"])
def test_a_server_on_this_machine_is_not_asked_of_a_proxy(tmp_path, monkeypatch, name, known):
    with serving() as server, serving(always(503)) as proxy:
        monkeypatch.setenv(name, proxy.uri)
        monkeypatch.setenv("NO_PROXY", known)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
        store.prepare(tmp_path)
        assert proxy.requests == []


@pytest.mark.parametrize(
    "fault",
    [
        None,
        always(500, b"geheim"),
        always(401, b"geheim"),
        always(403, b"geheim"),
        always(302, b"", Location="http://user:geheim@127.0.0.1:1/"),
        fakes.at_path("runs/create", lambda handler: handler.reply(500, b"geheim")),
        fakes.at_path("log-batch", lambda handler: None),
        fakes.at_path("mlflow-artifacts", lambda handler: handler.reply(403, b"geheim")),
        fakes.at_path("runs/update", lambda handler: handler.reply(400, {"error_code": "geheim"})),
    ],
)
@pytest.mark.parametrize("user", ["user:geheim", "user:ge%68eim", "geheim"])
def test_a_password_is_neither_told_nor_stored(tmp_path, monkeypatch, capfd, caplog, fault, user):
    execution = write_stage(tmp_path, register="tiny" if user == "user:geheim" else None)
    with serving(fault) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri.replace("//", f"//{user}@"))
        text = ""
        try:
            log_missing(tmp_path, {"oscillator_train": execution})
        except store.TrackingError as error:
            text = str(error)
        assert b"geheim" not in server.received
    told = text + "".join(capfd.readouterr()) + caplog.text
    assert "geheim" not in told
    assert "ge%68eim" not in told
    assert "user:" not in told


def test_mlflows_own_import_is_no_silence_of_the_server(monkeypatch):
    module = "mlflow.utils.rest_utils"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.delitem(sys.modules, module, raising=False)

    def run(self, call):
        assert module in sys.modules
        raise StoreError("asked")

    monkeypatch.setattr(Patience, "run", run)
    with pytest.raises(StoreError, match="asked"):
        answers.check("attention-lab", Patience())
