"""The machines of this room lie beside its tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from machines import Tree  # noqa: E402


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)
