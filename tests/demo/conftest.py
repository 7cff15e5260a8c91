"""One running demo for the tests that only look at it and put everything back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Demo


@pytest.fixture
def folders() -> Iterator[Path]:
    """Where a demo may put its folder. A short path: a socket's may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="kb-demo-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """Two boxes whose time runs six times as fast."""
    with (
        tempfile.TemporaryDirectory(prefix="kb-demo-") as folder,
        Demo(Path(folder), "--boxes", "2", "--speed", "6") as running,
    ):
        yield running
