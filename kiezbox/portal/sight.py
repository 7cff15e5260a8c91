"""What the portal can see: now.json and the database, both only read, either possibly broken.

Every look is bounded in bytes and in time, and none of them raises: a resident gets a page
whatever became of the node and its card.

``json``, ``sqlite3`` and ``kiezbox.store`` cost 7, 3 and 30 ms of import, and the first page has
10 ms in all (docs/portal.md). So their C halves are used directly, and a test compares what comes
out with what the real ones say.
"""

from __future__ import annotations

import _sqlite3
import os
import time
from _json import make_scanner

from kiezbox.portal.bulletins import bulletins_of, looked
from kiezbox.portal.guests import STAY_S
from kiezbox.portal.shown import Shown
from kiezbox.privacy.shown import (
    FILE,
    LEDGER,
    ledger_bytes,
    may_show,
    sensor_of_fault,
    understood,
)
from kiezbox.situation import understand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from kiezbox.portal.bulletins import Bulletin, Looked
    from kiezbox.privacy.shown import Shown as ShownSeries
    from kiezbox.situation import Facts

    class Clock(Protocol):
        """The part of ``kiezbox.clock.Clock`` that is needed to look."""

        def now(self) -> float: ...


__all__ = ["Sight", "Street", "WallClock", "parse_json"]

#: now.json of a box with sixty sensors is 20 kB.
FACTS_BYTES = 262_144

#: How long a look into the database may wait for somebody who holds it.
BUSY_S = 0.05

#: So long one look at the bulletins serves everybody (if the log's files are the same), and one at
#: the last known state.
BULLETINS_S = 1.0
LAST_KNOWN_S = 10.0


class WallClock:
    """``kiezbox.clock.SystemClock``, as far as it is needed here (it costs 8 ms)."""

    now = staticmethod(time.time)


class Street:
    """What the emergency WLAN looks like from a phone, as far as is known."""

    __slots__ = ("address", "hosts", "https_name", "mode", "name", "posture", "stay_s")

    def __init__(self, facts: Facts | None = None) -> None:
        network = facts["network"] if facts else {}
        #: Where the portal answers (IPv4), and the name a guest may type.
        self.address: str | None = network.get("address")
        self.name: str | None = network.get("name")
        self.https_name: str | None = network.get("https_name")
        self.posture: str | None = network.get("wanted")
        #: How long "stay connected" holds.
        self.stay_s: float = network.get("stay_s") or STAY_S
        self.mode: str | None = facts["mode"]["name"] if facts else None
        own = (self.address, self.name, self.https_name)
        self.hosts = frozenset(host.lower() for host in own if host)


