"""Whether the card has room, is not dying, and the store is in order.

Signs of a dying card: a file system that Linux has made read-only, blocks that it could not read or
write, errors that ext4 has counted
(kernel, Documentation/ABI/testing/sysfs-fs-ext4, ``errors_count``), and what an eMMC says of its
own age (JEDEC JESD84-B51, DEVICE_LIFE_TIME_EST: 0x0A is 90 to 100 % used; SD cards say nothing).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.checks._looking import output_of, text_of

#: How the kernel begins it, whatever its version.
_LOST = "I/O error, dev mmcblk"

#: Less than this and a fold of the journal may fail.
LEAST_FREE_MIB = 100


def run(box: Examined) -> Iterator[Finding]:
    path = box.settings.store.path
    if not os.path.exists(path):
        yield Finding(
            Level.WARNING, f"there is no database {path} yet", "The node makes it when it starts."
        )
        return
    yield from _dying(box)
    disk = os.statvfs(os.path.dirname(path) or ".")
    free_mib = disk.f_bavail * disk.f_frsize // 1_048_576
    if free_mib < LEAST_FREE_MIB:
        yield Finding(
            Level.WARNING,
            f"only {free_mib} MiB are free on the card",
            "Lower store.keep_days, or use a larger card.",
        )
    state = ((box.facts or {}).get("store") or {}).get("state", "ok")
    if state != "ok":
        yield Finding(
            Level.BROKEN,
            f"the store is {state}: new readings are kept in memory only",
            "kiezbox store check says what can be done.",
        )
    else:
        yield Finding(Level.FINE, f"the store is in order, {free_mib} MiB free")


CARD_HINT = (
    "Copy what you need now (`kiezbox store backup`), then write a new card of endurance grade; see"
    " docs/hardware.md."
)


def _dying(box: Examined) -> Iterator[Finding]:
    mounted = _mount_of(box, os.path.realpath(os.path.dirname(box.settings.store.path) or "."))
    if mounted and "ro" in mounted[2].split(","):
        yield Finding(
            Level.BROKEN,
            f"{mounted[1]} ({mounted[0]}) is read-only: nothing is stored",
            f"Linux does that when a card fails: `dmesg | grep -i error` says more. {CARD_HINT}",
        )
    lost = _lost_blocks(box)
    if lost:
        yield Finding(
            Level.BROKEN,
            f"the card did not read or write what it was told: {lost} times since the start",
            f"`journalctl --dmesg --grep 'I/O error'` says where. {CARD_HINT}",
        )
    for folder in sorted((box.root / "sys/fs/ext4").glob("*")):
        count = text_of(folder / "errors_count")
        if count.isdecimal() and int(count):
            yield Finding(
                Level.WARNING,
                f"ext4 has counted {count} errors on {folder.name}",
                "Write fsck.mode=force behind the one line of /boot/firmware/cmdline.txt, restart,"
                f" and take it out again: that checks it. {CARD_HINT}",
            )
    for device in sorted((box.root / "sys/block").glob("mmcblk[0-9]")):
        worn = [int(each, 16) for each in text_of(device / "device/life_time").split()
                if each.startswith("0x")]  # fmt: skip
        if worn and max(worn) >= 0x0A:
            yield Finding(
                Level.WARNING,
                f"{device.name} says that its life is used up to {10 * max(worn)} %",
                CARD_HINT,
            )


def _lost_blocks(box: Examined) -> int:
    """How often the kernel's log says so (block/blk-core.c, ``print_req_error``); root may read it.

    Of a card, mmcblk: a stick that was pulled out has the same words.
    """
    code, said = output_of(
        ("journalctl", f"--root={box.root}", "--dmesg", "--boot", "--quiet", "--output=cat")
    )
    return said.count(_LOST) if code == 0 else 0


def _mount_of(box: Examined, path: str) -> list[str] | None:
    """Device, place and options of the file system that holds the path (proc(5), mounts)."""
    best: list[str] | None = None
    for line in text_of(box.root / "proc/mounts").splitlines():
        parts = line.split(" ")
        if len(parts) < 4:
            continue
        place = parts[1].replace("\\040", " ")
        is_above = path == place or path.startswith(place.rstrip("/") + "/")
        if is_above and (best is None or len(place) >= len(best[1])):
            best = [parts[0], place, parts[3]]
    return best
