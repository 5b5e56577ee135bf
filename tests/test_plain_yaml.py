"""plain_yaml: what is no plain YAML is refused in one short line, at once, and nothing is run."""

import os
from pathlib import Path

import pytest
from faults import write

from pipeline import config, plain_yaml
from pipeline.config import ConfigError
from pipeline.plain_yaml import YamlError


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("a: {b: [1, 0.5, true, null, x, 'y']}", {"a": {"b": [1, 0.5, True, None, "x", "y"]}}),
        ("---\na: 1\n...\n", {"a": 1}),
        ("\ufeffa: 1\r\n", {"a": 1}),
        ("a: 18446744073709551616", {"a": 2**64}),
        ("a: '<<'", "anchors, aliases and merges"),  # a merge, as far as can be seen
        ("", None),
    ],
)
def test_plain_values_are_what_they_say(text: str, content: object) -> None:
    if isinstance(content, str):
        with pytest.raises(YamlError, match=content):
            plain_yaml.parse(text)
    else:
        assert plain_yaml.parse(text) == content


TAGS = [
    *("!!python/object/apply:os.system ['touch pwned']", "!!python/name:os.system x"),
    *("!!binary aGk=", "!<tag:yaml.org,2002:str> x"),
    *("!include /etc/passwd", "!custom 1", "!!int '3'", "!!float 3", "!!str 3", "! 3", "!!set {a}"),
    *("!!omap [a: 1]", "!!timestamp 2020-01-01", "!!map {a: 1}" ),
]  # fmt: skip


@pytest.mark.parametrize("tagged", TAGS)
@pytest.mark.parametrize("text", ["{}", "a: {{b: {}}}", "a:\n- {}"])
def test_a_tag_is_refused_and_builds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, tagged: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(YamlError, match="tags are not used here"):
        plain_yaml.parse(text.format(tagged))
    assert list(tmp_path.iterdir()) == []


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]\n" for k in range(1, 99))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "anchors, aliases and merges are not used here"),
        ("a: {<<: {b: 1}}", "anchors, aliases and merges are not used here"),
        ("%YAML 1.1\n---\na: 1", "directives"),
        ("%TAG ! tag:x,2000:\n---\na: 1", "directives"),
        ("a: 1\n---\nb: 2", "expected a single document"),
        ("[" * 50_000, "more than 20 mappings and lists"),
        ("{a: " * 30_000, "more than 20 mappings and lists"),
        ("- " * 50_000, "more than 20 mappings and lists"),
        ("\n".join(" " * k + "a:" for k in range(300)), "more than 20 mappings and lists"),
        ("a: {b: 0x" + "f" * 20_000 + "}", "a.b: an integer of 80000 bits"),
        ("a: {b: " + "9" * 5000 + "}", "Exceeds the limit"),
        ("a: {b: 18446744073709551617}", "a.b: an integer of 65 bits"),
        ("a: [1, -0x" + "f" * 40 + "]", "a.1: an integer of 160 bits"),
        ("a: {? [0x" + "f" * 5000 + "] : 1}", "a: the key a tuple must be text"),
        ("a: {b: 2020-01-01}", "a.b: datetime.date(2020, 1, 1) is neither a number nor a word"),
        ("a: {b: 0001-01-01 00:00:00 +23:59}", "is neither a number nor a word"),
        ("a: " + "x" * 100_000, "a: a word of 100000 characters"),
        ("x" * 201 + ": 1", "a word of 201 characters"),
        ("a: {1, 2", "at line 1, column"),
        ("a: 1\n\0", "special characters are not allowed"),
        ('a: "\\U0011FFFF"', "chr() arg not in range"),
    ],
)
def test_what_would_mean_or_cost_more_than_it_says_is_refused(text: str, message: str) -> None:
    with pytest.raises(YamlError) as refused:
        plain_yaml.parse(text)
    assert message in str(refused.value)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) <= 300


def test_a_file_of_100_megabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    os.truncate(path, 10**8)  # a hole: it takes no disk
    with pytest.raises(ConfigError) as refused:
        config.read(path)
    assert str(refused.value) == (
        "params.yaml: cannot be read: it has 100000000 bytes, at most 160000 are read"
    )


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "link to a device", "dangling link"])
def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "params.yaml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "dangling link":
        path.symlink_to("nowhere")
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match=r"^params\.yaml: cannot be read: [^\n]+$"):
        config.read(path)


PRESETS = {
    "deep": "".join(f" p{k}: {{a: {{preset: p{k - 1}}}}}\n" for k in range(1, 300)),
    "a chain": "".join(f" p{k}: {{preset: p{k - 1}, a: 2}}\n" for k in range(1, 300)),
    "doubled": "".join(
        f" p{k}: {{a: {{preset: p{k - 1}}}, b: {{preset: p{k - 1}}}}}\n" for k in range(1, 25)
    ),
}


@pytest.mark.parametrize("kind", list(PRESETS))
def test_presets_of_presets_of_presets_are_bounded(tmp_path: Path, kind: str) -> None:
    last = PRESETS[kind].count("\n")
    text = f"presets:\n p0: {{a: 1}}\n{PRESETS[kind]}lab: {{part: {{preset: p{last}}}}}\n"
    with pytest.raises(ConfigError, match=r"more than 30 mappings|make > 50000 values"):
        config.read(write(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "presets: {1: {}}\nlab: {part: {preset: x}}",
        "presets: {p: {a: 1}}\nlab: {part: {preset: [p]}}",
        "presets: {p: {a: 1}}\nlab: {part: {preset: {a: 1}}}",
    ],
)
def test_a_preset_whose_name_is_no_text_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"^params\.yaml: .*(must be text|there is no preset)"):
        config.read(write(tmp_path, text))