class Sight:
    """All that this process may look at. For several threads."""

    def __init__(
        self,
        run_dir: str,
        store_path: str,
        clock: Clock | None = None,
        words_path: str = "",
        place_path: str = "",
    ) -> None:
        """``words_path``: the log of words, ``place_path``: the package of the surroundings; by
        default where the settings put them.
        """
        folder = os.path.dirname(store_path)
        #: Points and streets around (``place.package``).
        self.surroundings = Shown(place_path or os.path.join(folder, "place", "place.db"))
        #: What the log of words has to show.
        self.shown = Shown(words_path or os.path.join(folder, "words", "words.db"))
        self.run_dir = run_dir
        self._now_json = os.path.join(run_dir, "now.json")
        self.store_path = store_path
        self._public_json = os.path.join(os.path.dirname(store_path) or ".", FILE)
        self._ledger = os.path.join(os.path.dirname(store_path) or ".", LEDGER)
        #: (stamp, table, length of the ledger it was made from), and whether the clock is trusted.
        self._shown_series: tuple[Any, ShownSeries, int] = ((), {}, 0)
        self._trust: tuple[Any, bool] = ((), False)
        self._clock = clock or WallClock()
        #: Each is (monotonic time of the look, …, what was seen), replaced as a whole.
        self._bulletins: tuple[float, Any, Looked | None] = (-1e9, None, None)
        self._last_known: tuple[float, Any] = (-1e9, None)
        self._street: tuple[Any, Street] = (None, Street())
        self._lately: tuple[Any, Facts | None] = (None, None)

    def now(self) -> float:
        """Unix seconds, as the box's clock has them."""
        return self._clock.now()

    def version(self) -> tuple[Any, ...]:
        """Another one as soon as now.json, the store, the words or what may be shown are others;
        seven ``stat``.
        """
        store, words = self.store_path, self.shown.path
        files = store, store + "-wal", words, words + "-wal", self._public_json, self._ledger
        return _stamp(self._now_json), *map(_stamp, files), self._consents_that_hold()

    def measured(self) -> tuple[Any, ...]:
        """Another one as soon as what was measured, or what of it may be shown, is."""
        version = self.version()
        return *version[1:3], *version[5:]

    def street(self) -> Street:
        """The last one that now.json told of: a node that has gone took no WLAN down."""
        stamp, street = self._street
        found = _stamp(self._now_json)
        if found != stamp:
            # The page that is asked for with this look understands the same now.json.
            facts = self.facts_lately()
            if facts["source"] == "node" and facts["network"]["address"] is not None:
                street = Street(facts)
            self._street = (found, street)
        return street

    def facts(self) -> Facts:
        """What is true just now; else what was last known, by now.json or by the store."""
        document, source = self._public(_read(self._now_json)), "node"
        facts = understand(document, now=self._clock.now(), speed=self._speed(), source=source)
        if facts["written_at"] is None and (last := self._from_store()) is not None:
            unreadable = facts["unreadable"]
            last = self._public(last)
            facts = understand(last, now=self._clock.now(), speed=self._speed(), source="store")
            facts["unreadable"] = unreadable + facts["unreadable"]
            # A node that writes no now.json does not run, however fresh its last reading is.
            facts["state"] = "stale" if facts["written_at"] is not None else "unknown"
        elif facts["written_at"] is None:
            facts["source"] = None
        return facts

    def may_show(self, sensor: str, quantity: str, taken_at: float | None) -> bool:
        """Whether a public page may show what was measured then (docs/privacy.md)."""
        shown, now = self._shown(), self._clock.now()
        if may_show(shown, sensor, quantity, taken_at, now, by_consent=False):
            return True
        return may_show(shown, sensor, quantity, taken_at, now) and self._knows_consents()

    def _shown(self) -> ShownSeries:
        stamp, shown, _ = self._shown_series
        found = _stamp(self._public_json)
        if found != stamp:
            document = _read(self._public_json)
            shown = understood(document)
            self._shown_series = found, shown, ledger_bytes(document)
        return shown

    def _knows_consents(self) -> bool:
        """Whether the table still says which consents hold: nothing was written into the ledger
        since, also by somebody who was killed before telling us; and no clock that is wrong may
        make one last longer.
        """
        ledger = _stamp(self._ledger)
        if (ledger[2] if ledger else 0) != self._shown_series[2]:
            return False
        stamp, is_trusted = self._trust
        found = _stamp(self._now_json)
        if found != stamp:
            document = _read(self._now_json)
            is_trusted = isinstance(document, dict) and document.get("clock_trusted") is True
            self._trust = found, is_trusted
        return is_trusted

    def _consents_that_hold(self) -> int:
        """How many are not over yet: what is kept of pages is forgotten when one ends."""
        now = self._clock.now()
        entries = (each for some in self._shown().values() for each in some)
        return sum(until is not None and now < until for _, until in entries)

    def _public(self, document: Any) -> Any:
        """The same without what hangs in somebody's rooms, whatever it is."""
        if not isinstance(document, dict):
            return document
        latest, faults = document.get("latest"), document.get("faults")
        if isinstance(latest, dict):
            kept = {
                name: each
                for name, each in latest.items()
                if self.may_show(name.partition("/")[0], name.partition("/")[2], _moment_of(each))
            }
            document = {**document, "latest": kept}
        if isinstance(steps := document.get("steps"), list):
            document = {**document, "steps": [each for each in steps if self._may_show_step(each)]}
        if isinstance(faults, list):
            document = {**document, "faults": [each for each in faults if self._may_tell(each)]}
        return document

    def _may_show_step(self, step: Any) -> bool:
        """A step that a value has reached says as much as the value."""
        names = (step.get("sensor"), step.get("quantity")) if isinstance(step, dict) else (None,)
        if not all(isinstance(each, str) for each in names):
            return False
        return self.may_show(str(names[0]), str(names[-1]), _moment_of(step))

    def _may_tell(self, fault: Any) -> bool:
        """Whether a fault is nobody's private life: a sensor's only if it is one of those shown."""
        source = fault.get("source") if isinstance(fault, dict) else None
        sensor = sensor_of_fault(source) if isinstance(source, str) else None
        shown = self._shown()
        return sensor is None or any(until is None for _, until in shown.get(sensor, ()))

    def facts_lately(self) -> Facts:
        """The same for all who ask within a quarter of a second, if now.json and what may be shown
        are the same: what is understood from it costs 0.2 ms, and 2 on a small box.
        """
        files = self._now_json, self._public_json, self._ledger
        moment = *map(_stamp, files), int(self._clock.now() * 4)
        seen, lately = self._lately
        if seen != moment or lately is None:
            lately = self.facts()
            self._lately = (moment, lately)
        return lately

    def bulletins(self, facts: Facts) -> list[Bulletin] | None:
        """What is up, first things first; by the last look that could be had while the log cannot
        be read, None if never any. ``facts``, of this moment, say whether the box's clock can tell
        what is over.
        """
        seen_at, version, seen = self._bulletins
        monotonic = time.monotonic()
        if monotonic - seen_at >= BULLETINS_S or version != self.version()[3:5]:
            found = looked(self.shown)
            seen = seen if found is None else found
            # The version after the look: where no node runs, the look itself makes a -wal.
            self._bulletins = (monotonic, self.version()[3:5], seen)
        # What was seen a moment ago, or before the card broke, may have expired since.
        return seen and bulletins_of(
            *seen, now=facts["now"], is_clock_trusted=facts["clock_trusted"] is True
        )

    def _speed(self) -> float:
        """How fast the clock runs (the demo's may)."""
        return float(getattr(self._clock, "speed", 1.0))

    def _from_store(self) -> Any:
        seen_at, seen = self._last_known
        if time.monotonic() - seen_at >= LAST_KNOWN_S:
            # Asked first because it waits 0.05 s at most for a store that somebody holds.
            if _can_be_read(self.store_path):
                from kiezbox.portal.last_known import last_known

                seen = last_known(self.store_path)
            self._last_known = (time.monotonic(), seen)
        return seen


