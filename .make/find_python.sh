#!/bin/sh
# Print the Python that .venv is to be made with; one line and exit code 1 if there is none.
# The variable PYTHON names it; else the one that .venv has stays; else the first that serves.
set -u
unset PYTHONHOME PYTHONPATH PYTHONSTARTUP

ACCEPTED='Python 3.11, 3.12 or 3.13'
CANDIDATES='python3.11 python3.12 python3.13 python3 python'

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# Print "=PATH" with the interpreter under any environment of the Python $1, or what is wrong with
# it. Any Python understands this code, so each can say what it is.
examine() {
    "$1" -E -s -c '
import sys
sys.path[:] = [folder for folder in sys.path if folder]  # not the files of this folder
version = "%d.%d" % sys.version_info[:2]
missing = []
for name in ("venv", "ensurepip", "ssl", "sqlite3", "zlib", "ctypes"):
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
if "PyPy" in sys.version:
    print("is PyPy, for which the locked packages are not made")
elif not (3, 11) <= sys.version_info[:2] <= (3, 13):
    print("is Python " + version)
elif sys.maxsize < 2**32:
    print("is a 32-bit Python, for which there is no torch")
elif not getattr(sys, "_is_gil_enabled", bool)() and hasattr(sys, "_is_gil_enabled"):
    print("is a free-threaded Python, for which the locked packages are not made")
elif "venv" in missing or "ensurepip" in missing:
    print("has no module ensurepip; Debian and Ubuntu have it in the package python%s-venv" % version)
elif missing:
    print("was built without the module " + missing[0])
else:
    print("=" + (getattr(sys, "_base_executable", "") or sys.executable))
' 2>/dev/null | tail -n 1
}

# Print the interpreter and end, if the Python $1 serves.
take() {
    found=$(examine "$1")
    case $found in
        =*) printf '%s\n' "${found#=}"; exit 0 ;;
    esac
}

if [ -n "${PYTHON-}" ]; then
    command -v "$PYTHON" >/dev/null 2>&1 ||
        fail "PYTHON=$PYTHON: there is no such program; name $ACCEPTED: make PYTHON=/path/to/python3.11"
    take "$PYTHON"
    reason=$("$PYTHON" -c '' 2>&1 | head -n 1)
    fail "PYTHON=$PYTHON ${found:-does not run as a Python${reason:+ ($reason)}}; name $ACCEPTED: make PYTHON=/path/to/python3.11"
fi

if [ -x .venv/bin/python ]; then
    take .venv/bin/python
fi
seen=
for name in $CANDIDATES; do
    command -v "$name" >/dev/null 2>&1 || continue
    take "$name"
    if [ -n "$found" ]; then
        seen="$seen${seen:+; }$name $found"
    fi
done
fail "no $ACCEPTED is found${seen:+ ($seen)}; install one, or name it: make PYTHON=/path/to/python3.11"
