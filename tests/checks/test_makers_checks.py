"""``kiezbox check``: the mistakes that makers make, each with the sentence that mends it."""

from __future__ import annotations

import dataclasses
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from kiezbox.checks import Examined, Finding, Level, bus, card, clock, publishers, sensors, supply
from kiezbox.cli.check import examined as looked_over
from kiezbox.clock import ManualClock
from kiezbox.sensors import address_of, port_of
from kiezbox.settings import Settings, parse


def examined(root: Path, **tables: Any) -> Examined:
    given = {"box": {"id": "kb-a"}, "store": {"path": f"{root}/kiezbox.db"}, **tables}
    settings = parse(Settings, given)
    hung = {name: (address_of(table), port_of(table)) for name, table in settings.sensors.items()}
    return Examined(
        settings, ManualClock(time.time()), None, root=root,
        on_i2c=tuple(name for name, (address, _) in hung.items() if address is not None),
        ports={name: port for name, (_, port) in hung.items() if port is not None},
    )  # fmt: skip


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


def found(check: Any, box: Examined) -> list[Finding]:
    said = list(check.run(box))
    assert all(each.hint for each in said if each.level > Level.FINE), "what to do stands with it"
    return said


ROOF = {"roof": {"driver": "bme280", "where": "outdoor"}}
DUST = {"street": {"driver": "sds011", "port": "/dev/serial0", "where": "outdoor"}}
GRID = {"grid": {"plug": {"driver": "pin", "pin": 17}}}


# --- buses ---------------------------------------------------------------------------------------


def test_a_bus_that_is_switched_off_is_said_with_the_way_to_switch_it_on(tmp_path: Path) -> None:
    (one,) = found(bus, examined(tmp_path, sensors=ROOF))

    assert one.level is Level.BROKEN and "roof" in one.message
    assert "do_i2c 0" in one.hint and "dtparam=i2c_arm=on" in one.hint


@pytest.mark.parametrize(
    "tables",
    [
        {"sensors": ROOF, "hardware": {"i2c": "sim:/tmp/bench"}},
        {"sensors": DUST},
        {},
    ],
)
def test_nobody_is_told_of_a_bus_that_nobody_uses(tmp_path: Path, tables: dict[str, Any]) -> None:
    assert found(bus, examined(tmp_path, **tables)) == []


def test_a_bus_that_is_there_is_no_finding(tmp_path: Path) -> None:
    put(tmp_path, "dev/i2c-1", "")
    assert found(bus, examined(tmp_path, sensors=ROOF)) == []


def test_each_group_that_the_user_lacks_is_named_and_no_other(tmp_path: Path) -> None:
    put(tmp_path, "dev/i2c-1", "")
    put(
        tmp_path,
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\nkiezbox:x:990:990::/:/usr/sbin/nologin\n",
    )
    put(tmp_path, "etc/group", "i2c:x:1:\ndialout:x:2:pi,kiezbox\ngpio:x:3:pi\nvideo:x:4:\n")

    (one,) = found(bus, examined(tmp_path, sensors=ROOF | DUST, power=GRID))

    assert "i2c and gpio" in one.message
    assert "usermod -aG i2c,gpio kiezbox" in one.hint


@pytest.mark.parametrize(
    ("unit", "more", "missing"),
    [
        ("[Service]\nSupplementaryGroups=i2c gpio dialout kiezbox-words\n", "", ""),
        ("[Service]\nSupplementaryGroups=i2c\n", "", "dialout"),
        ("[Service]\nSupplementaryGroups=i2c\n", "SupplementaryGroups=dialout\n", ""),
        (
            "[Service]\nSupplementaryGroups=i2c dialout\n",
            "SupplementaryGroups=\n",
            "i2c and dialout",
        ),
    ],
)
def test_a_group_that_the_units_line_gives_is_not_missed(
    tmp_path: Path, unit: str, more: str, missing: str
) -> None:
    put(tmp_path, "dev/i2c-1", "")
    put(tmp_path, "etc/passwd", "kiezbox:x:990:990::/:/usr/sbin/nologin\n")
    put(tmp_path, "etc/group", "i2c:x:1:\ndialout:x:2:\n")
    put(tmp_path, "etc/systemd/system/kiezbox-node.service", unit)
    put(tmp_path, "etc/systemd/system/kiezbox-node.service.d/own.conf", f"[Service]\n{more}")

    said = found(bus, examined(tmp_path, sensors=ROOF | DUST))

    assert [missing in each.message for each in said] == [True] * bool(missing)


