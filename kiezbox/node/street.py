"""The mode carried into the network: posture, time slices, shared uplink, and what came of it.

``follow`` says the posture; it is all that stands between a stored transition and systemd.
``look`` comes after it and may take its time: the switched line, and how the street is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from kiezbox.clock import Clock
from kiezbox.mode import Mode, ModeState
from kiezbox.node.observing import Observer
from kiezbox.node.switch import Switch
from kiezbox.posture import IS_OPEN, IS_POWERED, Posture, Slice, posture, saving
from kiezbox.settings import Settings
from kiezbox.store import Store
from kiezbox.wanted import Wanted

log = logging.getLogger("kiezbox")

#: The street is looked at so often while it is open, and while it is closed.
LOOK_S = {True: 5.0, False: 60.0}

#: An uplink is given to guests once it has been there for so long; it is taken at once. In the
#: first minutes of a blackout routers come back and go again.
UPLINK_HOLD_S = 30.0

#: An emergency WLAN that is not on the air after so long is a fault. hostapd takes 1 to 6 s, an
#: external access point that is only now given power up to a minute.
ON_AIR_WITHIN_S = {"radio": 30.0, "external": 90.0}
OFF_AIR_HINT = {
    "radio": "`journalctl -u kiezbox-hostapd` says why; so may `kiezbox check`.",
    "external": "Has the access point power, and is its cable plugged in? See `kiezbox check`.",
}

SOURCE = "network"


class Street:
    """Made before all workers; used by the power worker alone from then on."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        clock: Clock,
        has_publisher: Callable[[], bool | None],
        switch: Switch | None = None,
        observer: Observer | None = None,
    ) -> None:
        """``has_publisher``: whether a publisher is connected; None: there is none."""
        self._network = settings.network
        self._pause_s = settings.mode.wlan_pause_s
        self._store = store
        self._clock = clock
        self._has_publisher = has_publisher
        self._switch = switch
        self._observer = observer or Observer(self._network.run_dir)
        self._wanted = Wanted(settings.store.run_dir)
        self._is_said = False
        self._posture = Posture.CLOSED
        self._since = clock.monotonic()
        self._slice: Slice | None = None
        self._turns_at = 0.0
        self._uplink = "unknown"
        self._uplink_since: float | None = None
        if self._wanted.before is Posture.SHARED:
            # A node that was away for a moment does not take the uplink from those who use it.
            self._uplink_since = self._since - UPLINK_HOLD_S
        self._looked_at: float | None = None
        self._is_on_air: bool | None = None
        self._off_air_since = self._since
        self._guests: int | None = None
        self._neighbours: int | None = None
        self._https_name: str | None = None
        # Faults may be open from before this start.
        self._may_have_faults = True

    @property
    def posture(self) -> Posture:
        """What is wanted just now."""
        return self._posture

    # --- saying it -----------------------------------------------------------------------------

    def follow(self, mode: ModeState) -> float | None:
        """Want what this mode asks for now; seconds until a time slice turns, or None.

        A change of posture within a mode is stored nowhere: it follows from the clock and from
        the uplink, and would again after a crash.
        """
        now = self._clock.monotonic()
        wanted = self._choose(mode, now)
        if wanted is not self._posture or not self._is_said:
            self._say(wanted, now)
        return self._slice.changes_in_s if self._slice else None

    def _choose(self, mode: ModeState, now: float) -> Posture:
        is_open, self._slice = mode.is_open, None
        if mode.mode is Mode.SAVING and is_open:
            self._slice = self._slice_now(mode, now)
            is_open = self._slice.is_open
        return posture(mode.mode, is_open=is_open, is_shared=self._is_shared(now))

    def _slice_now(self, mode: ModeState, now: float) -> Slice:
        street, begun = self._network.street, max(mode.since, mode.changed_at or mode.since)
        found = saving(
            # Without a clock that neighbours share, slices count from the machine's start.
            self._clock.now() if self._clock.is_trusted() else now,
            now - begun,
            open_s=street.slice_open_s,
            every_s=street.slice_every_s,
            pause_s=self._pause_s,
        )
        # Steady to half a second, or each look would be news.
        turns_at = now + (found.changes_in_s or 0.0)
        if abs(turns_at - self._turns_at) > 0.5:
            self._turns_at = turns_at
        return found

    def _is_shared(self, now: float) -> bool:
        if self._network.uplink.guest_uplink != "all" or self._uplink_since is None:
            return False
        return now - self._uplink_since >= UPLINK_HOLD_S

    def _say(self, wanted: Posture, now: float) -> None:
        try:
            self._wanted.say(wanted)
        except OSError as error:
            # Tried again with every step. The transition is stored; only its voice is gone.
            self._is_said = False
            hint = "The root part cannot hear what is wanted. Is the run directory full, or gone?"
            if self._store.open_fault(SOURCE, "unsaid", f"cannot want {wanted}: {error}", hint):
                log.warning("network: cannot want %s: %s", wanted, error)
            self._may_have_faults = True
            return
        if wanted is self._posture and self._is_said:
            return
        log.info("network: wants %s (before %s)", wanted, self._wanted.before)
        if wanted is not self._posture:
            self._since = now
        if IS_OPEN[wanted] and not IS_OPEN[self._posture]:
            self._off_air_since = now
        self._wanted.before = self._posture = wanted
        self._is_said = True
        self._looked_at = None

    # --- what came of it -----------------------------------------------------------------------

    def look(self) -> None:
        """Switch what is to be switched, and look at the street if it is time to."""
        now = self._clock.monotonic()
        if self._switch is not None:
            kind = self._network.access_point.kind
            self._switch.turn(IS_POWERED[kind][self._posture])
        is_due = self._looked_at is None or now - self._looked_at >= LOOK_S[self.is_open]
        # The one thing that is not only told: whoever loses the uplink gets the portal at once.
        if is_due or (self.is_open and self._network.uplink.guest_uplink == "all"):
            self._look_for_uplink(now)
        if is_due:
            self._looked_at = now
            self._look(now)

    @property
    def is_open(self) -> bool:
        return IS_OPEN[self._posture]

    def _look_for_uplink(self, now: float) -> None:
        said, is_connected = self._observer.uplink(), self._has_publisher()
        if said is None:
            said = "own" if is_connected else "unknown"
        elif said != "none" and is_connected is False:
            # A route, and nobody answers: guests would have neither the world nor the portal.
            said = "unknown"
        self._uplink = said
        if said not in ("own", "mesh"):
            self._uplink_since = None
        elif self._uplink_since is None:
            self._uplink_since = now

    def _look(self, now: float) -> None:
        if self._is_said and self._wanted.read() is None:
            # Somebody has cleared the run directory. Another word stays: the operator tries
            # something by hand (`kiezbox network apply`), until the next change.
            self._say(self._posture, now)
        observer, network = self._observer, self._network
        name = network.certificate.name
        self._https_name = name if observer.has_https(name) else None
        self._neighbours = observer.neighbours() if network.mesh.interface else None
        self._guests = observer.guests(self._clock.now()) if self.is_open else None
        has_point = self.is_open and network.access_point.kind != "none"
        self._is_on_air = observer.is_on_air() if has_point else None
        self._judge(now)

    def _judge(self, now: float) -> None:
        """A fault while the street is to be on the air and is not, for too long."""
        if self._is_on_air is not False:
            self._off_air_since = now
            if self._may_have_faults and self._is_said:
                self._may_have_faults = False
                self._store.close_fault(SOURCE)
            return
        kind = self._network.access_point.kind
        limit_s = ON_AIR_WITHIN_S[kind]
        if now - self._off_air_since < limit_s:
            return
        message = f"the emergency WLAN is not on the air after {limit_s:.0f} s"
        self._may_have_faults = True
        if self._store.open_fault(SOURCE, "off-air", message, OFF_AIR_HINT[kind]):
            log.warning("network: %s", message)

    # --- what readers see ----------------------------------------------------------------------

    def facts(self, unix: Callable[[float], float]) -> dict[str, Any]:
        """The part ``network`` of now.json. ``unix`` puts a monotonic moment on the wall clock."""
        network = self._network
        point, street, mesh = network.access_point, network.street, network.mesh
        turning = self._slice if self._slice and self._slice.changes_in_s is not None else None
        return {
            "wanted": str(self._posture),
            "since": unix(self._since),
            "access_point": point.kind,
            "ssid": point.ssid if point.kind != "none" else None,
            "name": street.name,
            "address": street.address,
            "https_name": self._https_name,
            "is_on_air": self._is_on_air,
            "slice": turning
            and {"is_open": turning.is_open, "changes_at": round(unix(self._turns_at))},
            "guests": self._guests,
            "uplink": self._uplink,
            "guest_uplink": network.uplink.guest_uplink,
            "stay_s": street.stay_s,
            "mesh": {"interface": mesh.interface, "neighbours": self._neighbours}
            if mesh.interface
            else None,
        }

    def close(self) -> None:
        """Give the switched line back. What is wanted stays wanted."""
        if self._switch is not None:
            self._switch.close()
