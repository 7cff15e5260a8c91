"""``mudp`` and ``vnode`` from PyPI, which nobody here wrote, join the air by multicast: what our
radios send they can read, and what they send our radios can. In a network namespace, and in a
Python environment of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("meshtastic", reason="the package meshtastic: pip install 'kiezbox[lora]'")

HERE = Path(__file__).resolve().parent
PEERS = ("mudp==1.5.8", "vnode==0.1.10")
#: Inside .venv, so that it goes when that goes; the folder's name says what is in it.
PLACE = HERE.parent.parent / ".venv" / "peers" / "-".join(PEERS).replace("==", "-")


@pytest.fixture(scope="module")
def foreign_python() -> Path:
    """Installed once; what cannot be had is said."""
    python = PLACE / "bin" / "python"
    done = PLACE / ".complete"
    if not done.exists():
        shutil.rmtree(PLACE, ignore_errors=True)
        for words in (
            [sys.executable, "-m", "venv", str(PLACE)],
            [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *PEERS],
        ):
            try:
                made = subprocess.run(
                    words, capture_output=True, text=True, timeout=240, check=False
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                pytest.skip(f"{' and '.join(PEERS)} cannot be installed: {error}")
            if made.returncode:
                pytest.skip(f"{' and '.join(PEERS)} cannot be installed: {made.stderr[-300:]}")
        done.touch()
    return python


def test_foreign_nodes_and_our_radios_read_write_and_acknowledge_each_other(
    foreign_python: Path, tmp_path: Path
) -> None:
    if os.geteuid() or not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("network namespaces need root, unshare and ip (util-linux, iproute2)")

    done = subprocess.run(
        ["unshare", "--net", "--kill-child", "--fork", sys.executable,
         str(HERE / "inside_multicast.py"), str(foreign_python), str(tmp_path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["texts"] == ["by mudp", "by vnode"]
    assert said["senders"] == [0x0A0B0C0D]
    assert said["ack"], "vnode's text was acknowledged by the radio it was for"
    assert said["heard"] == bytes(range(100)).hex()
    assert said["name"] == "Foreign"
    assert said["on_air"] >= 4, "what came by multicast took its time on the air"
