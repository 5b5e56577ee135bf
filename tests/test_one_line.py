"""one_line: foreign text in a message is short, on one line, and cannot steer a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.one_line import one_line, shortened, shown


@given(st.text(max_size=300), st.integers(20, 100))
def test_any_text_becomes_one_printable_line(text: str, most: int) -> None:
    line = one_line(text, most)
    assert line.isprintable()
    assert line.encode().decode() == line  # no half of a surrogate pair
    if text.isprintable() and len(text) <= most:
        assert line == text


@given(st.text(max_size=300), st.integers(20, 100))
def test_a_long_text_keeps_its_ends(text: str, most: int) -> None:
    short = shortened(text, most)
    assert len(short) <= most
    assert short == text or (text.startswith(short[:10]) and text.endswith(short[-5:]))


def test_what_would_steer_a_terminal_is_shown_as_its_escape() -> None:
    assert one_line("a\x1b[31m\u202eb\ud800\nc\0") == "a\\x1b[31m\\u202eb\\ud800 c\\x00"


def test_a_value_is_shown_however_large_it_is() -> None:
    assert shown("x" * 1000) == "'" + "x" * 56 + "..." + "x" * 19 + "'"
    assert shown(16**5000) == "a int"
    assert shown([16**5000]) == "a list"
