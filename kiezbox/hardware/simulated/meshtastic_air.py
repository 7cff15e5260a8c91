"""A whole air of simulated Meshtastic radios, to which unchanged clients connect.

>>> with MeshtasticAir(SystemClock()) as air:  # doctest: +SKIP
...     north = air.add("north", tcp=4403)
...     south = air.add("south", terminal="/run/kiez/ttyUSB0")
"""

from __future__ import annotations

import random
from collections.abc import Callable
from types import TracebackType
from typing import Any

from kiezbox.clock import Clock
from kiezbox.errors import UsageError
from kiezbox.hardware.simulated.air import Air, Recorded
from kiezbox.hardware.simulated.air_loop import AirLoop
from kiezbox.hardware.simulated.air_paths import Links, Paths
from kiezbox.hardware.simulated.meshtastic_client import Client
from kiezbox.hardware.simulated.meshtastic_ports import Ports
from kiezbox.hardware.simulated.meshtastic_radio import Radio
from kiezbox.hardware.simulated.meshtastic_settings import Kept

__all__ = ["MeshtasticAir", "SimulatedRadio"]

#: How long a radio is away when it restarts (seconds of the air).
RESTART_S = 3.0
METRICS_S, STATISTICS_S = 60.0, 900.0
#: A radio says who it is half a minute after its start, and then each three hours, if the channel
#: and its own hour have room (firmware: below 40 % and half of the duty cycle).
FIRST_INFO_S, INFO_BUSY = 30.0, 0.4


class MeshtasticAir:
    """``clock``: how fast time passes on it; ``seed``: the same chances again; ``paths``: who hears
    whom, by the radios' names.

    Raises:
        MissingPackage: ``meshtastic`` is not installed (when a radio is added).
    """

    def __init__(self, clock: Clock, *, paths: Paths | None = None, seed: int = 1) -> None:
        self._seed = seed
        self.loop = AirLoop(clock)
        self.air = Air(self.loop.agenda, paths or Links(), random.Random(f"{seed} air"))
        self.radios: dict[str, SimulatedRadio] = {}

    def add(
        self, name: str, *, number: int | None = None, tcp: int | None = None,
        host: str = "127.0.0.1", terminal: str | None = None, region: str = "EU_868",
        preset: str = "LONG_FAST", says_who_it_is: bool = True,
    ) -> SimulatedRadio:  # fmt: skip
        """A new radio, switched on. ``tcp=0``: any free port (``radio.address`` tells it).
        ``number``: the node's; by default one that follows from its name.

        Raises:
            UsageError: the name is taken, the port is, or the number is none of a node.
        """
        if name in self.radios:
            raise UsageError(f"two radios named {name}", hint="Each on an air has its own name.")
        if number is None:
            number = random.Random(f"{name} number").randrange(1 << 24, 1 << 32) & ~0xFF | (
                len(self.radios) % 255 + 1
            )
        if not 4 <= number < 0xFFFF_FFFF or not number & 0xFF:
            raise UsageError(
                f"a radio's number {number:#x}", hint="4 to 0xfffffffe, not ending in 00."
            )
        kept = Kept(number, name)
        lora, enums = kept.config.lora, kept.pb.config.Config.LoRaConfig
        try:
            lora.region = enums.RegionCode.Value(region)
            lora.modem_preset = enums.ModemPreset.Value(preset)
        except ValueError as error:
            raise UsageError(
                f"no region or preset of Meshtastic: {error}", hint="EU_868, MEDIUM_FAST …"
            ) from error
        chance = random.Random(f"{self._seed} {name}")

        def make() -> SimulatedRadio:
            radio = Radio(self.air, kept, name, chance)
            client = Client(radio)
            ports = Ports(self.loop, client, host=host, tcp=tcp, terminal=terminal)
            return SimulatedRadio(self.loop, radio, client, ports, says_who_it_is)

        made = self.radios[name] = self.loop.call(make)
        return made

    def recorded(self) -> list[Recorded]:
        """All that was on the air, oldest first."""
        return self.loop.call(lambda: list(self.air.recorded))

    def close(self) -> None:
        """Switch all off. Idempotent."""
        for radio in self.radios.values():
            radio.unplug()
        self.radios.clear()
        self.loop.close()

    def __enter__(self) -> MeshtasticAir:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()


class SimulatedRadio:
    """A radio as somebody stands before it: its addresses, its plug, its reset button. May be
    called from any thread.
    """

    def __init__(
        self, loop: AirLoop, radio: Radio, client: Client, ports: Ports, says_who_it_is: bool
    ) -> None:
        self._loop = loop
        self._says_who_it_is = says_who_it_is
        self.radio = radio
        self.client = client
        self._ports = ports
        client.admin.restart = self._restart
        self._start()

    @property
    def number(self) -> int:
        return self.radio.kept.number

    @property
    def address(self) -> tuple[str, int] | None:
        """Where a client connects by TCP; None if it has no such port."""
        return self._ports.address

    def reboot(self) -> None:
        """Press reset: off at once, and on again a few seconds later. It forgets its hour."""
        self._loop.call(lambda: self._restart(True))

    def unplug(self) -> None:
        """Take its power. Clients are cut off, and cannot connect."""

        def pull() -> None:
            self.radio.switch_off()
            self._ports.close()

        self._loop.call(pull)

    def plug_in(self) -> None:
        """Give it power again."""

        def plug() -> None:
            self._ports.open()
            self._start()

        self._loop.call(plug)

    def cut_off(self) -> None:
        """Pull the client's cable, or the network's; the radio runs on."""
        self._loop.call(self._ports.close)

    def join_again(self) -> None:
        """Put the cable back."""
        self._loop.call(self._ports.open)

    def hang(self, is_hung: bool = True) -> None:
        """Its client's side does not answer, though it is connected; the radio relays on."""

        def set_hung() -> None:
            self._ports.is_hung = is_hung
            self.client.wake()

        self._loop.call(set_hung)

    def ask(self, question: Callable[[Radio], Any]) -> Any:
        """What ``question`` says of the radio, asked in the air's thread."""
        return self._loop.call(lambda: question(self.radio))

    def _start(self) -> None:
        if self.radio.is_on:
            return
        self.radio.switch_on()
        self.client.restarted()
        started = self.radio.booted_at
        self._every(METRICS_S, METRICS_S, self.client.tell_metrics, started)
        self._every(STATISTICS_S, STATISTICS_S, self.client.tell_statistics, started)
        if self._says_who_it_is:
            self._every(FIRST_INFO_S, 10_800.0, self._say_who, started)

    def _every(
        self, first_s: float, then_s: float, act: Callable[[], None], started: float
    ) -> None:
        def do() -> None:
            # Of an earlier start: somebody else does it now.
            if self.radio.is_on and self.radio.booted_at == started:
                act()
                self._every(then_s, then_s, act, started)

        self._loop.agenda.after(first_s, do)

    def _say_who(self) -> None:
        radio, now = self.radio, self._loop.agenda.now
        is_polite = radio.count.busy_share(now) < INFO_BUSY
        if is_polite and radio.count.sent_share(now) < radio.kept.duty / 2:
            radio.send_node_info()

    def _restart(self, comes_back: bool) -> None:
        self.radio.switch_off()
        self._ports.close(tcp_only=comes_back)

        def again() -> None:
            self._ports.open()
            self._start()

        if comes_back:
            self._loop.agenda.after(RESTART_S, again)
