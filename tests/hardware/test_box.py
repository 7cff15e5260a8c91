"""The addresses in kiezbox.toml, and what is said when they lead nowhere."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from bench_parts import deadline

from kiezbox.errors import MissingPackage, SettingsError
from kiezbox.hardware import Hardware, open_hardware
from kiezbox.settings import HardwareSettings


@pytest.mark.parametrize(("i2c", "gpio"), [("i2c-1", "gpiochip0"), ("", "")])
def test_an_address_that_is_neither_device_nor_bench_is_a_setting_to_correct(
    i2c: str, gpio: str
) -> None:
    box = open_hardware(HardwareSettings(i2c=i2c, gpio=gpio))

    with pytest.raises(SettingsError, match="hardware.i2c"):
        box.i2c(deadline(1))
    with pytest.raises(SettingsError, match="hardware.gpio"):
        box.pin_factory()


@pytest.mark.parametrize(
    ("package", "module", "extra", "use"),
    [
        ("smbus2", "i2c_linux", "i2c", lambda box: box.i2c(deadline(1))),
        ("serial", "serial_port", "serial", lambda box: box.serial("/dev/x", 9600, deadline(1))),
        ("gpiod", "pins_gpiod", "pins", lambda box: box.pin_factory()),
    ],
)
def test_a_package_that_is_not_installed_names_the_extra_to_install(
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    module: str,
    extra: str,
    use: Callable[[Hardware], object],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"kiezbox.hardware.{module}", raising=False)

    with pytest.raises(MissingPackage) as caught:
        use(open_hardware(HardwareSettings()))

    assert f"kiezbox[{extra}]" in caught.value.hint
