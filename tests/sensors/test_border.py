"""What libraries raise becomes our errors, with the reason, and nothing else does."""

from __future__ import annotations

import errno
import struct

import pytest

from kiezbox.errors import SensorError, SensorGarbled, SensorMissing, SensorTimeout
from kiezbox.hardware import I2C
from kiezbox.sensors._border import translated
from kiezbox.sensors._i2c import Doubted, Registers


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.EREMOTEIO, "Remote I/O error"), SensorMissing),  # i2c-bcm2835: no ack
        (OSError(errno.ENXIO, "No such device or address"), SensorMissing),  # other adapters
        (OSError(errno.ETIMEDOUT, "Connection timed out"), SensorTimeout),
        (OSError(errno.EIO, "Input/output error"), SensorGarbled),
        (OSError("without a number"), SensorGarbled),
        (RuntimeError("Failed to find BME280! Chip ID 0x58"), SensorGarbled),
        (ArithmeticError("Invalid result"), SensorGarbled),
        (ValueError("nonsense"), SensorGarbled),
        (struct.error("unpack requires a buffer of 2 bytes"), SensorGarbled),
    ],
    ids=repr,
)
def test_a_librarys_error_becomes_ours(error: Exception, kind: type[SensorError]) -> None:
    with pytest.raises(SensorError) as raised, translated("the part at 0x10", "Look at it."):
        raise error

    assert type(raised.value) is kind
    assert str(raised.value).startswith("the part at 0x10 ")
    assert raised.value.hint == "Look at it."
    assert raised.value.__cause__ is error


def test_the_reason_behind_adafruits_bare_value_error_is_found() -> None:
    with pytest.raises(SensorTimeout), translated("the part", "Look."):
        try:
            raise TimeoutError(errno.ETIMEDOUT, "hangs")
        except OSError:
            raise ValueError("No I2C device at address: 0x40")  # noqa: B904 (as the library does)


def test_our_own_errors_pass_unchanged() -> None:
    ours = SensorMissing("x", hint="y")

    with pytest.raises(SensorMissing) as raised, translated("the part", "Look."):
        raise ours

    assert raised.value is ours


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(AttributeError), translated("the part", "Look."):
        raise AttributeError("a bug")


class Recited(I2C):
    """A bus that answers with what it is given, one answer after the other."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = iter(answers)
        self.is_locked = False

    def try_lock(self) -> bool:
        self.is_locked = True
        return True

    def unlock(self) -> None:
        self.is_locked = False

    def writeto_then_readfrom(self, address, buffer_out, buffer_in, **_) -> None:  # type: ignore
        buffer_in[:] = next(self._answers)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [([b"\x01", b"\x01"], b"\x01"), ([b"\x01", b"\x03", b"\x03"], b"\x03")],
)
def test_a_register_counts_when_two_readings_in_a_row_agree(
    answers: list[bytes], expected: bytes
) -> None:
    assert Registers(Doubted(Recited(*answers)), 0x76).read_register(0, 1) == expected


def test_a_register_that_reads_differently_each_time_is_an_error_and_frees_the_bus() -> None:
    bus = Recited(b"\x01", b"\x03", b"\x01")

    with pytest.raises(SensorGarbled, match="0x76"):
        Registers(Doubted(bus), 0x76).read_register(0, 1)

    assert not bus.is_locked
