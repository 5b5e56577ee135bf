"""strict_json: JSON as it is written here; all else is a ValueError."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime.formats import strict_json

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(PLAIN)
def test_what_was_written_is_read(content: object) -> None:
    assert strict_json.parse(json.dumps(content)) == content


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("NaN", "NaN is no number"),
        ('{"a": [-Infinity]}', "-Infinity is no number"),
        ("[1e400]", "'1e400' is beyond all numbers"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ('[{"b": {"a": 1, "c": 2, "a": 1}}]', "the key 'a' stands twice"),
        ("9" * 5000, "Exceeds the limit"),
        ("[" * 100_000, "too many lists and objects inside one another"),
        ('{"a": ' * 100_000, "too many lists and objects inside one another"),
        ('{"' + "Q" * 9999 + '": 1, "' + "Q" * 9999 + '": 1}', "stands twice"),
        ("\ufeff{}", "BOM"),
        ("{} {}", "Extra data"),
        ("{'a': 1}", "Expecting property name"),
        ("[1,]", "Expecting value|Illegal trailing comma"),
        ('"\x00"', "Invalid control character"),
    ],
)
def test_what_was_not_written_here_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        strict_json.parse(text)
    assert len(str(refused.value)) < 200


@given(st.text(max_size=40))
def test_any_text_is_read_or_a_value_error(text: str) -> None:
    try:
        content = strict_json.parse(text)
    except ValueError:
        return
    assert not (isinstance(content, float) and not math.isfinite(content))
