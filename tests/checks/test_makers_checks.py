"""``kiezbox check``: the mistakes that makers make, each with the sentence that mends it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from kiezbox.checks import Examined, Finding, Level, bus, card, publishers, sensors, supply
from kiezbox.cli.check import examined as looked_over
from kiezbox.clock import ManualClock
from kiezbox.settings import Settings, parse


def examined(root: Path, **tables: Any) -> Examined:
    given = {"box": {"id": "kb-a"}, "store": {"path": f"{root}/kiezbox.db"}, **tables}
    settings = parse(Settings, given)
    on_i2c = tuple(name for name, table in settings.sensors.items() if "port" not in table)
    return Examined(settings, ManualClock(time.time()), None, root=root, on_i2c=on_i2c)


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

    (one,) = found(bus, examined(tmp_path, sensors=DUST))

    assert "street" in one.message and "console" in one.message
    assert "do_serial_cons 1" in one.hint


def test_a_dust_sensor_on_usb_or_without_a_console_is_fine(tmp_path: Path) -> None:
    put(tmp_path, "proc/cmdline", "console=serial0,115200\n")
    usb = {"street": {"driver": "sds011", "port": "/dev/ttyUSB0", "where": "outdoor"}}
    assert found(bus, examined(tmp_path, sensors=usb)) == []

    put(tmp_path, "proc/cmdline", "console=tty1\n")
    assert found(bus, examined(tmp_path, sensors=DUST)) == []


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
    settings = examined(tmp_path, publishers=WAYS).settings
    link = {"link": "waiting", "backlog": 12, "delivered": 0, "confirmed_at": None}

    (one,) = found(publishers, looked_over(settings, {"publishers": {name: link}}))

    assert one.level is Level.NOTE
    assert ("go out when the link is back" in one.hint) == goes_out_later
    assert ("not sent afterwards" in one.hint) != goes_out_later
    assert ("12" in one.message) == goes_out_later


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
