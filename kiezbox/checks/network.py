"""Whether this machine has what the network's plan needs: interfaces, programs, rights of radio."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level


def run(box: Examined) -> Iterator[Finding]:
    if box.machine is None:
        return
    for lack in box.lacks:
        yield Finding(Level.BROKEN if lack.is_fatal else Level.WARNING, lack.what, lack.hint)
    if not box.lacks:
        yield Finding(Level.FINE, "the network has everything that its plan needs")
