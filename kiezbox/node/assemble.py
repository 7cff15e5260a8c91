"""Every part of the node, built once, in one place that reads from top to bottom."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from kiezbox.clock import Clock
from kiezbox.errors import KiezboxError
from kiezbox.hardware import Hardware, open_hardware
from kiezbox.node.advising import advisers
from kiezbox.node.delivering import Delivery, delivery_of
from kiezbox.node.facts import MOST_PAUSE_S, Facts
from kiezbox.node.grid import grid_sources
from kiezbox.node.keeping import Keeping
from kiezbox.node.latest import Latest
from kiezbox.node.notify import notify, watchdog_s
from kiezbox.node.outage import Absence
from kiezbox.node.powering import Powering
from kiezbox.node.private import Privacy
from kiezbox.node.resuming import resume
from kiezbox.node.sensing import clock_and_sensors
from kiezbox.node.sparing import Sparing
from kiezbox.node.storing import Storing
from kiezbox.node.street import Street
from kiezbox.node.switch import Switch
from kiezbox.node.thresholds import Thresholds
from kiezbox.node.worker import Supervisor, Worker
from kiezbox.settings import Settings
from kiezbox.store import Store
from kiezbox.store.consents import consents_path

if TYPE_CHECKING:
    from kiezbox.node.fetching import Fetch

log = logging.getLogger("kiezbox")

#: What a worker may take to end: a sensor's read, or a publisher's last word.
END_WITHIN_S = 5.0


class Node:
    """The daemon: made by ``assemble``, runs until ``stop()`` or until a vital worker is lost."""

    def __init__(
        self,
        *,
        supervisor: Supervisor,
        facts: Facts,
        store: Store,
        hardware: Hardware,
        lock: int,
    ) -> None:
        self._supervisor = supervisor
        self._facts = facts
        self._store = store
        self._hardware = hardware
        self._lock = lock

    def stop(self) -> None:
        """End soon. Safe in a signal handler."""
        self._supervisor.stop()

    def nudge(self) -> None:
        """Something a reader wants to see has changed."""
        self._supervisor.nudge()

    def run(self) -> int:
        """Work until told to stop; the exit code."""
        supervisor, beat_s = self._supervisor, watchdog_s()
        supervisor.start()
        self._write_facts()
        notify("READY=1")
        log.info("node: runs boot=%d workers=%d", self._store.boot, len(supervisor.workers))
        while not supervisor.is_stopping:
            supervisor.look_after(min(beat_s or MOST_PAUSE_S, self._facts.due_in_s()))
            self._write_facts()
            notify("WATCHDOG=1")
        return self._end()

    def _write_facts(self) -> None:
        try:
            self._facts.write_if_due()
            self._store.close_fault("node.facts")
        except OSError as error:
            self._store.open_fault(
                "node.facts", "unwritable", f"cannot write {self._facts.path}: {error}"
            )

    def _end(self) -> int:
        notify("STOPPING=1")
        fatal = self._supervisor.fatal
        if fatal:
            log.critical("node: ends, because %s; systemd starts it again", fatal)
        late = self._supervisor.end(END_WITHIN_S)
        for name in late:
            log.warning("%s: did not end within %g s", name, END_WITHIN_S)
        self._store.close()
        self._hardware.close()
        # No now.json means "does not run" at once, instead of after half a minute.
        if os.path.exists(self._facts.path):
            os.unlink(self._facts.path)
        os.close(self._lock)
        log.info("node: ended")
        return 70 if fatal else 0


def assemble(settings: Settings, clock: Clock) -> Node:
    """The whole node from its settings. Nothing runs before ``Node.run``.

    Raises:
        KiezboxError: a setting, a missing package, or another node that holds the store.
    """
    os.makedirs(settings.store.run_dir, exist_ok=True)
    lock = _only_one(os.path.join(settings.store.run_dir, "node.lock"))
    store = Store.open(settings.store, settings.box.id, clock)
    hardware = open_hardware(settings.hardware)

    facts: Facts | None = None
    node: Node | None = None
    deliveries: list[Delivery] = []

    def has_uplink() -> bool | None:
        # A stick in its socket and a LoRaWAN gateway say nothing of an uplink.
        carriers = [each.carrier for each in deliveries if each.carrier.proves_uplink]
        if not carriers:
            return None
        return any(carrier.link() == "connected" for carrier in carriers)

    # Before anything else is opened or even imported: a box that wakes in a blackout opens its
    # WLAN now, whatever its sensors and publishers have to say about that.
    absence = Absence(clock)
    resumed = resume(settings, store, absence, clock)
    street = _street(settings, hardware, store, clock, has_uplink)
    street.follow(resumed.mode)
    for transition in resumed.unfinished:
        store.carried_out(transition)

    def changed() -> None:
        if facts is not None:
            facts.changed()
        for delivery in deliveries:
            delivery.worker.nudge()

    def nudge_main() -> None:
        if node is not None:
            node.nudge()

    consents = consents_path(settings.store.path)
    privacy = Privacy(settings.sensors, consents, clock, settings.publishers)
    latest = Latest(changed)
    facts = Facts(
        settings.box,
        settings.store.run_dir,
        clock=clock,
        store=store,
        latest=latest,
        on_change=nudge_main,
        operator=settings.operator,
        place_path=settings.place.path(settings.store.path),
        tell_the_portal=privacy.tell_the_portal,
        radio_country=settings.network.access_point.country,
    )
    trouble = partial(_trouble, store)
    store.keep_for(settings.publishers)
    workers = [
        Worker("store", lambda counts: Storing(store, settings.store, clock), clock, is_vital=True)
    ]

    for name, table in settings.publishers.items():
        may_leave = privacy.of(name)
        delivery = delivery_of(
            name, table, settings, store, clock, trouble(f"publishers.{name}"), may_leave
        )
        deliveries.append(delivery)
        facts.add_publisher(name, delivery.facts)
        workers.append(delivery.worker)

    def announce(kind: str, document: dict[str, Any]) -> None:
        for delivery in deliveries:
            delivery.announce(kind, document)

    power: Worker

    def nudge_power() -> None:
        power.nudge()

    fetches = _fetches(settings, store, clock)

    def warning() -> str | None:
        return next((said for each in fetches if (said := each.alarm())), None)

    spares = Sparing(resumed.mode.mode)
    sources = grid_sources(settings, hardware, latest, clock, store, nudge_power)
    thresholds = Thresholds(
        settings, latest=latest, store=store, clock=clock, absence=absence, tell=facts.set_steps
    )
    power = Worker(
        "power",
        lambda counts: Powering(
            settings,
            sources=sources,
            store=store,
            latest=latest,
            facts=facts,
            announce=announce,
            has_uplink=has_uplink,
            clock=clock,
            absence=absence,
            resumed=resumed,
            street=street,
            warning=warning,
            thresholds=thresholds,
            spare=spares.tell,
        ),
        clock,
        is_vital=True,
    )
    workers.append(power)

    words = Worker(
        "words",
        lambda counts: Keeping(settings, store, clock, counts=counts),
        clock,
        # A damaged log is copied page by page, a large one written anew, on a slow card.
        step_limit_s=600.0,
        on_trouble=trouble("words"),
    )
    workers.append(words)
    if settings.kiez.members:
        from kiezbox.node.peering import peering_worker

        workers.append(
            peering_worker(settings, store, clock, facts, words.nudge, trouble("peers.worker"))
        )
    if settings.radio.address:
        from kiezbox.node.radioing import radio_worker

        workers.append(
            radio_worker(settings, store, clock, facts, words.nudge, trouble("radio.worker"))
        )
    workers += [each.worker(clock, trouble(f"sources.{each.name}")) for each in fetches]

    workers += advisers(settings, store, latest, clock, facts, trouble)
    workers += clock_and_sensors(settings, hardware, store, latest, clock, trouble, spares)
    if settings.button.pin >= 0:
        from kiezbox.node.button import button_worker

        workers.append(button_worker(settings, hardware, store, clock, trouble("button.worker")))
    node = Node(
        supervisor=Supervisor(workers), facts=facts, store=store, hardware=hardware, lock=lock
    )
    return node


def _only_one(path: str) -> int:
    """Hold the lock file, so that two nodes never write into one store."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise KiezboxError(
            f"another node already runs here ({path} is held)",
            hint="systemctl stop kiezbox-node, or give this one its own store.run_dir.",
        ) from error
    return lock


def _street(
    settings: Settings,
    hardware: Hardware,
    store: Store,
    clock: Clock,
    has_publisher: Callable[[], bool | None],
) -> Street:
    """What carries the mode into the network; with the line that switches, if there is one."""
    point, switch = settings.network.access_point, None

    def on_fault(source: str, message: str, hint: str) -> None:
        if store.open_fault(source, "missing", message, hint):
            log.warning("%s", message)

    if point.pin >= 0:
        switch = Switch(
            point, hardware=hardware, clock=clock, on_fault=on_fault, on_good=store.close_fault
        )
    return Street(settings, store=store, clock=clock, has_publisher=has_publisher, switch=switch)


def _trouble(store: Store, source: str) -> Callable[[str, str], None]:
    """What a worker does with its own trouble: a fault, said once."""

    def tell(kind: str, message: str) -> None:
        store.open_fault(source, kind, message, "It is started again by itself; see the log.")

    return tell


def _fetches(settings: Settings, store: Store, clock: Clock) -> list[Fetch]:
    """Every ``[sources.NAME]``; what they need is imported where there is one."""
    if not settings.sources:
        return []
    from kiezbox.node.fetching import fetch_of

    return [fetch_of(name, settings, store, clock) for name in settings.sources]
