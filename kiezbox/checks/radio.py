"""Whether the radio of [radio] can be found under a lasting name, and its Kiez is known."""

from __future__ import annotations

import os
from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level


def run(box: Examined) -> Iterator[Finding]:
    radio = box.settings.radio
    if not radio.address:
        return
    if radio.address.startswith("/dev/tty"):
        yield Finding(
            Level.WARNING,
            f"radio.address = {radio.address}: the kernel may call it otherwise next time",
            "ls /dev/serial/by-id/ shows the name that stays.",
        )
    if not box.settings.kiez.members:
        yield Finding(
            Level.WARNING,
            "there is a radio, and no other box is in [kiez.members]",
            "`kiezbox sync key` prints each box's line (docs/peers.md).",
        )
    yield from _key(box)
    state = (box.facts or {}).get("radio") or {}
    if state.get("state") == "setting up":
        yield Finding(
            Level.NOTE,
            f"the radio is being set up: {state.get('why')}",
            "It takes half a minute; `kiezbox radio status` shows it.",
        )


def _key(box: Examined) -> Iterator[Finding]:
    folder = os.path.dirname(box.settings.store.path)
    path = box.settings.radio.key_file or os.path.join(folder, "kiez.key")
    try:
        mode = os.stat(box.root / path.lstrip("/")).st_mode
    except FileNotFoundError:
        yield Finding(
            Level.BROKEN,
            f"there is no key of the Kiez in {path}, so the radio is silent",
            "On the first box: sudo kiezbox radio key new. On the others: a copy of its file.",
        )
    except OSError:
        # Of a folder that only the node reads; `sudo kiezbox check` sees it.
        return
    else:
        if mode & 0o077:
            yield Finding(
                Level.BROKEN, f"others may read the key of the Kiez in {path}", f"chmod 600 {path}"
            )
