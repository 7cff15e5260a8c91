"""The DS18B20 driver: every byte of the kernel's text, and two that never change places."""

from __future__ import annotations

from pathlib import Path

import pytest
from contracts.rig import Reader, Rig

from kiezbox.clock import SystemClock
from kiezbox.errors import SensorGarbled, SensorMissing, SettingsError
from kiezbox.hardware import Deadline
from kiezbox.hardware.box import BoxHardware
from kiezbox.hardware.onewire import FolderOneWire
from kiezbox.hardware.simulated.ds18b20 import SimulatedDs18b20
from kiezbox.hardware.simulated.onewire import crc8
from kiezbox.model import Flag
from kiezbox.sensors import ds18b20
from kiezbox.settings import HardwareSettings, parse

AIR, WALL = "28-00000a1b2c3d", "28-3c01b556d8f2"


def text(eight: str, crc: int | None = None) -> str:
    """What the kernel writes for these eight bytes, with their checksum or another."""
    data = bytes.fromhex(eight)
    found = crc8(data)
    line = f"{eight} {found if crc is None else crc:02x}"
    return f"{line} : crc={found:02x} {'YES' if crc is None else 'NO'}\n{line} t=0\n"


class Kernel:
    """A folder as the kernel shows it, and a reader on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "w1_bus_master1").mkdir()

    def says(self, identity: str, what: str) -> None:
        (self.folder / identity).mkdir(exist_ok=True)
        (self.folder / identity / "w1_slave").write_text(what, encoding="ascii")

    def reader(self, identity: str) -> Reader:
        hardware = BoxHardware(HardwareSettings(onewire=str(self.folder)))
        return Reader("ds18b20", {"id": identity}, hardware)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


# Table 1 of the data sheet, "Temperature/data relationship"; the other bytes as after power-up.
@pytest.mark.parametrize(
    ("code", "celsius"),
    [
        ("d0 07", 125.0),
        ("91 01", 25.0625),
        ("a2 00", 10.125),
        ("08 00", 0.5),
        ("00 00", 0.0),
        ("f8 ff", -0.5),
        ("5e ff", -10.125),
        ("6f fe", -25.0625),
        ("90 fc", -55.0),
    ],
)
def test_every_row_of_the_data_sheets_table_is_read(
    kernel: Kernel, code: str, celsius: float
) -> None:
    kernel.says(AIR, text(f"{code} 4b 46 7f ff 0c 10"))

    (one,) = kernel.reader(AIR).read()

    assert (one.value, one.flag) == (celsius, Flag.GOOD)


def test_the_checksum_is_that_of_the_application_notes_example() -> None:
    # Application note 27, "Example calculation for DOW CRC": ROM 02 1C B8 01 00 00 00, CRC A2.
    assert ds18b20.crc(bytes.fromhex("021cb801000000")) == 0xA2


def test_85_degrees_after_a_lost_supply_are_bad(kernel: Kernel) -> None:
    # The scratchpad after power-up with its checksum, as makers paste it into forums.
    kernel.says(
        AIR, "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n"
    )

    (one,) = kernel.reader(AIR).read()

    assert (one.value, one.flag, one.reason) == (85.0, Flag.BAD, "raw-sentinel")


def test_a_shorted_line_is_refused_though_its_checksum_is_right(kernel: Kernel) -> None:
    zeros = "00 " * 9
    kernel.says(AIR, f"{zeros}: crc=00 YES\n{zeros}t=0\n")

    with pytest.raises(SensorGarbled, match="only zeros"):
        kernel.reader(AIR).read()


@pytest.mark.parametrize(
    "said",
    [
        # A checksum that the kernel found wrong, with the last good value in the second line.
        "91 01 4b 46 7f ff 0c 10 25 : crc=d6 NO\n50 05 4b 46 7f ff 0c 10 1c t=25062\n",
        # The word is right and the checksum is not: only we can have noticed.
        "91 01 4b 46 7f ff 0c 10 25 : crc=25 YES\n91 01 4b 46 7f ff 0c 10 25 t=25062\n",
        "ff ff ff ff ff ff ff ff ff : crc=c9 NO\nff ff ff ff ff ff ff ff ff t=-62\n",
        "91 01 4b 46 7f ff : crc=25 YES\n",
        "t=25062\n",
        "YES t=21000\n",
        "\x00" * 200,
    ],
)
def test_what_is_no_whole_answer_is_none(kernel: Kernel, said: str) -> None:
    kernel.says(AIR, said)

    with pytest.raises(SensorGarbled) as raised:
        kernel.reader(AIR).read()

    assert raised.value.hint


def test_a_kernel_that_says_nothing_is_a_sensor_that_does_not_answer(kernel: Kernel) -> None:
    kernel.says(AIR, "")

    with pytest.raises(SensorMissing, match="does not answer"):
        kernel.reader(AIR).read()


def test_undefined_bits_of_a_coarse_resolution_are_not_looked_at(kernel: Kernel) -> None:
    # 9 bits (configuration 0x1f): the three lowest bits are undefined (table 2).
    kernel.says(AIR, text("97 01 4b 46 1f ff 0c 10"))

    (one,) = kernel.reader(AIR).read()

    assert one.value == 25.0


def test_air_and_wall_are_read_by_their_ids_and_one_that_vanishes_is_not_replaced(rig: Rig) -> None:
    air, wall = SimulatedDs18b20(sleep=bool), SimulatedDs18b20(sleep=bool)
    rig.bench.attach_onewire(AIR, air)
    rig.bench.attach_onewire(WALL, wall)
    air.set(21.0)
    wall.set(13.5)
    readers = rig.reader("ds18b20", {"id": AIR}), rig.reader("ds18b20", {"id": WALL})

    assert [reader.read()[0].value for reader in readers] == [21.0, 13.5]

    rig.bench.fault(WALL, "vanish")
    assert readers[0].read()[0].value == 21.0
    with pytest.raises(SensorMissing) as raised:
        readers[1].read()
    assert AIR in raised.value.hint and WALL not in raised.value.hint


def test_without_an_id_nothing_is_read_and_the_ids_are_told(rig: Rig) -> None:
    for identity in (AIR, WALL, "10-000802b4ba0e"):
        rig.bench.attach_onewire(identity, SimulatedDs18b20(sleep=bool))

    with pytest.raises(SensorMissing) as raised:
        rig.reader("ds18b20").read()

    assert f'id = "{AIR}", id = "{WALL}"' in raised.value.hint


def test_no_bus_says_how_to_switch_it_on(tmp_path: Path) -> None:
    hardware = BoxHardware(HardwareSettings(onewire=str(tmp_path / "none")))

    with pytest.raises(SensorMissing) as raised:
        Reader("ds18b20", {"id": AIR}, hardware).read()

    assert "w1-gpio" in raised.value.hint or "There is no" in raised.value.hint


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ("28-../../etc", "must look like"),
        ("28-00000A1B2C3D", "must look like"),
        ("10-000802b4ba0e", "family 10"),
    ],
)
def test_an_id_that_is_none_is_refused_in_the_settings(identity: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        parse(ds18b20.Settings, {"driver": "ds18b20", "id": identity})


def test_the_kernels_other_folders_are_no_sensors(kernel: Kernel) -> None:
    kernel.says(AIR, "")

    assert FolderOneWire(str(kernel.folder), Deadline(SystemClock())).scan() == [AIR]
