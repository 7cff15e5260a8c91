"""Whether the log of words can be kept and written, and whom the box believes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level


def run(box: Examined) -> Iterator[Finding]:
    path = box.settings.store.words_path
    folder = os.path.dirname(path) or "."
    try:
        found = os.stat(folder)
        has_log = os.path.exists(path)
    except PermissionError:
        yield Finding(Level.NOTE, f"{folder} cannot be looked at", "As root: sudo kiezbox check.")
        return
    except OSError:
        has_log = False
    if not has_log:
        yield Finding(
            Level.WARNING,
            f"there is no log of words {path} yet: residents' words cannot be taken",
            "The node makes it when it starts; its faults say why it could not.",
        )
    elif _is_installed(box) and not found.st_mode & stat.S_IWGRP:
        yield Finding(
            Level.BROKEN,
            f"{folder} is not writable for its group: the portal cannot take residents' words",
            "sudo systemd-tmpfiles --create /etc/tmpfiles.d/kiezbox.conf",
        )
    else:
        yield Finding(Level.FINE, "the log of words is there")
    if not box.settings.trust.roots:
        yield Finding(
            Level.NOTE,
            "this box believes no root: no bulletin is ever official here",
            "Put a root's public key into [trust] roots: docs/trust.md.",
        )


def _is_installed(box: Examined) -> bool:
    """Whether the portal runs by its unit: then it is another user than the node."""
    return (box.root / "etc/systemd/system/kiezbox-portal.service").exists()
