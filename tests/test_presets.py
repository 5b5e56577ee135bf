"""presets: mappings that are named instead of repeated, laid out deeply."""

import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import presets
from pipeline.presets import PresetError

PRESETS: dict[str, Any] = {
    "adam": {"name": "Adam", "rate": 0.1, "options": {"betas": [0.9, 0.95]}},
    "slow": {"preset": "adam", "rate": 0.001},
    "cosine": {"steps": 400, "optimizer": {"preset": "adam"}, "clip": None},
}


def laid_out(part: Any, **more: Any) -> Any:
    """What a section becomes; another one uses all presets."""
    used = {"used": [{"preset": name} for name in PRESETS | more]}
    content = {"presets": PRESETS | more, "lab": {"part": part}, "other": used}
    before = deepcopy(content)
    resolved = presets.resolve(content)
    assert content == before, "what was read is not changed"
    assert set(resolved.sections) == {"lab", "other"}
    return resolved.sections["lab"]["part"]


def fault(part: Any, named: dict[str, Any]) -> str:
    with pytest.raises(PresetError) as caught:
        presets.resolve({"presets": named, "lab": {"part": part}})
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


ADAM, SLOW = PRESETS["adam"], {**PRESETS["adam"], "rate": 0.001}
COSINE = {"steps": 400, "optimizer": ADAM, "clip": None}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"preset": "adam"}, ADAM),
        ({"preset": "slow"}, SLOW),
        ({"rate": 1, "preset": "adam"}, {**ADAM, "rate": 1}),  # whatever the order
        ({"preset": "cosine"}, COSINE),
        # A nested mapping changes what it names and keeps the rest ...
        (
            {"preset": "cosine", "optimizer": {"rate": 1}},
            {**COSINE, "optimizer": {**ADAM, "rate": 1}},
        ),
        (
            {"preset": "cosine", "optimizer": {"options": {"eps": 1}}},
            {**COSINE, "optimizer": {**ADAM, "options": {"betas": [0.9, 0.95], "eps": 1}}},
        ),
        # ... one that names a preset of its own starts anew ...
        (
            {"preset": "cosine", "optimizer": {"preset": "slow", "name": "SGD"}},
            {**COSINE, "optimizer": {**SLOW, "name": "SGD"}},
        ),
        # ... and what is no mapping is replaced whole, as is a mapping by what is none.
        (
            {"preset": "adam", "options": {"betas": [0.5]}},
            {**ADAM, "options": {"betas": [0.5]}},
        ),
        ({"preset": "adam", "options": None}, {**ADAM, "options": None}),
        ({"preset": "adam", "rate": {"peak": 1}}, {**ADAM, "rate": {"peak": 1}}),
        ({"preset": "adam", "options": {}}, ADAM),
        ({"models": [{"preset": "slow"}, {"rate": 2}]}, {"models": [SLOW, {"rate": 2}]}),
        ({}, {}),
    ],
)
def test_a_preset_is_its_keys_with_the_others_laid_over_deeply(part: Any, expected: Any) -> None:
    assert laid_out(part) == expected


def test_a_preset_of_the_preset_s_own_is_laid_out_under_what_it_changes() -> None:
    more = {"long": {"preset": "cosine", "steps": 9, "optimizer": {"rate": 2}}}
    part = {"preset": "long", "optimizer": {"name": "SGD"}}
    expected = {**COSINE, "steps": 9, "optimizer": {**ADAM, "rate": 2, "name": "SGD"}}
    assert laid_out(part, **more) == expected


