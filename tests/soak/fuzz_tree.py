"""Mutations of the tree that params.yaml says, and the text of a tree.

A mutation takes the generator of random numbers and a tree, and returns it mutated. Whatever is
long is made of the letter Q, so that a test can count how much of it a message shows.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

LONG = 30_000


class Raw(str):
    """Text that stands in the file as it is, where a value or a key would stand."""

    __slots__ = ()


ATOMS = [
    *("null", "~", "true", "no", "0", "-1", "1", "2", "0.5", "1e6", "1e400", "-1e400", ".nan"),
    *(".inf", "-.inf", "5e-324", "1_000", "0o17", "0x1F", "1:30", "4294967296", "-" + "9" * 20),
    *("9" * 5000, "0x" + "f" * 5000, "0b" + "1" * 20_000, "1" + "_" * 5000 + "0"),
    *("''", "' '", "'0.1'", "'1e5'", "'softmax'", "'\u0455oftmax'", "'\uff10.1'", "'../../x'"),
    *("'~'", "'NA'", '"\\0"', '"\\e[31m"', '"\\u202e"', '"\\ud800"', '"\\n"', "'{{a}}'", "${HOME}"),
    *('"' + "Q" * LONG + '"', "Q" * LONG, "[" + "Q, " * 500 + "Q]", "{Q: Q}"),
    *("2020-01-01", "2020-13-45", "0001-01-01 00:00:00 +23:59", "2001-12-14t21:59:43.10-05:00"),
    *("[]", "[[]]", "[null]", "[1, 1]", "[0.0, 0.0]", "[1e300, -1e300]", "[.nan, .nan]", "[a, a]"),
    *("{}", "[{}]", "{a: 1}", "{1: 2}", "{? [1] : 2}", "{null: 1}", "{preset: nowhere}"),
    *("{preset: windows}", "{preset: 1}", "{preset: [a]}", "{preset: {preset: study}}"),
    *("[" * 500 + "]" * 500, "{a: " * 100 + "1" + "}" * 100),
    *("!!python/object/apply:os.abort []", "!!binary aGk=", "!include /etc/passwd", "!!int 3"),
    *("! 3", "!!set {a}", "!!omap [a: 1]", "&a 1", "*a", "&a [*a]", "<<", "{<<: {a: 1}}"),
]  # fmt: skip


def flow(value: Any) -> str:
    """Write a tree in YAML's flow style."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return json.dumps(value)


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of all values below a tree's root, each as the keys that lead to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, one in inner:
        found.append((*above, key))
        if isinstance(one, dict | list):
            found += places(one, (*above, key))
    return found


def at(tree: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        tree = tree[key]
    return tree


def put(tree: Any, place: tuple[Any, ...], change: Callable[[Any, Any], Any]) -> Any:
    """Return a tree whose mapping or list around ``place`` is ``change(it, last key)``."""
    if len(place) == 1:
        return change(tree, place[0])
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[place[0]] = put(tree[place[0]], place[1:], change)
    return copy


def _with(around: Any, key: Any, value: Any) -> Any:
    copy = dict(around) if isinstance(around, dict) else list(around)
    copy[key] = value
    return copy


def _keys(tree: Any) -> list[tuple[Any, ...]]:
    return [place for place in places(tree) if isinstance(at(tree, place[:-1]), dict)]


def replace(rng: Random, tree: Any) -> Any:
    atom = Raw(rng.choice(ATOMS))
    return put(tree, rng.choice(places(tree)), lambda around, key: _with(around, key, atom))


def remove(rng: Random, tree: Any) -> Any:
    def change(around: Any, key: Any) -> Any:
        if isinstance(around, dict):
            return {k: v for k, v in around.items() if k != key}
        return [v for k, v in enumerate(around) if k != key]

    return put(tree, rng.choice(places(tree)), change)


def rename(rng: Random, tree: Any) -> Any:
    place = rng.choice(_keys(tree))
    name = str(place[-1])
    likely = [name + "s", name[:-1], name.upper(), name.replace("e", "\u0435"), " " + name]
    strange = ["preset", "", "../" + name, name + "\0", name + "\n", "\u202e" + name, "a.b"]
    kinds = ["1", "null", "2020-01-01", "true", "? [a]", "<<", "0x" + "f" * 900]
    other = rng.choice([*likely, *strange, "__init__", "Q" * LONG, *map(Raw, kinds)])
    return put(
        tree, place, lambda around, key: {other if k == key else k: v for k, v in around.items()}
    )


def double(rng: Random, tree: Any) -> Any:
    def change(around: Any, key: Any) -> Any:
        return around | {Raw(json.dumps(key)): around[key]}

    return put(tree, rng.choice(_keys(tree)), change)


def wrap(rng: Random, tree: Any) -> Any:
    def change(around: Any, key: Any) -> Any:
        value = around[key]
        for _ in range(rng.choice([1, 1, 2, 30, 100])):
            value = [value] if rng.random() < 0.5 else {"inner": value}
        return _with(around, key, value)

    return put(tree, rng.choice(places(tree)), change)


def exchange(rng: Random, tree: Any) -> Any:
    one, other = rng.choice(places(tree)), rng.choice(places(tree))
    first, second = at(tree, one), at(tree, other)
    tree = put(tree, one, lambda around, key: _with(around, key, second))
    try:
        return put(tree, other, lambda around, key: _with(around, key, first))
    except (KeyError, IndexError, TypeError):  # the first exchange has taken that place away
        return tree


def insert(rng: Random, tree: Any) -> Any:
    place = rng.choice([p for p in places(tree) if isinstance(at(tree, p), dict)])
    key = rng.choice(["preset", "extra", Raw("<<"), Raw("1"), "Q" * 300, "name", "", "\u202e"])
    return put(
        tree,
        place,
        lambda around, last: _with(around, last, around[last] | {key: Raw(rng.choice(ATOMS))}),
    )


def presets(rng: Random, tree: Any) -> Any:
    """Let one preset name another, which may name it."""
    known = tree.get("presets")
    if not isinstance(known, dict) or not known:
        return tree
    name, other = rng.choice(list(known)), rng.choice([*known, "nowhere"])
    if not isinstance(known[name], dict):
        return tree
    change = {"preset": other} if rng.random() < 0.5 else {"inner": {"preset": other}}
    return tree | {"presets": known | {name: known[name] | change}}


def laughs(rng: Random, tree: Any) -> Any:
    """Add presets that name each other twice: a billion values of a few lines."""
    count = rng.choice([3, 10, 20, 40, 400])
    twice = {
        f"q{k}": {"a": {"preset": f"q{k - 1}"}, "b": {"preset": f"q{k - 1}"}}
        for k in range(1, count)
    }
    known = tree.get("presets")
    more = {"presets": (known if isinstance(known, dict) else {}) | {"q0": {"a": 1}} | twice}
    return tree | more | {"laughs": {"part": {"preset": f"q{count - 1}"}}}


MUTATIONS = (
    replace,
    replace,
    replace,
    remove,
    rename,
    double,
    wrap,
    exchange,
    insert,
    presets,
    laughs,
)
