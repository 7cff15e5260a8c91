"""The way from Sensirion's own drivers to the bus that our drivers are handed.

Their packages talk to a "transceiver": the older (sensirion-i2c-sen5x) through an
``I2cConnection``, the newer (sensirion-i2c-sps30) through an ``I2cChannel`` on top of one. The one
they bring opens /dev/i2c-1 by itself; this one has our bus, with its lock and its deadline.
"""

from __future__ import annotations

import time

from sensirion_driver_adapters.i2c_adapter.i2c_channel import I2cChannel
from sensirion_i2c_driver import CrcCalculator, I2cConnection
from sensirion_i2c_driver.transceiver_v1 import I2cTransceiverV1

from kiezbox.hardware import SensorHardware
from kiezbox.sensors._i2c import locked

__all__ = ["channel", "connection"]


class _Bus(I2cTransceiverV1):  # type: ignore[misc]
    """Their transceiver, over our bus. What goes wrong is raised as it is, an ``OSError``: their
    own errors have forgotten the number, by which we tell an absent chip from a broken one."""

    def __init__(self, hardware: SensorHardware) -> None:
        super().__init__()
        self._bus = hardware.i2c()

    def transceive(
        self,
        slave_address: int,
        tx_data: bytes | None,
        rx_length: int | None,
        read_delay: float,
        timeout: float,
    ) -> tuple[int, None, bytes]:
        """A write, the chip's time to think, a read; without the bus while it thinks."""
        if tx_data is not None:
            with locked(self._bus):
                self._bus.writeto(slave_address, tx_data)
        if rx_length is None:
            return self.STATUS_OK, None, b""
        if read_delay:
            time.sleep(read_delay)
        data = bytearray(rx_length)
        with locked(self._bus):
            self._bus.readfrom_into(slave_address, data)
        return self.STATUS_OK, None, bytes(data)


def connection(hardware: SensorHardware) -> I2cConnection:
    """For their older drivers."""
    return I2cConnection(_Bus(hardware))


def channel(hardware: SensorHardware, address: int) -> I2cChannel:
    """For their newer ones; the checksum is the one of all their chips (see ``_sensirion``)."""
    return I2cChannel(
        connection(hardware), slave_address=address, crc=CrcCalculator(8, 0x31, 0xFF, 0x00)
    )
