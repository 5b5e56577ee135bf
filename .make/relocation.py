"""An environment that holds no path: a checkout may be moved or copied with its .venv.

pip writes the absolute path of .venv into every script, and that of the checkout into the file that
makes this package importable. Here they become relative, so a copy runs its own code.
"""

import json
import os
import re
import shlex
from pathlib import Path

# A file of sh and of Python: sh replaces itself by the Python beside the script, to which these
# lines are a string. A script that is reached through a link is resolved.
SCRIPT = """#!/bin/sh
'''exec' "$(
bin=$(dirname -- "$0")
test -e "$bin/../pyvenv.cfg" || bin=$(dirname -- "$(realpath -- "$0")")
printf %s "$bin"
)/python" "$0" "$@"
' '''
"""
SHEBANG = re.compile(rb"#!.*\bpython[\d.]*\n")
LONG_SHEBANG = re.compile(
    rb"#!/bin/sh\n'''exec' .*\n' '''\n"
)  # of a path with spaces, or a long one
# bash and zsh tell where the file that they read is; others read the path of the last make.
ACTIVATE = (
    'if [ -n "${BASH_VERSION-}${ZSH_VERSION-}" ]; then '
    'VIRTUAL_ENV="$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE:-$0}")/.." && pwd)"; '
    "else VIRTUAL_ENV=%s; fi; export VIRTUAL_ENV"
)
FISH = "set -gx VIRTUAL_ENV (realpath (dirname (status filename))/..)"


def relocate(venv: Path) -> None:
    """Rewrite what holds a path; what is right already stays."""
    for script in (venv / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            _rewrite(script, _script(script.read_bytes()))
    here = shlex.quote(os.fspath(venv.absolute()))
    for name, pattern, line in (
        ("activate", r"(?:if .*?then )?(?:export )?VIRTUAL_ENV=.*", ACTIVATE % here),
        ("activate.fish", r"set -gx VIRTUAL_ENV .*", FISH),
        ("activate.csh", r"setenv VIRTUAL_ENV .*", f"setenv VIRTUAL_ENV {here}"),
    ):
        _substitute(venv / "bin" / name, rf"^([ \t]*){pattern}$", line)
    for packages in (venv / "lib").glob("python*/site-packages"):
        _package(packages, venv.absolute().parent)


def _script(content: bytes) -> bytes:
    for form in (SHEBANG, LONG_SHEBANG):
        if match := form.match(content):
            return SCRIPT.encode() + content[match.end() :]
    return content


def _substitute(file: Path, pattern: str, line: str) -> None:
    if file.is_file():
        text = os.fsdecode(file.read_bytes())
        changed = re.sub(pattern, lambda found: found[1] + line, text, flags=re.MULTILINE)
        _rewrite(file, os.fsencode(changed))


def _package(packages: Path, root: Path) -> None:
    """Let the checkout around .venv be the one that is imported."""
    for file in packages.glob("__editable__.attention_lab-*.pth"):
        # Python joins a relative line to the folder of the file.
        _rewrite(file, os.fsencode(os.path.relpath(root, packages.absolute()) + "\n"))
    for file in packages.glob("attention_lab-*.dist-info/direct_url.json"):
        content = {"dir_info": {"editable": True}, "url": root.as_uri()}
        _rewrite(file, json.dumps(content).encode())


def _rewrite(file: Path, content: bytes) -> None:
    """Write a file anew, whole, if its content changes: other names of it keep the old one."""
    if file.read_bytes() == content:
        return
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.chmod(file.stat().st_mode & 0o7777)
    partial.replace(file)
