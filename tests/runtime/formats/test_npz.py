"""npz: arrays come back as they were written; what would fill the memory or run code is refused."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifact_files import refusal, stage_file
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from pipeline.runtime.formats import artifacts, npz

DTYPES = ["float64", "float32", "int64", "int8", "bool", "uint8", "complex128", "<U7"]


def read(path: Path) -> Any:
    return artifacts.read_npz(path, a="float64 n")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return stage_file(tmp_path, "a.npz")


@given(data=st.data(), name=st.sampled_from(["a", "b c", "α", "x/y"]))
def test_an_array_comes_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, data: Any, name: str
) -> None:
    shape = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    array = data.draw(npst.arrays(data.draw(st.sampled_from(DTYPES)), shape))
    array = data.draw(st.sampled_from([array, np.asfortranarray(array), array[..., ::-1]]) if
                      array.ndim else st.just(array))  # fmt: skip
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    artifacts.write_npz(path, **{name: array})
    names, arrays = npz.names_and_arrays(path, [name, "another"])
    assert names == [name]
    assert list(arrays) == [name]
    assert arrays[name].dtype == array.dtype
    assert arrays[name].tobytes() == array.tobytes()
    assert arrays[name].shape == array.shape


def npy(array: Any, pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=pickle)
    return buffer.getvalue()


def header(text: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """An npy file of any header."""
    line = text.encode("latin-1") + b"\n"
    size = len(line).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + size + line + body


def of(descr: str, shape: str, **rest: Any) -> bytes:
    return header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}", **rest)


class Bomb:
    """Pickled, it is a call."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return open, ("pwned", "w")


EVIL = {
    "of objects": (npy(np.array([Bomb()]), pickle=True), "holds objects"),
    "of hidden objects": (of("[('x', '|O')]", "(1,)", body=b"x" * 8), "holds objects"),
    "of a terabyte": (of("'<f8'", "(1000000000000,)"), "not 8000000000000"),
    "of more than a byte can count": (of("'<f8'", "(1" + "0" * 40 + ",)"), "bytes of numbers, not"),
    "of a negative size": (of("'<f8'", "(-1,)"), "bytes of numbers, not -8"),
    "of two negative sizes": (of("'<f8'", "(-1, -2)", body=b"x" * 16), "bytes of numbers"),
    "of other numbers than it has": (of("'<f8'", "(3,)", body=b"x" * 16), "16 bytes of numbers"),
    "of more numbers than it says": (of("'<f8'", "(1,)", body=b"x" * 16), "16 bytes of numbers"),
    "of no size": (of("'<V0'", "(5,)"), "is |V0"),
    "of huge items": (of("'<V2000000000'", "(1,)"), "not 2000000000"),
    "of an unknown dtype": (of("'<q99'", "(1,)"), ""),
    "of a dtype of code": (of("__import__('os').abort()", "(1,)"), ""),
    "of a nested dtype": (of("[" * 200 + "]" * 200, "(1,)"), ""),
    "of a text for a shape": (of("'<f8'", "'x'"), ""),
    "of a bool for a size": (of("'<f8'", "(True,)", body=b"x" * 8), ""),
    "of a long header": (of("'<f8'", "(1,)" + " " * 50_000, body=b"x" * 8), ""),
    "of a header without keys": (header("{}"), ""),
    "of a header that is no mapping": (header("[" * 90 + "]" * 90), ""),
    "of an unknown version": (of("'<f8'", "(1,)", version=b"\x09\x00"), ""),
    "cut in its header": (npy([1.0])[:9], ""),
    "of no npy at all": (b"text", ""),
    "empty": (b"", ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(EVIL))
def test_an_array_that_is_not_as_it_says_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(path.parent.parent)
    content, message = EVIL[kind]
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.npy", content)
    assert message in refusal(read, path)
    assert {file.name for file in Path().iterdir()} == {"some_stage"}


def compressed(path: Path) -> None:
    np.savez_compressed(path, a=np.zeros(10**6))


def claims_to_be_small(path: Path) -> None:
    """Sizes in the directory that are not those of the compressed member."""
    compressed(path)
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = (136).to_bytes(4, "little")
    path.write_bytes(content)


def doubled(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.npy", npy([1.0]))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a.npy", npy([2.0]))


def named_twice(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.npy", npy([1.0]))
        file.writestr("a", npy([2.0]))


def encrypted(path: Path) -> None:
    artifacts.write_npz(path, a=np.ones(3))
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rindex(mark) + offset] |= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (compressed, "'a.npy' is compressed"),
        (claims_to_be_small, "'a.npy' is compressed"),
        (doubled, "holds 'a' twice"),
        (named_twice, "holds 'a' twice"),
        (encrypted, "encrypted"),
    ],
)
def test_an_archive_that_was_not_written_here_is_refused(
    path: Path, make: Callable[[Path], None], message: str
) -> None:
    make(path)
    assert message in refusal(read, path)


@pytest.mark.parametrize("name", ["../../a", "/a", "C:\\a", "a/../../a", "~", "a\n", "Q" * 30_000])
def test_the_names_of_members_are_no_paths(path: Path, name: str) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.npy", npy([1.0]))
    before = sorted(path.parent.parent.rglob("*"))
    message = refusal(read, path)
    assert message.startswith("some_stage/a.npz: has no array 'a', only [")
    assert message.count("Q") <= 300
    assert sorted(path.parent.parent.rglob("*")) == before
