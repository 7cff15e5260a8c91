"""Whether the buses that the settings name are there, and the node's user may use them."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.checks._looking import text_of

#: The node's user (systemd/kiezbox-node.service).
USER = "kiezbox"

#: Ports of a Raspberry Pi's own UART, by all the names they have had.
OWN_UARTS = ("/dev/serial0", "/dev/ttyAMA0", "/dev/ttyAMA10", "/dev/ttyS0")


def run(box: Examined) -> Iterator[Finding]:
    sensors = box.settings.sensors
    ports = {name: str(table["port"]) for name, table in sensors.items() if "port" in table}
    pins = [name for name, table in box.settings.power.grid.items() if table.get("driver") == "pin"]
    path = box.settings.hardware.i2c
    if box.on_i2c and not path.startswith("sim:") and not _exists(box, path):
        yield Finding(
            Level.BROKEN,
            f"the I²C bus {path} is not there: {', '.join(box.on_i2c)} cannot be read",
            "Switch it on: sudo raspi-config nonint do_i2c 0 (or dtparam=i2c_arm=on in"
            " /boot/firmware/config.txt), then restart. provisioning/install does it too.",
        )
    yield from _groups(box, is_i2c=bool(box.on_i2c), is_serial=bool(ports), is_gpio=bool(pins))
    yield from _console(box, ports)


def _exists(box: Examined, path: str) -> bool:
    return (box.root / path.lstrip("/")).exists()


def _groups(box: Examined, **needs: bool) -> Iterator[Finding]:
    """Only where the user is there: a developer's checkout has none."""
    if not any(line.startswith(f"{USER}:") for line in _lines(box, "etc/passwd")):
        return
    wanted = {"i2c": needs["is_i2c"], "dialout": needs["is_serial"], "gpio": needs["is_gpio"]}
    members = {}
    for line in _lines(box, "etc/group"):
        name, _, rest = line.partition(":")
        members[name] = rest.rpartition(":")[2].split(",")
    missing = [
        group
        for group, is_wanted in wanted.items()
        if is_wanted and group in members and USER not in members[group]
    ]
    if missing:
        yield Finding(
            Level.BROKEN,
            f"the user {USER} is not in the group {' and '.join(missing)}",
            f"sudo usermod -aG {','.join(missing)} {USER}, then restart the node: without it"
            " sensors, ports or pins may not be opened.",
        )


def _lines(box: Examined, path: str) -> list[str]:
    return text_of(box.root / path).splitlines()


def _console(box: Examined, ports: dict[str, str]) -> Iterator[Finding]:
    """Linux' own console talks into whatever hangs on the Pi's UART, and listens to it."""
    told = text_of(box.root / "proc/cmdline").split()
    is_console = any(
        each.removeprefix("console=").split(",")[0] in ("serial0", "ttyAMA0", "ttyS0")
        for each in told
        if each.startswith("console=")
    )
    for name, port in ports.items():
        if port in OWN_UARTS and is_console:
            yield Finding(
                Level.BROKEN,
                f"{name} hangs on {port}, where Linux has its own console",
                "The two talk into each other: sudo raspi-config nonint do_serial_cons 1 (it takes"
                " console=serial0 out of /boot/firmware/cmdline.txt), then restart.",
            )
