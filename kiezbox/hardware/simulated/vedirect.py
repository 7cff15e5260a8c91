"""A simulated Victron solar charger or battery monitor at its VE.Direct port, byte by byte.

Modelled: a block a second with its checksum, HEX records at any place in it, a charger's labels
and a monitor's two blocks, "---" for what is not known.
Not modelled: answers to HEX requests, the pause in blocks while somebody asks, histories.
Source: Victron, "VE.Direct protocol" and its FAQ (victronenergy.com/live/vedirect_protocol:faq);
blocks as captured from a SmartSolar and a BMV by karioja/vedirect.
"""

from __future__ import annotations

from kiezbox.hardware.simulated import _talking

__all__ = ["FAULTS", "SimulatedVedirect"]

FAULTS = {
    **_talking.FAULTS,
    "calibration_lost": "error 116: it measures, and is wrong",
    "lost_bytes": "three bytes of every block are lost on the way",
    "endless_hex": "it says HEX records only, as while somebody sets it by Bluetooth",
}

#: An asynchronous HEX message, as VE.Direct has them: register 0xEDF0, its checksum to 0x55.
HEX = b":AF0ED009600D8\n"


class SimulatedVedirect(_talking.Talking):
    """The device at its cable. ``set()`` is what it measures."""

    FAULTS = FAULTS

    def __init__(
        self, *, is_monitor: bool = False, block_s: float = 1.0, has_hex: bool = True, seed: int = 1
    ) -> None:
        super().__init__(seed, block_s)
        self.is_monitor = is_monitor
        self.block_s = block_s
        self.has_hex = has_hex
        self._world = (12.81, -0.01, 0.0, 0.0)
        self._next_at: float | None = None

    def set(self, voltage_v: float, current_a: float, power_w: float, last: float | None) -> None:
        """From now on; ``last`` is a charger's yield today in Wh, a monitor's charge in percent
        (None: it does not know)."""
        with self.lock:
            if not self.is_stuck:
                self._world = (voltage_v, current_a, power_w, last)  # type: ignore[assignment]

    def received(self, data: bytes) -> bytes:
        """It is asked nothing."""
        return b""

    def due(self, now_monotonic: float) -> bytes:
        """The blocks that are due by now."""
        if self._next_at is not None and now_monotonic < self._next_at:
            return b""
        self._next_at = now_monotonic + self.block_s
        if self.fault == "endless_hex":
            return HEX * 3
        return b"".join(self._spoilt(self._block(fields)) for fields in self._fields())

    def _fields(self) -> list[dict[str, str]]:
        voltage_v, current_a, power_w, last = self._world
        electric = {"V": f"{voltage_v * 1000:.0f}", "I": f"{current_a * 1000:.0f}"}
        if self.is_monitor:
            charge = "---" if last is None else f"{last * 10:.0f}"
            return [
                {"PID": "0x203", **electric, "P": f"{power_w:.0f}", "CE": "-65473", "SOC": charge}
                | {"TTG": "942", "Alarm": "OFF", "Relay": "OFF", "AR": "0", "BMV": "700"},
                {f"H{n}": str(-1000 * n) for n in range(1, 13)},
            ]
        error = "116" if self.fault == "calibration_lost" else "0"
        return [
            {"PID": "0xA05F", "FW": "139", "SER#": "HQ0000AAAAA", **electric, "VPV": "18010"}
            | {"PPV": f"{power_w:.0f}", "CS": "3", "MPPT": "2", "ERR": error, "LOAD": "ON"}
            | {"IL": "200", "H19": "4", "H20": f"{(last or 0) / 10:.0f}", "H21": "12", "HSDS": "7"}
        ]

    def _block(self, fields: dict[str, str]) -> bytes:
        text = "".join(f"\r\n{label}\t{value}" for label, value in fields.items())
        block = text.encode("ascii") + b"\r\nChecksum\t"
        checksum = bytes((-sum(block) + self._off_by & 0xFF,))
        if self.fault == "lost_bytes":
            at = self._random.randrange(len(block) - 3)
            return block[:at] + block[at + 3 :] + checksum
        if self.has_hex:
            at = self._random.randrange(len(block))
            block = block[:at] + HEX + block[at:]
        return block + checksum