@pytest.mark.parametrize(
    ("part", "named", "message"),
    [
        ({"preset": "adm"}, {"adam": {}}, ".preset: there is no preset 'adm'; did you mean adam?"),
        ({"preset": "xyz"}, {"adam": {}}, ".preset: there is no preset 'xyz'; known: adam"),
        ({"a": {"preset": 3}}, {"adam": {}}, ".a.preset: there is no preset 3; known: adam"),
        ({"preset": ["adam"]}, {"adam": {}}, ".preset: there is no preset ['adam']; "),
        ({"a": [{"preset": "adm"}]}, {"adam": {}}, ".a.0.preset: there is no preset 'adm'; "),
        (
            {"preset": "a"},
            {"a": {"x": {"preset": "adm"}}},
            "/presets.a.x.preset: there is no preset 'adm'; known: a",
        ),
        ({}, {"adam": {}}, "/presets.adam is used by no section: name it, or take it out"),
        ({"preset": "a"}, {"a": {}, "b": {"preset": "a"}}, "/presets.b is used by no section: "),
        ({"preset": "a"}, {"a": {"preset": "a"}}, "/presets.a names itself: a -> a"),
        (
            {"preset": "a"},
            {"a": {"x": {"preset": "b"}}, "b": {"preset": "a"}},
            "/presets.a names itself: a -> b -> a",
        ),
        ({"preset": "a"}, {"a": 3}, "/presets.a must be a mapping of keys, got 3"),
        ({"preset": "a"}, {"a": None}, "/presets.a must be a mapping of keys, got None"),
        ({16: 1}, {}, ': the key 16 must be text: write "16"'),
        ({"preset": "a"}, {"a": {"x": {True: 1}}}, "/presets.a.x: the key True must be text: "),
    ],
)  # fmt: skip
def test_a_preset_that_cannot_be_used_is_one_line(
    part: Any, named: dict[str, Any], message: str
) -> None:
    expected = message[1:] if message.startswith("/") else f"lab.part{message}"
    assert fault(part, named).startswith(expected)


@pytest.mark.parametrize("named", [3, [], "a", None])
def test_presets_are_a_mapping(named: Any) -> None:
    with pytest.raises(PresetError, match=rf"^presets must be a .*, got {re.escape(repr(named))}$"):
        presets.resolve({"presets": named})


def test_a_value_s_origin_is_where_its_text_stands() -> None:
    part = {"preset": "cosine", "steps": 9, "optimizer": {"rate": 1}, "l": [{"preset": "slow"}]}
    resolved = presets.resolve({"presets": PRESETS, "lab": {"part": part}})
    origins = {
        ("steps",): "",
        ("clip",): "presets.cosine.clip",
        ("optimizer", "rate"): "",
        ("optimizer", "name"): "presets.adam.name",
        ("optimizer", "options", "betas", 0): "presets.adam.options.betas.0",
        ("l", 0, "rate"): "presets.slow.rate",
        ("l", 0, "name"): "presets.adam.name",
        ("optimizer",): "",  # a mapping of several origins
        ("nowhere", 3): "",
    }
    for place, origin in origins.items():
        assert resolved.origin(["lab", "part", *place]) == origin, place


KEYS = st.text(min_size=1, max_size=4).filter(lambda key: key not in ("preset", "presets"))
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(KEYS, TREES, max_size=4)


@given(st.dictionaries(KEYS, MAPPINGS, max_size=3))
def test_what_names_no_preset_stays_as_it_is(content: dict[str, Any]) -> None:
    assert presets.resolve(content).sections == content


@given(MAPPINGS)
def test_a_preset_s_own_values_laid_over_it_change_nothing(keys: dict[str, Any]) -> None:
    content = {"presets": {"p": keys}, "lab": {"part": {**keys, "preset": "p"}}}
    assert presets.resolve(content).sections["lab"]["part"] == keys


@given(MAPPINGS, MAPPINGS)
def test_what_is_laid_over_wins_and_nothing_else_is_lost(
    keys: dict[str, Any], over: dict[str, Any]
) -> None:
    content = {"presets": {"p": keys}, "lab": {"part": {"preset": "p", **over}}}
    merged = presets.resolve(content).sections["lab"]["part"]
    assert merged.keys() == keys.keys() | over.keys()
    for key, value in merged.items():
        if key not in over:
            assert value == keys[key]
        elif not (isinstance(over[key], dict) and isinstance(keys.get(key), dict)):
            assert value == over[key]
        else:
            assert value.keys() == over[key].keys() | keys[key].keys()
