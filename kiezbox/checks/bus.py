"""Whether the buses that the settings name are there, and the node's user may use them.

Of serial ports (Raspberry Pi documentation, "Configure UARTs"; its engineers in
raspberrypi/documentation#3294 and RPi-Distro/raspi-config#263): /dev/serial0 is what pins 8 and 10
are, on all models but the Pi 5, where it is the three-pin plug (ttyAMA10) unless
``dtparam=uart0_console`` says otherwise; /dev/serial1 is Bluetooth's. The firmware writes into the
kernel's command line what ``console=serial0`` means.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping

from kiezbox.checks import Examined, Finding, Level
from kiezbox.checks._looking import text_of

#: The node's unit and its user.
UNIT, USER = "kiezbox-node.service", "kiezbox"

#: Ports of a Raspberry Pi's own UART, by all the names they have had.
OWN_UARTS = ("/dev/serial0", "/dev/ttyAMA0", "/dev/ttyAMA10", "/dev/ttyS0")


def run(box: Examined) -> Iterator[Finding]:
    sensors = box.settings.sensors
    pins = [name for name, table in box.settings.power.grid.items() if table.get("driver") == "pin"]
    hardware = box.settings.hardware
    if box.on_i2c and not hardware.i2c.startswith("sim:") and not _exists(box, hardware.i2c):
        yield Finding(
            Level.BROKEN,
            f"the I²C bus {hardware.i2c} is not there: {', '.join(box.on_i2c)} cannot be read",
            "Switch it on: sudo raspi-config nonint do_i2c 0, then restart. Without raspi-config:"
            " dtparam=i2c_arm=on in /boot/firmware/config.txt and i2c-dev in /etc/modules;"
            " provisioning/install does that.",
        )
    probes = [name for name, table in sensors.items() if table.get("driver") == "ds18b20"]
    if probes and not hardware.onewire.startswith("sim:") and not _exists(box, hardware.onewire):
        yield Finding(
            Level.BROKEN,
            f"1-Wire is off: {', '.join(probes)} cannot be read",
            "Switch it on: sudo raspi-config nonint do_onewire 0 (or dtoverlay=w1-gpio in"
            " /boot/firmware/config.txt), then restart. The wire is GPIO 4, pin 7.",
        )
    needs = {"i2c": bool(box.on_i2c), "dialout": bool(box.ports), "gpio": bool(pins)}
    yield from _groups(box, needs)
    if box.on_i2c:
        yield from _device(box, hardware.i2c, "i2c")
    if pins:
        yield from _device(box, hardware.gpio, "gpio")
    for name, port in box.ports.items():
        yield from _uart(box, name, port)


def _exists(box: Examined, path: str) -> bool:
    return (box.root / path.lstrip("/")).exists()


def _groups(box: Examined, needs: Mapping[str, bool]) -> Iterator[Finding]:
    """Only where the user is there: a developer's checkout has none."""
    if not any(line.startswith(f"{USER}:") for line in _lines(box, "etc/passwd")):
        return
    groups, granted = _members(box), _granted(box)
    missing = [
        group
        for group, is_needed in needs.items()
        if is_needed and group in groups and group not in granted and USER not in groups[group][1]
    ]
    if missing:
        yield Finding(
            Level.BROKEN,
            f"the user {USER} is not in the group {' and '.join(missing)}",
            f"sudo usermod -aG {','.join(missing)} {USER}, then restart the node: without it"
            " sensors, ports or pins may not be opened.",
        )


def _granted(box: Examined) -> set[str]:
    """What the node's unit gives it without /etc/group (systemd.exec(5), SupplementaryGroups)."""
    units = box.root / "etc/systemd/system"
    found: set[str] = set()
    for path in (units / UNIT, *sorted((units / f"{UNIT}.d").glob("*.conf"))):
        for line in text_of(path).splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "SupplementaryGroups":
                # An empty one takes back what came before.
                found = found | set(value.split()) if value.strip() else set()
    return found


def _members(box: Examined) -> dict[str, tuple[int, list[str]]]:
    """Group → its number and its members (group(5))."""
    found = {}
    for line in _lines(box, "etc/group"):
        fields = line.split(":")
        if len(fields) == 4 and fields[2].isdecimal():
            found[fields[0]] = int(fields[2]), fields[3].split(",")
    return found


def _device(box: Examined, path: str, group: str) -> Iterator[Finding]:
    """Raspberry Pi OS gives them to these groups; a plain Debian may leave them root's."""
    known = _members(box).get(group)
    try:
        found = (box.root / path.lstrip("/")).stat()
    except OSError:
        return
    is_open = stat.S_ISCHR(found.st_mode) and found.st_mode & stat.S_IWGRP
    if known is None or not stat.S_ISCHR(found.st_mode) or (is_open and found.st_gid == known[0]):
        return
    kernel = os.path.basename(path).rstrip("0123456789") + "[0-9]*"
    yield Finding(
        Level.BROKEN,
        f"{path} does not belong to the group {group}: the node may not open it",
        f"""Put KERNEL=="{kernel}", GROUP="{group}", MODE="0660" into"""
        f" /etc/udev/rules.d/60-kiezbox-{group}.rules, then restart.",
    )


def _lines(box: Examined, path: str) -> list[str]:
    return text_of(box.root / path).splitlines()


def _uart(box: Examined, name: str, port: str) -> Iterator[Finding]:
    """The Pi's own serial port: who else talks there, and whether it is the one on the pins."""
    there = _link(box, port)
    if there not in OWN_UARTS:
        return
    told = text_of(box.root / "proc/cmdline").split()
    consoles = [each.removeprefix("console=").split(",")[0] for each in told if "console=" in each]
    if there in [_link(box, f"/dev/{each}") for each in consoles]:
        yield Finding(
            Level.BROKEN,
            f"{name} hangs on {port}, where Linux has its own console",
            "The two talk into each other: sudo raspi-config nonint do_serial_cons 1 (or take"
            " console=serial0,115200 out of /boot/firmware/cmdline.txt), then restart.",
        )
    elif there == _link(box, "/dev/serial1"):
        yield Finding(
            Level.BROKEN,
            f"{name} hangs on {port}, which is Bluetooth's here",
            'Pins 8 and 10 are port = "/dev/serial0".',
        )
    elif there == "/dev/ttyAMA10":
        yield Finding(
            Level.BROKEN,
            f"{name} hangs on {port}, the small plug between a Pi 5's HDMI sockets",
            "For pins 8 and 10 put dtparam=uart0_console into /boot/firmware/config.txt and"
            " restart: then they are /dev/serial0, as on every other model.",
        )


def _link(box: Examined, path: str) -> str:
    """Where a name such as /dev/serial0 leads on this machine."""
    try:
        return os.path.join("/dev", os.path.basename(os.readlink(box.root / path.lstrip("/"))))
    except OSError:
        return path
