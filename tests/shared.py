"""Real data that lies beside the checkout and is never part of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

#: Where the folder ``shared`` is looked for; a stranger's clone may point elsewhere.
SHARED = Path(
    os.environ.get("KIEZBOX_SHARED", Path(__file__).resolve().parent.parent.parent / "shared")
)


def shared_data(name: str) -> Path:
    """The path of a file or folder of real data, or a skip that says what is missing."""
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"real data not here: {path} (set KIEZBOX_SHARED to the folder that has it)")
    return path
