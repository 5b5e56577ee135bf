"""What tracking says to the user, without secrets: passwords and tokens.

All error texts pass through :func:`redact`, since an address may hold a password, and MLflow,
urllib3 and SQLAlchemy put addresses into their errors.
"""

import base64
import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from traceback import format_exception
from typing import Any
from urllib.parse import quote, quote_plus, unquote

SERVER = "MLFLOW_TRACKING_URI"
CUT = 300  # of what others say
HIDDEN = "***"
SECRET_NAME = re.compile(r"(^|_)(PASSWORD|PASSWD|TOKEN|SECRET|KEY|CREDENTIALS?)$")
USERINFO = re.compile(r"(\w://)[^\s'\"<>]*@")  # as far as the last @: a password may hold one
NAMED_SECRET = re.compile(r"(?i)\b(\w*(?:password|passwd|pwd|token|secret|api_?key))=[^&\s'\")]+")
SHORTEST = 4  # letters of a secret that is hidden wherever it stands; a shorter one as a word


class TrackingError(RuntimeError):
    """Runs cannot be logged or shown; the message is one line for the user."""

    def __init__(self, message: str):
        super().__init__(redact(message))


class StoreError(TrackingError):
    """The store or the server as a whole cannot be used, whatever is to be logged."""


def redact(text: str) -> str:
    """Return a text without passwords and tokens: the environment's, and those that look so."""
    for secret, is_short in _secrets(tuple(sorted(os.environ.items()))):
        word = re.escape(secret)
        pattern = rf"(?<!\w){word}(?!\w)" if is_short else word
        text = re.sub(pattern, HIDDEN, text, flags=re.IGNORECASE)
    return NAMED_SECRET.sub(rf"\1={HIDDEN}", USERINFO.sub(rf"\1{HIDDEN}@", text))


@cache
def _secrets(environment: tuple[tuple[str, str], ...]) -> list[tuple[str, bool]]:
    """Return the secrets in all forms that an error may show them in, the longest first."""
    forms = set()
    for name, value in environment:
        for secret in _in_variable(name, value):
            plain = unquote(secret)
            for form in (secret, plain):
                forms |= {form, quote(form, safe=""), quote(form), quote_plus(form)}
                forms |= {json.dumps(form)[1:-1], repr(form)[1:-1], ascii(form)[1:-1]}
            encoded = base64.b64encode(plain.encode(errors="surrogateescape")).decode()
            forms.add(encoded)
    ordered = sorted(forms - {"", HIDDEN}, key=len, reverse=True)
    return [(form, len(form) < SHORTEST) for form in ordered]


def _in_variable(name: str, value: str) -> Iterator[str]:
    mine = name.startswith("MLFLOW_")
    if SECRET_NAME.search(name) and (mine or len(value) >= SHORTEST):
        yield value
    # In the address itself also where the scheme was forgotten or is misspelt.
    anywhere = re.findall(r"^(?:\w+:/+)?(\S*)@", value.strip()) if name == SERVER else []
    for userinfo in re.findall(r"://(\S*)@", value) or anywhere:
        user, _, password = userinfo.partition(":")
        yield userinfo
        yield password or user
    if name == SERVER and "?" in value:
        query = value.partition("?")[2]
        yield from (query, *(part.partition("=")[2] for part in query.split("&")))


def one_line(error: BaseException) -> str:
    """Return an error as one line without secrets: this project's own in full, others cut."""
    text = " ".join(redact(str(error)).split())
    if isinstance(error, TrackingError):
        return text
    cut = text if len(text) <= CUT else text[:CUT] + "..."
    return f"{type(error).__name__}: {cut}"


@cache
def guard_output() -> None:
    """Let no logger and no traceback of this process tell a secret, nor urllib3 each retry."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    make = logging.getLogRecordFactory()

    def redacted(*arguments: Any, **keywords: Any) -> logging.LogRecord:
        record = make(*arguments, **keywords)
        with suppress(Exception):  # what cannot be formatted is the logger's own error
            record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and record.exc_info[1]:
            record.exc_text = redact("".join(format_exception(record.exc_info[1])).rstrip())
        return record

    logging.setLogRecordFactory(redacted)
    sys.excepthook = lambda _, error, __: _tell(error)


def _tell(error: BaseException) -> None:
    sys.stderr.write(redact("".join(format_exception(error))))