def _moment_of(latest: Any) -> float | None:
    taken_at = latest.get("taken_at") if isinstance(latest, dict) else None
    return taken_at if isinstance(taken_at, int | float) else None


def _stamp(path: str) -> tuple[int, int, int] | None:
    """What is another after every change: now.json is replaced as a whole, a WAL grows."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: str) -> Any:
    """The document; None if there is none, a word if there is something else."""
    try:
        # Non-blocking: were it a pipe, nobody would ever write into it.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        pieces = []
        while piece := os.read(file, FACTS_BYTES):
            pieces.append(piece)
            if sum(map(len, pieces)) > FACTS_BYTES:
                return "too long"
        return parse_json(b"".join(pieces))
    except (OSError, ValueError, RecursionError) as error:
        return type(error).__name__
    finally:
        os.close(file)


class _Plain:
    """What ``json.JSONDecoder()`` tells the scanner."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float
    memo: dict[str, str] = {}


_scan = make_scanner(_Plain)  # type: ignore[arg-type]


def parse_json(received: bytes) -> Any:
    """``json.loads``, without importing ``json`` where all is well.

    Raises:
        ValueError: this is not JSON.
        RecursionError: it is nested too deeply.
    """
    text = received.decode()
    try:
        document, end = _scan(text, len(text) - len(text.lstrip(" \t\r\n")))
    except (StopIteration, ValueError, SystemError):
        # SystemError: Python 3.11 wants to raise the class of a module that is not imported.
        end = -1
    if end < 0 or text[end:].strip(" \t\r\n"):
        import json

        return json.loads(text)
    return document


def _can_be_read(path: str) -> bool:
    """Whether the node's database answers."""
    try:
        _open(path).close()
    except (_sqlite3.Error, ValueError):
        return False
    return True


def _open(path: str) -> _sqlite3.Connection:
    name = os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        db = _connect(f"file:{name}?mode=ro")
    except _sqlite3.OperationalError:
        # A reader without rights in the folder cannot make the -shm that WAL wants. With no WAL
        # there, nobody writes: the file alone is the whole truth for this one look.
        if os.path.exists(path + "-wal"):
            raise
        db = _connect(f"file:{name}?mode=ro&immutable=1")
    return db


def _connect(address: str) -> _sqlite3.Connection:
    db = _sqlite3.connect(address, timeout=BUSY_S, uri=True, isolation_level=None)
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except _sqlite3.Error:
        db.close()
        raise
    return db
