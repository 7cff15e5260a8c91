"""A bench in a folder of its own, and a box that reaches it by address only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiezbox.hardware.box import BoxHardware
from kiezbox.hardware.simulated.bench import Bench
from kiezbox.settings import HardwareSettings


@pytest.fixture
def bench() -> Iterator[Bench]:
    # Not tmp_path: its name grows with the test's, and a socket's path holds 107 bytes.
    with tempfile.TemporaryDirectory() as folder, Bench(folder) as bench:
        yield bench


@pytest.fixture
def box(bench: Bench) -> Iterator[BoxHardware]:
    box = BoxHardware(HardwareSettings(i2c=bench.address, gpio=bench.address))
    yield box
    box.close()


@pytest.fixture
def root_file() -> Iterator[Path]:
    """A file that only root may open, in a folder that all may enter (tmp_path is not)."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder) / "device"
        path.touch(0o600)
        yield path


@pytest.fixture
def as_nobody(root_file: Path) -> Iterator[None]:
    """The test runs without root's rights."""
    if os.geteuid() != 0:
        pytest.skip("only root can try what it is like not to be root")
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
