"""Whether the boxes can reach each other: the second radio and the mesh's key."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from kiezbox.checks import Examined, Finding, Level
from kiezbox.checks._looking import text_of
from kiezbox.checks._radios import MESH_ADAPTERS, known

#: What provisioning makes has 32. Shorter ones are guessed offline from one recorded handshake
#: less easily with SAE than with WPA2, but a Kiez keeps its key for years.
LEAST_KEY = 16
LEAST_DIFFERENT = 8


def run(box: Examined) -> Iterator[Finding]:
    mesh = box.settings.network.mesh
    if not mesh.interface:
        yield from _could_mesh(box)
        return
    if mesh.kind == "80211s":
        yield from _radio(box, mesh.interface)
        yield from _key(box.root / mesh.key_file.lstrip("/"))


def _could_mesh(box: Examined) -> Iterator[Finding]:
    point = box.settings.network.access_point.interface
    for interface in box.machine.interfaces if box.machine else ():
        radio = box.machine.radio_of(interface.name) if box.machine else None
        if radio and interface.name != point and "mesh point" in radio.modes:
            yield Finding(
                Level.NOTE,
                f"no mesh is set, and {interface.name} ({radio.driver}) could be its radio",
                f'Set network.mesh.interface = "{interface.name}".',
            )
            return
    yield Finding(
        Level.NOTE,
        "this box is in no mesh: it does not reach other boxes by radio",
        f"That takes a second WLAN adapter: {MESH_ADAPTERS}. docs/hardware.md says more.",
    )


def _radio(box: Examined, name: str) -> Iterator[Finding]:
    radio = box.machine.radio_of(name) if box.machine else None
    if radio is None:
        # That there is no such interface stands among the network's lacks.
        return
    about = known(box.root, radio.driver)
    if "mesh point" in radio.modes:
        chip = about.chip if about else "unknown to us"
        yield Finding(Level.FINE, f"{name} ({radio.driver}, {chip}) can be a mesh radio")
        return
    why = "the Raspberry Pi's own chip" if radio.driver == "brcmfmac" else radio.driver
    yield Finding(
        Level.BROKEN,
        f"{name} ({why}) is no mesh radio",
        f'One that is: {MESH_ADAPTERS}. Or a cable: network.mesh.kind = "wire".',
    )


def _key(path: Path) -> Iterator[Finding]:
    try:
        facts = path.stat()
    except FileNotFoundError:
        yield Finding(
            Level.BROKEN,
            f"there is no mesh key {path}",
            "sudo provisioning/install --only 60 makes one, or takes another box's (--mesh-key).",
        )
        return
    except OSError:
        yield Finding(Level.NOTE, "only root can look at the mesh's key", "sudo kiezbox check")
        return
    if stat.S_IMODE(facts.st_mode) & 0o077 or facts.st_uid != 0:
        yield Finding(
            Level.WARNING,
            f"others than root may read the mesh key {path}",
            f"sudo chown root:root {path}; sudo chmod 600 {path}",
        )
    if not os.access(path, os.R_OK):
        yield Finding(Level.NOTE, "only root can look at the mesh's key", "sudo kiezbox check")
        return
    key = text_of(path)
    if len(key) < LEAST_KEY or len(set(key)) < LEAST_DIFFERENT:
        yield Finding(
            Level.WARNING,
            "the mesh key is easy to guess",
            f"Remove {path} and run sudo provisioning/install --only 60; then bring the new one"
            " to all boxes of the Kiez.",
        )
    else:
        yield Finding(Level.FINE, "the mesh has a good key")
