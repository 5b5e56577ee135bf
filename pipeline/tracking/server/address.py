"""The address of the server that the user names: read, checked, and shown without its secrets."""

import ipaddress
import os
import re
from urllib.parse import urlsplit

from pipeline.tracking.server.secrets import CUT, HIDDEN, SERVER, StoreError

ACCEPTED = (
    f"expected http://HOST:PORT or https://HOST of an MLflow server, or no {SERVER} at all (then "
    "the local store is used)"
)
DATABASES = {"sqlite", "postgresql", "postgres", "mysql", "mssql", "oracle"}
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def server() -> str:
    """Return the address of the server that the user names, or nothing."""
    return os.environ.get(SERVER, "").strip()


def checked_server() -> str:
    """Return the server's address as MLflow takes it; StoreError if it cannot be one."""
    uri = server()
    if problem := _problem(uri):
        raise StoreError(f"{SERVER} ({shown(uri)}) {problem}; {ACCEPTED}")
    return urlsplit(uri).geturl().rstrip("/")


def _problem(uri: str) -> str:
    """Return what is wrong with an address, or nothing; without a word of it, which may be secret.

    urllib's own errors quote what they could not read.
    """
    if not uri.isprintable() or " " in uri or "\\" in uri:
        return "has a space, a backslash or another character that no address has"
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "is malformed: an IPv6 address stands in brackets, as in http://[::1]:5000"
    if parts.scheme not in ("http", "https"):
        return _other_scheme(uri, parts.scheme)
    if not parts.netloc:
        return "has no host behind http://"
    if "%" in parts.netloc.rpartition("@")[2].partition("%25")[0]:
        return "has a % in its host"
    return _wrong_host(parts.netloc.rpartition("@")[2]) or (
        f"has a query or a fragment, which MLflow does not send{_credentials_hint()}"
        if "?" in uri or "#" in uri
        else ""
    )


def _credentials_hint() -> str:
    return " (a password or a token goes into MLFLOW_TRACKING_PASSWORD or MLFLOW_TRACKING_TOKEN)"


def _other_scheme(uri: str, scheme: str) -> str:
    if scheme.partition("+")[0] in DATABASES:
        return "is a database: start `mlflow server --backend-store-uri` on it and name that server"
    if scheme in ("databricks", "databricks-uc", "uc") or uri in ("databricks", "databricks-uc"):
        return "is Databricks, where this project cannot log"
    if scheme == "file" or uri.startswith((".", "/", "~")):
        return "is a folder and not a server"
    if "://" in uri:
        return "has another scheme than http:// and https://"
    return f"has no http:// before it: http://{shown(uri).lstrip('/')}?"


def _wrong_host(place: str) -> str:
    """Return what is wrong with HOST:PORT, or nothing."""
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            return "is malformed: expected an IPv6 address in brackets, as in http://[::1]:5000"
        colon, port = rest[:1], rest[1:]
    else:
        host, colon, port = place.partition(":")
        if ":" in port:
            return "is malformed: an IPv6 address stands in brackets, as in http://[::1]:5000"
    if not host.strip("."):
        return "has no host behind http://"
    if colon not in ("", ":") or (port and not (port.isascii() and port.isdigit())):
        return "has a port that is no number"
    if port and not 0 < int(port) < 2**16:
        return "has a port that is not between 1 and 65535"
    return ""


def is_this_machine(uri: str) -> bool:
    """Tell whether an address is on the loopback interface."""
    host = urlsplit(uri).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shown(uri: str) -> str:
    """Return an address without user, password and query, however malformed it is."""
    scheme = SCHEME.match(uri)
    head = scheme.group() if scheme else ""
    rest = uri[len(head) :]
    if "@" in rest:
        rest = f"{HIDDEN}@{rest.rpartition('@')[2]}"
    for mark in "?#":
        before, found, _ = rest.partition(mark)
        rest = f"{before}{mark}{HIDDEN}" if found else before
    text = head + rest
    return (text if text.isprintable() else ascii(text)[1:-1])[:CUT]
