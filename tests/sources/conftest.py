"""A real HTTP server on loopback, and a box that asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from boxes import Box
from serving import Server

from kiezbox.clock import ManualClock

#: Saturday 3 January 2026, 19:00 UTC.
NOW = 1_767_466_800.0


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        yield found


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def box(tmp_path: Path, server: Server, clock: ManualClock) -> Iterator[Box]:
    found = Box(tmp_path, server, clock)
    yield found
    found.close()
