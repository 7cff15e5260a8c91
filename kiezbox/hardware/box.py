"""The hardware of this box, behind the addresses in kiezbox.toml."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from kiezbox.errors import MissingPackage, SettingsError
from kiezbox.hardware import I2C, Deadline, OneWire
from kiezbox.hardware.i2c_view import Bus, BusLock, BusView

if TYPE_CHECKING:
    from kiezbox.settings import HardwareSettings

#: How a simulated bench is written where a device would stand.
SIMULATED = "sim:"


class BoxHardware:
    """Opens each bus once, when first asked for; one that failed is tried again when asked again.

    Thread-safe: a worker per sensor asks for its own view.
    """

    def __init__(self, settings: HardwareSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._bus: Bus | None = None
        self._bus_lock = BusLock()
        self._pins: Any = None

    def i2c(self, deadline: Deadline) -> I2C:
        with self._lock:
            if self._bus is None:
                self._bus = _open_bus(self._settings.i2c)
            return BusView(self._bus, self._bus_lock, deadline)

    def serial(self, port: str, baudrate: int, deadline: Deadline) -> Any:
        try:
            from kiezbox.hardware.serial_port import open_port
        except ImportError as error:
            raise _missing("serial", error) from error
        return open_port(port, baudrate, deadline)

    def onewire(self, deadline: Deadline) -> OneWire:
        address = self._settings.onewire
        if address.startswith(SIMULATED):
            from kiezbox.hardware.onewire_wire import WireOneWire

            return WireOneWire(address.removeprefix(SIMULATED), deadline)
        if not address.startswith("/"):
            raise _no_address("hardware.onewire", address, "/sys/bus/w1/devices")
        from kiezbox.hardware.onewire import FolderOneWire

        return FolderOneWire(address, deadline)

    def pin_factory(self) -> Any:
        with self._lock:
            if self._pins is None:
                self._pins = _open_pins(self._settings.gpio)
            return self._pins

    def close(self) -> None:
        with self._lock:
            bus, self._bus = self._bus, None
            pins, self._pins = self._pins, None
        if bus is not None:
            bus.close()
        if pins is not None:
            pins.close()


def _open_bus(address: str) -> Bus:
    if address.startswith(SIMULATED):
        from kiezbox.hardware.i2c_wire import WireBus

        return WireBus(address.removeprefix(SIMULATED))
    if not address.startswith("/dev/"):
        raise _no_address("hardware.i2c", address, "/dev/i2c-1")
    try:
        from kiezbox.hardware.i2c_linux import LinuxBus
    except ImportError as error:
        raise _missing("i2c", error) from error
    return LinuxBus(address)


def _open_pins(address: str) -> Any:
    is_simulated = address.startswith(SIMULATED)
    if not is_simulated and not address.startswith("/dev/"):
        raise _no_address("hardware.gpio", address, "/dev/gpiochip0")
    try:
        if is_simulated:
            from kiezbox.hardware.pins_wire import WireFactory

            return WireFactory(address.removeprefix(SIMULATED))
        from kiezbox.hardware.pins_gpiod import GpiodFactory
    except ImportError as error:
        raise _missing("pins", error) from error
    return GpiodFactory(address)


def _no_address(setting: str, address: str, example: str) -> SettingsError:
    return SettingsError(
        f'{setting} = "{address}" is neither a device nor a bench',
        hint=f'Write the device, for example "{example}", or "sim:PATH" for a simulated bench.',
    )


def _missing(extra: str, error: ImportError) -> MissingPackage:
    return MissingPackage(
        f"this hardware needs a package that is not installed: {error.name}",
        hint=f"Install Kiezbox with its extra: pip install 'kiezbox[{extra}]'.",
    )
