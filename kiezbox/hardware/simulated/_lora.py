"""What the simulated LoRaWAN modems have in common, and the network behind them. What is modelled
and what is not: lora_modem.py.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["FAULTS", "MOST_BYTES", "Network", "SimulatedLoraModem", "Uplink"]

FAULTS = {
    "silence": "it says nothing: no supply, or its transmit line is open",
    "garbage": "as many bytes as it should say, but any",
    "half_line": "every answer ends in its middle",
    "busy": "it is always busy with something else",
    "no_channel": "its duty cycle is used up",
    "error": "it does not take any setting",
}

#: Payload bytes by data rate (LoRaWAN 1.0.2 Regional Parameters, EU863-870, with a repeater).
MOST_BYTES = (51, 51, 51, 115, 222, 222, 222)


class Uplink(NamedTuple):
    """What the network received."""

    port: int
    payload: bytes
    is_confirmed: bool
    rate: int


class Network:
    """The other side of the radio: one device is registered there."""

    def __init__(self, dev_eui: str, join_eui: str, app_key: str) -> None:
        self.keys = (dev_eui.upper(), join_eui.upper(), app_key.upper())
        self.is_in_reach = True
        #: What ADR tells the modem with the next uplink; None: nothing.
        self.rate: int | None = None
        self.uplinks: list[Uplink] = []
        self.nonces: list[int] = []
        #: (port, payload) that waits for the next uplink.
        self.downlink: tuple[int, bytes] | None = None

    def join(self, keys: tuple[str, str, str], nonce: int) -> bool:
        """Whether it is let in. A DevNonce that was used before is not (LoRaWAN 1.0.4)."""
        is_new = nonce not in self.nonces
        self.nonces.append(nonce)
        return self.is_in_reach and is_new and keys == self.keys

    def receive(self, uplink: Uplink) -> bool:
        """Whether it was received, and so, if it wants to, confirmed."""
        if self.is_in_reach:
            self.uplinks.append(uplink)
        return self.is_in_reach


class SimulatedLoraModem:
    """What both have in common. ``fault`` is what is wrong with it."""

    FAULTS = FAULTS
    #: Asked so often for what is due (``SerialLine``).
    tick_s = 0.005

    def __init__(
        self,
        network: Network,
        *,
        clock: Callable[[], float] = time.monotonic,
        air_s: float = 0.01,
        seed: int = 1,
    ) -> None:
        """``air_s``: how long an uplink with its receive windows takes; a join twice that."""
        self.network = network
        self.fault: str | None = None
        self.is_joined = False
        self.is_echoing = False
        self.rate, self.is_adaptive, self.is_confirmed, self.tries = 0, True, False, 1
        self.keys = {"dev": "AC1F09FFFE000000", "join": "AC1F09FFF9153172", "app": "0" * 32}
        #: Commands it understood, in order; keys as "…".
        self.commands: list[str] = []
        self._clock, self._air_s = clock, air_s
        self._random = random.Random(seed)
        self._heard = bytearray()
        self._nonce = 0
        self._later: list[tuple[float, Callable[[], str]]] = []

    def power_cycle(self) -> None:
        """The supply was away: settings and DevNonce stay, the session is lost."""
        self._heard.clear()
        self._later.clear()
        self.is_joined = False

    def received(self, data: bytes) -> bytes:
        """Take commands in any pieces; answer the whole ones."""
        self._heard += data
        answers = bytearray()
        while (end := self._end()) >= 0:
            line = bytes(self._heard[:end]).decode("ascii", "replace").strip()
            del self._heard[: end + 1]
            if line:
                echo = f"{line}\r\n".encode() if self.is_echoing else b""
                answers += echo + self._spoilt(self._obey(line))
        return bytes(answers)

    def due(self, now_monotonic: float) -> bytes:
        """What it says by itself: events of a join or an uplink that is over."""
        said = bytearray()
        while self._later and self._later[0][0] <= self._clock():
            said += self._spoilt(self._later.pop(0)[1]())
        return bytes(said)

    def _end(self) -> int:
        ends = [at for at in (self._heard.find(b"\n"), self._heard.find(b"\r")) if at >= 0]
        return min(ends, default=-1)

    def _spoilt(self, text: str) -> bytes:
        said = text.encode("ascii")
        if self.fault == "silence":
            return b""
        if self.fault == "half_line":
            return said[: len(said) // 2].rstrip(b"\r\n")
        if self.fault == "garbage":
            return self._random.randbytes(len(said))
        return said

    def _obey(self, line: str) -> str:
        raise NotImplementedError

    @property
    def is_busy(self) -> bool:
        return bool(self._later) or self.fault == "busy"

    def _after(self, seconds: float, what: Callable[[], str]) -> None:
        self._later.append((self._clock() + seconds, what))
        self._later.sort(key=lambda entry: entry[0])

    def _try_to_join(self) -> bool:
        self._nonce += 1
        keys = (self.keys["dev"], self.keys["join"], self.keys["app"])
        self.is_joined = self.network.join(keys, self._nonce)
        return self.is_joined

    def _transmit(self, port: int, payload: bytes, *, is_confirmed: bool) -> bool:
        """Whether the network has it."""
        is_there = self.network.receive(Uplink(port, payload, is_confirmed, self.rate))
        if is_there and self.is_adaptive and self.network.rate is not None:
            self.rate = self.network.rate
        return is_there

    def _downlink(self) -> tuple[int, bytes] | None:
        found, self.network.downlink = self.network.downlink, None
        return found
