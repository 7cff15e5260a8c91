"""What hangs on an I²C bus: who answers, and which chip it says it is.

A table: address → chips that can have it, each with a question that only it answers as it should.
Nothing is written but commands that change nothing: a chip's id, serial number, status. A chip with
no such thing (BH1750, SCD30's like) is taken by its address, and so said (``is_sure``).
Sources: the data sheets that the drivers name; NXP UM10204, table 3, for the addresses that are no
chip's.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import NamedTuple

from kiezbox.errors import SensorTimeout
from kiezbox.hardware import I2C
from kiezbox.sensors._i2c import locked

__all__ = ["Found", "find"]

#: 0x00 to 0x07 and 0x78 to 0x7F are no chip's addresses (UM10204, 3.1.12).
ADDRESSES = range(0x08, 0x78)

#: How "nobody is there" looks, by controller (see ``_border``).
_NO_ACKNOWLEDGE = (errno.EREMOTEIO, errno.ENXIO, errno.ENODEV)

#: Sensirion's chips answer an id command after a millisecond; SEN5x after 20 (data sheet, 6.1.12).
ANSWER_S = 0.025


class Found(NamedTuple):
    """Who answers at an address; ``driver`` "": nobody we have a driver for."""

    address: int
    driver: str
    what: str
    is_sure: bool = True


class _Asker:
    """Questions to one address; each is answered or is False."""

    def __init__(self, bus: I2C, address: int) -> None:
        self._bus, self._address = bus, address

    def register(self, number: int, length: int = 1) -> bytes:
        """b"": it did not answer."""
        data = bytearray(length)
        try:
            with locked(self._bus):
                self._bus.writeto_then_readfrom(self._address, bytes((number,)), data)
        except OSError:
            return b""
        return bytes(data)

    def words(self, command: bytes, length: int) -> bytes:
        """Words with good checksums, as Sensirion's chips give them; b"" for anything else."""
        data = bytearray(length)
        try:
            with locked(self._bus):
                self._bus.writeto(self._address, command)
            time.sleep(ANSWER_S)
            with locked(self._bus):
                self._bus.readfrom_into(self._address, data)
        except OSError:
            return b""
        pairs = [bytes(data[at : at + 2]) for at in range(0, length, 3)]
        is_whole = all(_crc(pair) == data[3 * n + 2] for n, pair in enumerate(pairs))
        return b"".join(pairs) if is_whole else b""


def _crc(word: bytes) -> int:
    rest = 0xFF
    for byte in word:
        rest ^= byte
        for _ in range(8):
            rest = rest << 1 ^ (0x131 if rest & 0x80 else 0)
    return rest


def _bosch(chip: int) -> Callable[[_Asker], bool]:
    return lambda ask: ask.register(0xD0) == bytes((chip,))


def _words(command: int, length: int) -> Callable[[_Asker], bool]:
    size = 1 if command < 0x100 else 2
    return lambda ask: bool(ask.words(command.to_bytes(size, "big"), length))


def _product(command: int, text: bytes) -> Callable[[_Asker], bool]:
    return lambda ask: ask.words(command.to_bytes(2, "big"), 3 * 4).startswith(text)


def _ina226(ask: _Asker) -> bool:
    # Manufacturer "TI" and die 0x2260 (data sheet, 7.6.1).
    return ask.register(0xFE, 2) == b"TI" and ask.register(0xFF, 2)[:1] == b"\x22"


def _max1704x(ask: _Asker) -> bool:
    # VERSION: 0x001x of a MAX17048, 0x0002 or 0x0003 of its elders.
    version = ask.register(0x08, 2)
    return len(version) == 2 and version[0] == 0 and (version[1] >> 4 == 1 or version[1] in (2, 3))


def _answers(ask: _Asker) -> bool:
    return True


def _config(expected: int, register: int) -> Callable[[_Asker], bool]:
    """A register that is so after power-on; somebody may have changed it since."""
    return lambda ask: ask.register(register, 2) == expected.to_bytes(2, "big")


