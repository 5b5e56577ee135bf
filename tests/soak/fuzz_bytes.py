"""Strategies for damaged files: edits of a sound one's bytes, and bytes of any kind."""

from typing import Any

from hypothesis import strategies as st

JUNK = [b"\0", b"\n", b'"', b",", b"{", b"NaN"]
NUMBERS = [0, 1, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**60, 2**63 - 1, 2**64 - 1]


def _edited(content: bytes, edit: tuple[str, float, float, bytes, int]) -> bytes:
    kind, where, until, junk, number = edit
    first, last = sorted((int(where * len(content)), int(until * len(content))))
    match kind:
        case "cut":
            return content[:first]
        case "remove":
            return content[:first] + content[last:]
        case "insert":
            return content[:first] + junk + content[first:]
        case "write":
            return content[:first] + junk + content[first + len(junk) :]
        case "number":
            size = 8 if number > 0xFFFFFFFF else 4
            return content[:first] + number.to_bytes(size, "little") + content[first + size :]
        case "double":
            return content[:last] + content[first:]
        case _:
            return content[last:] + content[:last]


PLACE = st.floats(0, 1)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["cut", "remove", "insert", "write", "write", "number", "double", "turn"]),
        # Headers stand at the beginning, a zip's directory at the end.
        PLACE | st.floats(0, 0.1) | st.floats(0.9, 1),
        PLACE,
        st.binary(min_size=1, max_size=6) | st.sampled_from(JUNK),
        st.sampled_from(NUMBERS),
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip


def damaged(sound: bytes) -> "st.SearchStrategy[bytes]":
    """Draw what may have become of a file, or another one."""

    def edit_all(edits: list[Any]) -> bytes:
        content = sound
        for edit in edits:
            content = _edited(content, edit)
        return content

    any_bytes = st.binary(max_size=300)
    return EDITS.map(edit_all) | EDITS.map(edit_all) | any_bytes | any_bytes.map(sound[:30].__add__)