def test_on_a_computer_without_the_user_nobody_is_missed(tmp_path: Path) -> None:
    put(tmp_path, "dev/i2c-1", "")
    put(tmp_path, "etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    put(tmp_path, "etc/group", "i2c:x:1:\n")

    assert found(bus, examined(tmp_path, sensors=ROOF)) == []


@pytest.mark.parametrize(
    "console", ["console=serial0,115200 console=tty1", "quiet console=ttyAMA0,115200n8"]
)
def test_a_dust_sensor_on_the_console_is_told_who_else_talks_there(
    tmp_path: Path, console: str
) -> None:
    put(tmp_path, "proc/cmdline", f"{console} root=PARTUUID=1 rootwait\n")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/serial0").symlink_to("ttyAMA0")

    (one,) = found(bus, examined(tmp_path, sensors=DUST))

    assert "street" in one.message and "console" in one.message
    assert "do_serial_cons 1" in one.hint


def test_a_dust_sensor_on_usb_or_without_a_console_is_fine(tmp_path: Path) -> None:
    put(tmp_path, "proc/cmdline", "console=serial0,115200\n")
    usb = {"street": {"driver": "sds011", "port": "/dev/ttyUSB0", "where": "outdoor"}}
    assert found(bus, examined(tmp_path, sensors=usb)) == []

    put(tmp_path, "proc/cmdline", "console=tty1\n")
    assert found(bus, examined(tmp_path, sensors=DUST)) == []


@pytest.mark.parametrize(
    ("console", "serial0", "port", "is_said"),
    [
        # The firmware writes what serial0 means: Pi 3, 4 and Zero 2 W, then Pi 5 as delivered, then
        # Pi 5 with dtparam=uart0_console.
        ("ttyS0,115200", "ttyS0", "/dev/serial0", "do_serial_cons 1"),
        ("ttyS0,115200", "ttyS0", "/dev/ttyAMA0", "/dev/serial0"),
        ("ttyAMA10,115200", "ttyAMA10", "/dev/serial0", "do_serial_cons 1"),
        ("tty1", "ttyAMA10", "/dev/serial0", "dtparam=uart0_console"),
        ("ttyAMA10,115200", "ttyAMA10", "/dev/ttyAMA0", ""),
        ("ttyAMA0,115200", "ttyAMA0", "/dev/serial0", "do_serial_cons 1"),
        ("tty1", "ttyS0", "/dev/serial0", ""),
    ],
)
def test_who_else_is_on_a_models_own_port_is_said_once_and_truly(
    tmp_path: Path, console: str, serial0: str, port: str, is_said: str
) -> None:
    put(tmp_path, "proc/cmdline", f"console={console} console=tty1 root=PARTUUID=1 rootwait\n")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/serial0").symlink_to(serial0)
    if serial0 == "ttyS0":
        (tmp_path / "dev/serial1").symlink_to("ttyAMA0")

    said = found(bus, examined(tmp_path, sensors={"street": {**DUST["street"], "port": port}}))

    assert len(said) == bool(is_said)
    assert not said or is_said in said[0].hint


def test_a_sensor_on_its_drivers_usual_port_is_seen_there(tmp_path: Path) -> None:
    toml = {"box": {"id": "kb-a"}, "sensors": {"sky": {"driver": "gps", "where": "box"}}}
    assert looked_over(parse(Settings, toml), None).ports == {"sky": "/dev/serial0"}


def test_one_wire_that_is_off_is_said_with_the_way_to_switch_it_on(tmp_path: Path) -> None:
    wall = {"wall": {"driver": "ds18b20", "where": "indoor"}}

    (one,) = found(bus, examined(tmp_path, sensors=wall))
    assert "wall" in one.message and "do_onewire 0" in one.hint

    (tmp_path / "sys/bus/w1/devices").mkdir(parents=True)
    assert found(bus, examined(tmp_path, sensors=wall)) == []


@pytest.mark.parametrize(("mode", "group", "is_said"), [(0o660, 7, False), (0o600, 7, True),
                                                        (0o660, 8, True)])  # fmt: skip
def test_a_bus_that_its_group_may_not_open_is_said(
    tmp_path: Path, mode: int, group: int, is_said: bool
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may make a device node")
    put(tmp_path, "etc/group", "i2c:x:7:\n")
    (tmp_path / "dev").mkdir()
    # Any character device: its numbers are not looked at.
    os.mknod(tmp_path / "dev/i2c-1", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    os.chown(tmp_path / "dev/i2c-1", 0, group)
    os.chmod(tmp_path / "dev/i2c-1", mode)

    said = found(bus, examined(tmp_path, sensors=ROOF))

    assert len(said) == is_said
    assert not said or 'KERNEL=="i2c-[0-9]*", GROUP="i2c"' in said[0].hint


# --- supply --------------------------------------------------------------------------------------

THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


@pytest.mark.parametrize(
    ("bits", "levels"),
    [
        # Raspberry Pi documentation, "vcgencmd get_throttled": its table of bits.
        ("0", [Level.FINE]),
        ("50005", [Level.BROKEN]),
        ("50000", [Level.WARNING]),
        ("80008", [Level.FINE, Level.WARNING]),
        ("", []),
        ("nonsense", []),
    ],
)
def test_too_little_voltage_is_said_now_and_afterwards(
    tmp_path: Path, bits: str, levels: list[Level]
) -> None:
    put(tmp_path, THROTTLED, bits + "\n")

    assert [each.level for each in found(supply, examined(tmp_path))] == levels


def test_a_pi_5_is_asked_where_it_has_its_firmware(tmp_path: Path) -> None:
    put(
        tmp_path,
        "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled",
        "50005\n",
    )
    (one,) = found(supply, examined(tmp_path))
    assert one.level is Level.BROKEN


def test_the_kernels_own_alarm_is_heard_where_the_firmware_says_nothing(tmp_path: Path) -> None:
    put(tmp_path, "sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
    put(tmp_path, "sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n")
    assert found(supply, examined(tmp_path)) == []

    put(tmp_path, "sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    put(tmp_path, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    (one,) = found(supply, examined(tmp_path))
    assert one.level is Level.BROKEN


# --- the card ------------------------------------------------------------------------------------


def worst(root: Path) -> list[str]:
    put(root, "kiezbox.db", "")
    return [
        each.message for each in found(card, examined(root)) if each.level > Level.FINE
        and "MiB are free" not in each.message
    ]  # fmt: skip


def test_a_card_that_linux_made_read_only_is_said(tmp_path: Path) -> None:
    put(tmp_path, "proc/mounts", "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\ntmpfs /tmp tmpfs rw 0 0\n")
    assert worst(tmp_path) == []

    put(
        tmp_path, "proc/mounts",
        "/dev/mmcblk0p2 / ext4 rw 0 0\n"
        f"/dev/sda1 {tmp_path} ext4 ro,noatime,errors=remount-ro 0 0\n",
    )  # fmt: skip
    (one,) = worst(tmp_path)
    assert "/dev/sda1" in one and "read-only" in one


def test_errors_that_ext4_has_counted_are_said(tmp_path: Path) -> None:
    put(tmp_path, "sys/fs/ext4/mmcblk0p2/errors_count", "0\n")
    assert worst(tmp_path) == []

    put(tmp_path, "sys/fs/ext4/mmcblk0p2/errors_count", "3\n")
    (one,) = worst(tmp_path)
    assert "3 errors on mmcblk0p2" in one


def test_blocks_that_the_card_lost_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Lines of a Raspberry Pi with a dying card (kernels 5.10 and 6.1).
    lines = (
        "blk_update_request: I/O error, dev mmcblk0, sector 6283912 op 0x0:(READ) flags 0x80700\n"
        "mmc0: error -110 whilst initialising SD card\n"
        "I/O error, dev mmcblk0, sector 31116160 op 0x1:(WRITE) flags 0x800 phys_seg 1\n"
        "I/O error, dev sda, sector 0 op 0x0:(READ)\n"
    )
    monkeypatch.setattr(card, "output_of", lambda command: (0, lines))

    (one,) = worst(tmp_path)

    assert "2 times" in one


@pytest.mark.parametrize(
    # JEDEC JESD84-B51, 7.4.44: 0x01 is 0 to 10 % of its life used, 0x0B more than it was made for.
    ("life", "is_said"),
    [("0x01 0x01", False), ("0x09 0x02", False), ("0x02 0x0a", True), ("0x0b 0x0b", True),
     ("", False)],
)  # fmt: skip
def test_an_emmc_at_the_end_of_its_life_says_so(tmp_path: Path, life: str, is_said: bool) -> None:
    put(tmp_path, "sys/block/mmcblk0/device/life_time", life + "\n")

    assert bool(worst(tmp_path)) is is_said


# --- where a sensor hangs ------------------------------------------------------------------------


def test_a_sensor_of_which_nobody_has_said_where_it_hangs_is_named(tmp_path: Path) -> None:
    table = {"roof": {"driver": "bme280"}, **DUST}

    (one,) = found(sensors, examined(tmp_path, sensors=table))

    assert "roof" in one.message and "street" not in one.message
    assert 'where = "outdoor"' in one.hint


# --- publishers ----------------------------------------------------------------------------------


WAYS = {
    "mqtt": {"host": "broker.example"},
    "map": {"driver": "sensor_community", "sensor_id": "raspi-0123456789abcdef",
            "sensors": {"roof": {"pin": 11}}},
}  # fmt: skip


@pytest.mark.parametrize(("name", "goes_out_later"), [("mqtt", True), ("map", False)])
def test_that_readings_go_out_later_is_said_only_where_it_is_true(
    tmp_path: Path, name: str, goes_out_later: bool
) -> None:
    settings = examined(tmp_path, sensors=ROOF, publishers=WAYS).settings
    link = {"link": "waiting", "backlog": 12, "delivered": 0, "confirmed_at": None}

    (one,) = found(publishers, looked_over(settings, {"publishers": {name: link}}))

    assert one.level is Level.NOTE
    assert ("go out when the link is back" in one.hint) == goes_out_later
    assert ("not sent afterwards" in one.hint) != goes_out_later
    assert ("12" in one.message) == goes_out_later


@pytest.mark.parametrize("way", ["map", "lorawan"])
def test_a_publisher_that_names_a_sensor_that_is_not_there_is_said(
    tmp_path: Path, way: str
) -> None:
    named = {"roof_corrected": {"pin": 7}, "rof": {"pin": 11}}
    table = {
        "map": WAYS["map"] | {"sensors": named},
        "lorawan": {"port": "/dev/ttyUSB0", "sensors": list(named)},
    }[way]

    said = found(publishers, examined(tmp_path, sensors=ROOF, publishers={way: table}))
    right = found(publishers, examined(tmp_path, sensors=ROOF | {"rof": ROOF["roof"]},
                                       publishers={way: table}))  # fmt: skip

    (one,) = said
    assert one.level is Level.WARNING and f"{way}: this box has no sensor rof," in one.message
    assert "roof" in one.hint and right == []


# --- sensors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("co2", "sums"),
    [
        ({"self_heating_k": 1.5, "temperature_offset_k": -2.0}, "self_heating_k = 3.5"),
        # The SCD4x's own default is 4 K.
        ({"temperature_offset_k": -1.0}, "self_heating_k = 5"),
        ({"self_heating_k": 0.0, "temperature_offset_k": -2.0}, ""),
        ({"self_heating_k": 1.5}, ""),
    ],
)
def test_warmth_that_is_taken_off_twice_is_said(
    tmp_path: Path, co2: dict[str, float], sums: str
) -> None:
    table = {"driver": "scd4x", "where": "outdoor"} | co2
    settings = examined(tmp_path, sensors={"co2": table}).settings

    said = found(sensors, looked_over(settings, None))

    assert [each.level for each in said] == ([Level.WARNING] if sums else [])
    assert all(sums in each.hint for each in said)


def test_a_sensor_of_which_the_node_says_what_is_wrong_is_not_named_twice(tmp_path: Path) -> None:
    box = examined(tmp_path, sensors={**ROOF, **DUST})
    faults = [{"source": "sensors.roof", "message": "a BMP280", "hint": "Exchange it."}]
    box = dataclasses.replace(box, facts={"faults": faults, "latest": {}})

    (one,) = found(sensors, box)

    assert "street" in one.message and "kiezbox read street" in one.hint


# --- the clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "tables", "way"),
    [
        ("run/systemd/timesync/x", {}, "is there a network"),
        ("run/chrony/x", {}, "docs/clock.md"),
        ("run/x", {}, "set-ntp true"),
        ("run/x", {"chip": {"driver": "ds3231", "where": "box"}}, "kiezbox clock"),
    ],
)
def test_a_clock_that_nobody_set_is_said_with_what_leads_to_the_time(
    tmp_path: Path, there: str, tables: dict[str, Any], way: str
) -> None:
    put(tmp_path, there, "")
    box = dataclasses.replace(
        examined(tmp_path, sensors=tables), clock=ManualClock(time.time(), trusted=False)
    )

    (one,) = found(clock, box)

    assert one.level is Level.NOTE and way in one.hint