class _Kind(NamedTuple):
    addresses: tuple[int, ...]
    driver: str
    what: str
    is_it: Callable[[_Asker], bool]
    is_sure: bool = True


_BOSCH, _INA = (0x76, 0x77), tuple(range(0x40, 0x50))

#: The first that says yes is it.
_KINDS = (
    _Kind(_BOSCH, "bme280", "BME280", _bosch(0x60)),
    _Kind(_BOSCH, "bme680", "BME680 or BME688", _bosch(0x61)),
    _Kind(_BOSCH, "", "BMP280: no humidity, though it is often sold as a BME280", _bosch(0x58)),
    _Kind(_BOSCH, "", "BMP180: no driver", _bosch(0x55)),
    _Kind((0x44, 0x45, 0x46), "sht4x", "SHT4x", _words(0x89, 6)),
    _Kind((0x44, 0x45), "sht31", "SHT3x", _words(0xF32D, 3)),
    _Kind((0x62,), "scd4x", "SCD4x", _words(0x3682, 9)),
    _Kind((0x61,), "scd30", "SCD30", _words(0xD100, 3)),
    _Kind((0x59,), "sgp40", "SGP40", _words(0x3682, 9)),
    _Kind((0x69,), "sen5x", "SEN5x", _product(0xD014, b"SEN5")),
    _Kind((0x69,), "sps30", "SPS30", _product(0xD002, b"0008")),
    _Kind(_INA, "ina226", "INA226", _ina226),
    _Kind(tuple(range(0x48, 0x4C)), "ads1115", "ADS1115", _config(0x8583, 1)),
    _Kind(_INA, "ina219", "INA219", _config(0x399F, 0)),
    _Kind((0x36,), "max17048", "MAX17048 or an elder one", _max1704x),
    # While they measure (left so by a node that was killed) they do not say who they are.
    _Kind((0x62,), "scd4x", "SCD4x", _answers, is_sure=False),
    _Kind((0x61,), "scd30", "SCD30", _answers, is_sure=False),
    _Kind((0x59,), "sgp40", "SGP40", _answers, is_sure=False),
    _Kind((0x68,), "ds3231", "DS3231 (a clock)", _answers, is_sure=False),
    _Kind((0x23, 0x5C), "bh1750", "BH1750", _answers, is_sure=False),
    _Kind((0x55,), "laeq", "DNMS sound level meter", _answers, is_sure=False),
    _Kind(tuple(range(0x48, 0x4C)), "ads1115", "ADS1115", _answers, is_sure=False),
    _Kind(_INA, "ina219", "INA219", _answers, is_sure=False),
)


def find(bus: I2C) -> list[Found]:
    """Everybody who answers, by address. Raises SensorError where the bus itself hangs."""
    return [_who(bus, address) for address in ADDRESSES if _is_there(bus, address)]


def _is_there(bus: I2C, address: int) -> bool:
    """A chip of Sensirion's that has measured nothing lets itself be written to and not be read;
    others lie at an address the other way round.
    """
    return _acknowledges(bus, address, is_read=False) or _acknowledges(bus, address, is_read=True)


def _acknowledges(bus: I2C, address: int, *, is_read: bool) -> bool:
    try:
        with locked(bus):
            if is_read:
                bus.readfrom_into(address, bytearray(1))
            else:
                bus.writeto(address, b"")
    except OSError as error:
        if isinstance(error, TimeoutError) or error.errno not in _NO_ACKNOWLEDGE:
            raise SensorTimeout(
                f"the bus hangs at 0x{address:02x}",
                hint="Something holds SDA or SCL down: unplug one part after the other.",
            ) from error
        return False
    return True


def _who(bus: I2C, address: int) -> Found:
    ask = _Asker(bus, address)
    for kind in _KINDS:
        if address in kind.addresses and kind.is_it(ask):
            return Found(address, kind.driver, kind.what, kind.is_sure)
    return Found(address, "", "nothing that Kiezbox knows", is_sure=False)
