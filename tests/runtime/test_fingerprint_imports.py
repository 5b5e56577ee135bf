"""fingerprint: which imports of a file are followed, which are refused, which name a package."""

from pathlib import Path

import pytest

from pipeline.runtime import fingerprint
from pipeline.runtime.fingerprint import FingerprintError

LOCK = "requirements.lock"


def small(root: Path, text: str, lock: str = "numpy==1\n", **files: str) -> fingerprint.Fingerprint:
    """The fingerprint of a stage of this text."""
    modules = {"stages.lab.make": text, "core.there": "", **files}
    for module, content in modules.items():
        path = root / "pipeline" / f"{module.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (root / LOCK).write_text(lock)
    return fingerprint.of_stage("lab_make", root)


STAGE = "pipeline/stages/lab/make.py"
THERE = "pipeline/core/there.py"


@pytest.mark.parametrize(
    "text",
    [
        "import pipeline.core.there",
        "import pipeline.core.there as t",
        "from pipeline.core import there",
        "from pipeline.core import missing, there as t",
        "from pipeline.core.there import something",
        "from pipeline.core.there import *",
        "def f():\n    from pipeline.core import there",
        "class A:\n    def f(self):\n        if 0:\n            import pipeline.core.there",
        "if True:\n    pass\nelse:\n    import pipeline.core.there",
        "try:\n    import pipeline.core.there\nexcept ImportError:\n    pass",
        "import importlib\nimportlib.import_module('pipeline.core.there')",
        "import importlib as il\nil.import_module('pipeline.core.there')",
        "from importlib import import_module\nimport_module('pipeline.core.there')",
        "__import__('pipeline.core.there')",
        "if TYPE_CHECKING:\n    pass\nelse:\n    import pipeline.core.there",
    ],
)
def test_every_way_to_import_by_name_is_followed(tmp_path: Path, text: str) -> None:
    assert set(small(tmp_path, text).files) == {STAGE, THERE}


@pytest.mark.parametrize(
    "text",
    [
        "import pipelined.core.there",
        "from other.pipeline.core import there",
        "# import pipeline.core.there",
        "'import pipeline.core.there'",
        "import pipeline.core.theres",
    ],
)
def test_what_only_looks_like_an_import_of_this_package_is_not(tmp_path: Path, text: str) -> None:
    lock = "pipelined==1\nother==1\n"
    assert set(small(tmp_path, text, lock).files) == {STAGE}


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_what_only_type_checkers_see_is_no_code_of_a_stage(tmp_path: Path, test: str) -> None:
    text = f"import typing\nif {test}:\n    import torch\n    from pipeline.core import there\n"
    found = small(tmp_path, text)
    assert (set(found.files), found.packages) == ({STAGE}, {})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import importlib\nimportlib.import_module(name)", "has a computed name"),
        ("import importlib as il\nil.import_module('a' + b)", "has a computed name"),
        ("from importlib import import_module\nimport_module(f'pipeline.{x}')", "has a computed"),
        ("\n__import__(x)", "has a computed name"),
        ("\nfrom importlib import import_module as load", "is under another name"),
        ("\nfrom runpy import run_module as go", "is under another name"),
        ("import importlib\nx = importlib.import_module", "is passed on without a name"),
        ("from importlib import import_module\nlist(map(import_module, names))", "is passed on"),
        ("\nf = __import__", "is passed on without a name"),
        ("\nfrom . import there", "is relative"),
        ("\nfrom .there import x", "is relative"),
        ("\nexec('import pipeline.core.there')", "is of code that no import names"),
        ("import builtins\nbuiltins.exec(text)", "is of code that no import names"),
        ("\neval(text)", "is of code that no import names"),
        ("import runpy\nrunpy.run_module('pipeline.core.there')", "is of code that no import"),
        ("import runpy\nrunpy.run_path(path)", "is of code that no import names"),
        ("import importlib.util as u\nu.spec_from_file_location('x', y)", "is of code that"),
    ],
)  # fmt: skip
def test_an_import_that_cannot_be_followed_is_refused_with_its_line(
    tmp_path: Path, text: str, why: str
) -> None:
    with pytest.raises(FingerprintError) as refused:
        small(tmp_path, text)
    message = str(refused.value)
    assert message.startswith(f"{STAGE}:2: this import {why}")
    assert message.endswith("import the module by its full name")
    assert len(message.splitlines()) == 1


def test_methods_of_the_same_names_are_no_imports(tmp_path: Path) -> None:
    text = "model.eval()\nwindow.exec(1)\nre.compile('x')\nframe.eval\n"
    assert set(small(tmp_path, text).files) == {STAGE}


def test_a_package_s_own_file_is_code_of_what_imports_from_it(tmp_path: Path) -> None:
    text = "from pipeline.core import there\nfrom pipeline.core.deep.down import x\n"
    files = {"core.__init__": "", "core.deep.__init__": "", "core.deep.down": "x = 1"}
    expected = {STAGE, THERE, "pipeline/core/__init__.py", "pipeline/core/deep/__init__.py"}
    assert set(small(tmp_path, text, **files).files) == expected | {"pipeline/core/deep/down.py"}


def test_imports_in_a_circle_end(tmp_path: Path) -> None:
    circle = {"core.there": "import pipeline.core.back", "core.back": "import pipeline.core.there"}
    found = small(tmp_path, "import pipeline.core.there", **circle)
    assert set(found.files) == {STAGE, THERE, "pipeline/core/back.py"}


@pytest.mark.parametrize(
    ("text", "lock", "packages"),
    [
        ("import numpy as np", "numpy==2.1\nother==1\n", {"numpy": "2.1"}),
        ("import numpy.linalg", "numpy==2.1\n", {"numpy": "2.1"}),
        ("def f():\n    from sklearn.x import y", "scikit_learn==1.5\n", {"scikit-learn": "1.5"}),
        ("from ruamel.yaml import YAML", "ruamel.yaml==0.1\n", {"ruamel.yaml": "0.1"}),
        ("import os, json, collections.abc", "", {}),
    ],
)
def test_packages_are_those_that_are_imported_in_their_pinned_versions(
    tmp_path: Path, text: str, lock: str, packages: dict[str, str]
) -> None:
    assert small(tmp_path, text, lock).packages == packages


def test_what_the_runtime_imports_inside_a_function_is_no_package_of_its_stages(
    tmp_path: Path,
) -> None:
    carry = "import numpy\ndef f():\n    import torch\n    import pipeline.core.there\n"
    lock = "numpy==1\ntorch==2\n"
    carried = {"runtime.carry": carry}
    found = small(tmp_path, "import pipeline.runtime.carry", lock, **carried)
    assert found.packages == {"numpy": "1"}
    assert THERE in found.files  # its code counts all the same
    both = "import pipeline.runtime.carry\ndef f():\n    import torch\n"
    assert small(tmp_path, both, lock, **carried).packages == {"numpy": "1", "torch": "2"}


def test_a_package_without_a_pin_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FingerprintError, match=r"^requirements\.lock pins no numpy, which"):
        small(tmp_path, "import numpy", "torch==1\n")


def test_code_that_is_no_python_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FingerprintError, match=rf"^{STAGE} is not valid Python: "):
        small(tmp_path, "def f(:\n")
