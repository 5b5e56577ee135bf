"""Mutations of the text of params.yaml.

A mutation takes the generator of random numbers and a text, and returns it mutated. Whatever is
long is made of the letter Q, so that a test can count how much of it a message shows.
"""

from collections.abc import Callable
from random import Random

LONG = 30_000
JUNK = [
    *(b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\x00", b"\x1b[31m", b"\x07", b"\x7f", b"\r", b"\t"),
    *(b"\xe2\x80\xa8", b"\xc2\x85", b"\xef\xbb\xbf", b"'", b'"', b"|", b">", b"%", b"@", b"`"),
    *(b"#", b": ", b"- ", b"{", b"}", b"[", b"]", b",", b"&a ", b"*a ", b"!x "),
    *(b"\n---\n", b"\n...\n", b"\n%YAML 1.1\n---\n", b"Q" * LONG, b"[" * 3000, b"{a: " * 99),
]  # fmt: skip


def _lines(rng: Random, text: bytes, change: Callable[[list[bytes], int], None]) -> bytes:
    lines = text.split(b"\n")
    change(lines, rng.randrange(len(lines)))
    return b"\n".join(lines)


def flip(rng: Random, text: bytes) -> bytes:
    content = bytearray(text)
    for _ in range(rng.choice([1, 1, 3, 30])):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def swap_bytes(rng: Random, text: bytes) -> bytes:
    content = bytearray(text)
    k = rng.randrange(len(content) - 1)
    content[k], content[k + 1] = content[k + 1], content[k]
    return bytes(content)


def drop_line(rng: Random, text: bytes) -> bytes:
    return _lines(rng, text, lambda lines, k: lines.__delitem__(k))


def double_line(rng: Random, text: bytes) -> bytes:
    return _lines(rng, text, lambda lines, k: lines.insert(k, lines[k]))


def move_line(rng: Random, text: bytes) -> bytes:
    return _lines(rng, text, lambda lines, k: lines.insert(rng.randrange(len(lines)), lines.pop(k)))


def indent(rng: Random, text: bytes) -> bytes:
    start = rng.choice([b" ", b"  ", b"\t", b"- ", b"? ", b": ", b"\xc2\xa0", b"\xe2\x80\x83"])
    return _lines(rng, text, lambda lines, k: lines.__setitem__(k, start + lines[k]))


def dedent(rng: Random, text: bytes) -> bytes:
    return _lines(rng, text, lambda lines, k: lines.__setitem__(k, lines[k].removeprefix(b" ")))


def truncate(rng: Random, text: bytes) -> bytes:
    return text[: rng.randrange(len(text))]


def strange_bytes(rng: Random, text: bytes) -> bytes:
    k = rng.randrange(len(text))
    junk = rng.choice(JUNK)
    return text[:k] + junk + text[k:]


def recode(rng: Random, text: bytes) -> bytes:
    name = rng.choice(["utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp037"])
    return text.decode("utf-8", "replace").encode(name, "replace")


def line_ends(rng: Random, text: bytes) -> bytes:
    return text.replace(b"\n", rng.choice([b"\r\n", b"\r", b"\n\n", b"\n\r", b" \n", b"\x0b\n"]))


def conflict(rng: Random, text: bytes) -> bytes:
    def change(lines: list[bytes], k: int) -> None:
        lines[k:k] = [b"<<<<<<< HEAD", lines[k], b"=======", lines[k] + b" ", b">>>>>>> other"]

    return _lines(rng, text, change)


def splice(rng: Random, text: bytes) -> bytes:
    """Copy a piece of the file to another place."""
    start, target = rng.randrange(len(text)), rng.randrange(len(text))
    return text[:target] + text[start : start + rng.randrange(3000)] + text[target:]


def twice(rng: Random, text: bytes) -> bytes:
    return text + rng.choice([b"", b"\n---\n", b"\n...\n"]) + text


def head(rng: Random, text: bytes) -> bytes:
    lines = [
        b"%YAML 1.1\n---\n",
        b"%TAG ! tag:x,2000:\n---\n",
        b"---\n",
        b"!!map\n",
        b"&a\n",
        b"\n",
    ]
    return rng.choice(lines) + text


MUTATIONS = (
    *(flip, flip, swap_bytes, drop_line, double_line, move_line, indent, dedent, truncate),
    *(strange_bytes, strange_bytes, recode, line_ends, conflict, splice, twice, head),
)  # fmt: skip
