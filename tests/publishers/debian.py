"""Programs of Debian packages that the tests want without their services: a database that a test
run has installed would go on running on somebody's computer.

``apt-get download influxdb prometheus && dpkg -x influxdb_*.deb .venv/debian``, which
``tests/prepare`` does, is enough.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

UNPACKED = Path(sys.prefix) / "debian" / "usr" / "bin"


def program(name: str, package: str) -> str:
    """Its path, or the test is skipped and says what is missing."""
    found = shutil.which(name) or shutil.which(name, path=str(UNPACKED))
    if found is None:
        pytest.skip(f"{name} is not here: apt-get download {package}, dpkg -x … .venv/debian")
    return found
