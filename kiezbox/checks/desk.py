"""Whether somebody operates this box."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.checks._looking import is_there


def run(box: Examined) -> Iterator[Finding]:
    folder = box.root / box.settings.desk.state_dir.lstrip("/")
    if is_there(folder) and is_there(folder / "operator.json") is False:
        yield Finding(
            Level.NOTE,
            "nobody has claimed this box's desk yet",
            "sudo kiezbox desk claim prints a code and where to type it.",
        )
