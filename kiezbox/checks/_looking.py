"""What several checks need: small files below a root, and small commands. Neither ever fails."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

#: The longest any of the commands may take; systemd answers late while it starts.
_LIMIT_S = 10.0

#: A plain user's PATH lacks the folders where these programs are.
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def text_of(path: Path) -> str:
    """What the file holds; "" if it cannot be read. /proc and /sys may hold any bytes."""
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except OSError:
        return ""


def output_of(command: Sequence[str], *, stdin: str = "") -> tuple[int, str]:
    """Exit code and what it said; (-1, "") if it cannot be run."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=_LIMIT_S,
            input=stdin.encode(),
            env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{_PATH}", "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return -1, ""
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace").strip()


def is_there(path: Path) -> bool | None:
    """None: whoever asks may not know."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return None
    return True


def interface_index(root: Path, name: str) -> str:
    """The kernel's number of an interface, by which others file what they know of it."""
    return text_of(root / "sys/class/net" / name / "ifindex")
