"""The set-up's files are no package: a Python without one runs them."""

import sys

from pipeline.__main__ import ROOT

sys.path.append(str(ROOT / ".make"))
