"""A simulated SDS011 (PM2.5, PM10), byte by byte.

Modelled: a report every second, query mode, sleep and work, working period, device id, firmware
date, commands for another device's id, commands in any pieces; asleep it hears only the command
to work.
Not modelled: the seconds in which the values settle after waking up, the slow answers to
commands of the real one, its PWM outputs.
Source: Nova Fitness, "Laser Dust Sensor Control Protocol V1.3" (2015). That it hears nothing but
"work" while asleep is what people found (mkfrey/sds011-esp-raw, docs/behaviour.md); the protocol
says that any command wakes it.
"""

from __future__ import annotations

from collections.abc import Callable

from kiezbox.hardware.simulated import _talking

__all__ = ["FAULTS", "SimulatedSds011"]

#: What can go wrong inside the sensor (on the cable: ``simulated.serial_line.FAULTS``).
FAULTS = {
    **_talking.FAULTS,
    "foreign": "an SDS198, sold as an SDS011: frames of another kind",
    "deaf": "its receive line is open: it reports, and obeys nothing",
    "no_particles": "its fan stands or its laser is dark: it counts nothing and says 0.0",
}

HEAD, TAIL = 0xAA, 0xAB
COMMAND, REPORT, REPLY, REPORT_SDS198 = 0xB4, 0xC0, 0xC5, 0xCF
COMMAND_LENGTH = 19
EVERYBODY = b"\xff\xff"
REPORTING, QUERY, DEVICE_ID, SLEEPING, FIRMWARE, PERIOD = 2, 4, 5, 6, 7, 8
#: Work time in a working period (protocol, "Set working period").
WORK_S = 30.0


class SimulatedSds011(_talking.Talking):
    """The sensor at its cable. ``set()`` is the air, ``fault`` what is wrong with the sensor."""

    FAULTS = FAULTS

    def __init__(
        self,
        *,
        device_id: bytes = b"\xa1\x60",
        firmware: tuple[int, int, int] = (15, 7, 10),
        report_s: float = 1.0,
        seed: int = 1,
    ) -> None:
        """``firmware`` is year (of this century), month, day; ``report_s`` the time between two
        reports, which tests may shorten."""
        super().__init__(seed, report_s)
        self.device_id = device_id
        self.firmware = firmware
        self.report_s = report_s
        self._air: tuple[float, float] | None = (8.0, 15.0)
        self._heard = b""
        self._now = 0.0
        #: How long fan and laser have run, in seconds, as far as anybody looked (``due``).
        self.awake_s = 0.0
        self._reports_by_itself = True
        self._period_min = 0
        self.power_cycle()

    def set(self, pm2_5: float | None, pm10: float | None) -> None:
        """The air from now on, in µg/m³; None (a gap in a recording): silence."""
        with self.lock:
            self._air = None if pm2_5 is None or pm10 is None else (pm2_5, pm10)

    def power_cycle(self) -> None:
        """The supply was away: it works again; mode, period and id are kept (protocol, each)."""
        self.is_asleep = False
        self._next_at: float | None = None
        self._heard = b""

    # --- the cable's side ---------------------------------------------------------------------

    def received(self, data: bytes) -> bytes:
        """Take commands in any pieces; answer the whole ones."""
        if self.fault in ("silence", "deaf") or self._air is None:
            return b""
        self._heard += data
        answers = b""
        while len(self._heard) >= COMMAND_LENGTH:
            command = self._heard[:COMMAND_LENGTH]
            if _is_command(command):
                self._heard = self._heard[COMMAND_LENGTH:]
                answers += self._obey(command[2:17])
            else:
                self._heard = self._heard[1:]
        return answers

    def due(self, now_monotonic: float) -> bytes:
        """The reports due by now; what was missed while nobody asked is gone."""
        if self._now and not self.is_asleep:
            self.awake_s += now_monotonic - self._now
        self._now = now_monotonic
        if self._air is None or self.fault == "silence":
            return b""
        if self._next_at is None:
            self._next_at = now_monotonic + (WORK_S if self._period_min else self.report_s)
        if now_monotonic < self._next_at:
            return b""
        self._next_at = now_monotonic + (self._period_min * 60 or self.report_s)
        if self.is_asleep or not self._reports_by_itself:
            return b""
        return self._report()

    # --- inside -------------------------------------------------------------------------------

    def _obey(self, data: bytes) -> bytes:
        """``data`` are the command's fifteen bytes; the last two say who is meant."""
        if data[13:15] not in (EVERYBODY, self.device_id):
            return b""
        wants_work = data[0] == SLEEPING and data[1] == 1 and data[2] == 1
        if self.is_asleep and not wants_work:
            return b""
        answer = _COMMANDS.get(data[0])
        return b"" if answer is None else answer(self, data)

    def _set_reporting(self, data: bytes) -> bytes:
        if data[1]:
            self._reports_by_itself = data[2] == 0
        return self._reply(REPORTING, data[1], int(not self._reports_by_itself))

    def _answer_query(self, data: bytes) -> bytes:
        return self._report()

    def _set_device_id(self, data: bytes) -> bytes:
        self.device_id = data[11:13]
        return self._reply(DEVICE_ID)

    def _set_sleeping(self, data: bytes) -> bytes:
        if data[1]:
            self.is_asleep = data[2] == 0
            self._next_at = None
        return self._reply(SLEEPING, data[1], int(not self.is_asleep))

    def _tell_firmware(self, data: bytes) -> bytes:
        return self._reply(FIRMWARE, *self.firmware)

    def _set_period(self, data: bytes) -> bytes:
        if data[1] and data[2] <= 30:
            self._period_min = data[2]
            self._next_at = None
        return self._reply(PERIOD, data[1], self._period_min)

    def _reply(self, *data: int) -> bytes:
        return self._frame(REPLY, bytes(data).ljust(4, b"\0") + self.device_id)

    def _report(self) -> bytes:
        assert self._air is not None
        air = (0.0, 0.0) if self.fault == "no_particles" else self._air
        fine, coarse = (max(0, min(0xFFFF, round(value * 10))) for value in air)
        kind = REPORT_SDS198 if self.fault == "foreign" else REPORT
        values = fine.to_bytes(2, "little") + coarse.to_bytes(2, "little")
        return self._frame(kind, values + self.device_id)

    def _frame(self, kind: int, data: bytes) -> bytes:
        checksum = sum(data) + self._off_by & 0xFF
        return self._spoilt(bytes((HEAD, kind, *data, checksum, TAIL)))


def _is_command(data: bytes) -> bool:
    is_framed = data[0] == HEAD and data[1] == COMMAND and data[18] == TAIL
    return is_framed and sum(data[2:17]) & 0xFF == data[17]


_COMMANDS: dict[int, Callable[[SimulatedSds011, bytes], bytes]] = {
    REPORTING: SimulatedSds011._set_reporting,
    QUERY: SimulatedSds011._answer_query,
    DEVICE_ID: SimulatedSds011._set_device_id,
    SLEEPING: SimulatedSds011._set_sleeping,
    FIRMWARE: SimulatedSds011._tell_firmware,
    PERIOD: SimulatedSds011._set_period,
}
