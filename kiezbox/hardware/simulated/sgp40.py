"""A simulated SGP40 (raw signal of volatile organic compounds), command by command.

Modelled: measuring with its humidity and temperature words, self-test, serial number, feature set,
heater off, how long each takes, checksums, no acknowledge while it works.
Not modelled: what gas, humidity and temperature do to the signal (it is set as ticks; what the
chip was told can be looked at), warming up of the plate, the general call reset, noise.
Source: Sensirion, data sheet SGP40, version 1.0; tables are named where they are used. Serial
number and feature set are not in it: they are what adafruit_sgp40 1.3.24 expects.
"""

from __future__ import annotations

from kiezbox.hardware.simulated._sensirion import FAULTS, RAW_FAULTS, Done, SensirionChip, nack

__all__ = ["SimulatedSgp40"]

MEASURE, SELF_TEST, HEATER_OFF = 0x260F, 0x280E, 0x3615
SERIAL, FEATURES = 0x3682, 0x202F
#: Seconds (table 8: maximum of measuring; 3.3: "after 250 ms").
MEASURING_S, TESTING_S = 0.030, 0.250
#: Table 13.
PASSED, FAILED = 0xD400, 0x4B00


class SimulatedSgp40(SensirionChip):
    """The chip on its bus. ``set()`` is its raw signal."""

    FAULTS = {
        **FAULTS,
        **RAW_FAULTS,
        "wrong_id": "an SGP41, sold as an SGP40: another feature set, another way to measure",
        "broken": "its plate is broken: the self-test fails",
    }

    ticks = 30_000
    serial_number = (0x0000, 0x0123, 0x4567)

    def start(self) -> None:
        self.is_hot = False
        #: The last words for humidity and temperature (table 10).
        self.told = (0, 0)

    @property
    def conversions(self) -> int:
        """How often it has measured."""
        return self.commands.count(MEASURE)

    def set(self, ticks: int | None) -> None:
        """The raw signal from now on; less is more gas. None (a gap in a recording): unplugged."""
        self.is_away = ticks is None
        if ticks is not None:
            self.ticks = ticks

    def carry_out(self, command: int, arguments: list[int]) -> Done:
        if command == MEASURE and len(arguments) == 2 and self.fault != "wrong_id":
            self.told = (arguments[0], arguments[1])
            self.is_hot = True
            return Done(MEASURING_S, lambda: (self.ticks,))
        if arguments:
            raise nack()
        if command == SELF_TEST:
            return Done(TESTING_S, (FAILED if self.fault == "broken" else PASSED,))
        if command == HEATER_OFF:
            self.is_hot = False
            return Done(0.001)
        if command == SERIAL:
            return Done(0.001, self.serial_number)
        if command == FEATURES:
            return Done(0.001, (0x0040 if self.fault == "wrong_id" else 0x3220,))
        raise nack()
