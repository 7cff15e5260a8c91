"""What the kernel's 1-Wire file may say, and what a DS18B20's nine bytes mean."""

from __future__ import annotations

from kiezbox.errors import SensorError
from kiezbox.model import Flag
from kiezbox.sensors.ds18b20 import Ds18b20, Settings, _measurement, crc

SEEDS = [
    b"91 01 4b 46 7f ff 0c 10 25 : crc=25 YES\n91 01 4b 46 7f ff 0c 10 25 t=25062\n",
    b"50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n",
    b"00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n",
    b"ff ff ff ff ff ff ff ff ff : crc=c9 NO\n91 01 4b 46 7f ff 0c 10 25 t=-62\n",
]


class _Nobody:
    """A hardware that is not asked for anything but its bus."""

    def onewire(self) -> None:
        return None


_SENSOR = Ds18b20(Settings(driver="ds18b20", id="28-00000a1b2c3d"), _Nobody())  # type: ignore[arg-type]


def one(data: bytes) -> None:
    """An error or a measurement; a good one is within what the part can measure, and not 85."""
    texts = [data]
    if len(data) >= 8:
        # And with a checksum that is right, for a mutation seldom makes one.
        nine = data[:8] + bytes((crc(data[:8]),))
        texts.append(f"{nine.hex(' ')} : crc={nine[8]:02x} YES\n".encode())
    for text in texts:
        try:
            measured = _measurement(_SENSOR._scratchpad(text))
        except SensorError as error:
            assert str(error) and error.hint
            continue
        if measured.flag is Flag.GOOD:
            assert -55 <= measured.value <= 125 and measured.value != 85.0
