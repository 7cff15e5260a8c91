"""Deliver everything the store holds to one publisher, then end; or see what it would not take.

  kiezbox publish mqtt --once       before a box is taken down, or to try the settings
  kiezbox publish stick --once      onto a USB stick ([publishers.stick], driver = "file")
  kiezbox publish lorawan --once    what carries no past: the newest values, if they are new enough

  kiezbox publish mqtt --dead-letters            readings the other side rejected, and why
  kiezbox publish mqtt --dead-letters --retry    the node sends them again (within 10 seconds)
  kiezbox publish mqtt --dead-letters --forget   they stay on the box and are sent no more

The node publishes by itself all the time and remembers how far it came, so this needs the node
to be stopped for --once: two of them would send the same readings and forget each other's progress.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiezbox.errors import PublishError, Refused, Rejected, SettingsError, UsageError

if TYPE_CHECKING:
    from threading import Event

    from kiezbox.clock import Clock
    from kiezbox.node.carrier import Carrier
    from kiezbox.settings import Settings

#: Seconds without anything confirmed, after which the other side counts as unreachable.
PATIENCE_S = 15.0


def main(argv: list[str]) -> int:
    """``kiezbox publish NAME --once|--dead-letters``: 0 when nothing is left to deliver, or, where
    the other side takes no past, when it has the newest values.
    """
    from kiezbox.cli._common import Parser, load_settings, open_clock, print_json

    parser = Parser("publish", __doc__)
    parser.add_argument("name", help="the NAME of [publishers.NAME] in kiezbox.toml")
    parser.add_argument("--once", action="store_true", help="deliver what there is, then end")
    parser.add_argument("--dead-letters", action="store_true", help="what was rejected, and why")
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument("--retry", action="store_true", help="dead letters: send them again")
    decision.add_argument("--forget", action="store_true", help="dead letters: send them no more")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    settings = load_settings(arguments.settings)
    if arguments.name not in settings.publishers:
        there = ", ".join(sorted(settings.publishers)) or "none"
        raise SettingsError(
            f"there is no [publishers.{arguments.name}] in kiezbox.toml",
            hint=f"There are: {there}.",
        )
    if (arguments.retry or arguments.forget) and not arguments.dead_letters:
        raise UsageError(
            "publish: --retry and --forget are about dead letters",
            hint=f"kiezbox publish {arguments.name} --dead-letters --retry",
        )
    if arguments.once and arguments.dead_letters:
        raise UsageError("publish: --once or --dead-letters, not both", hint="One after the other.")
    if arguments.dead_letters:
        return _dead_letters(settings, arguments)
    if not arguments.once:
        raise UsageError(
            "publish: the node (kiezbox run) is what publishes all the time",
            hint="With --once this delivers what there is, and ends.",
        )
    delivered, has_past = _deliver(settings, arguments.name, open_clock(settings))
    if arguments.json:
        print_json({"publisher": arguments.name, "delivered": delivered})
    elif has_past and not delivered:
        print(f"{arguments.name}: nothing was waiting, so nothing was tried")
    elif has_past:
        print(f"{arguments.name}: delivered {delivered} readings, nothing is left")
    else:
        print(f"{arguments.name}: delivered the newest values: {delivered}")
    return 0


def _dead_letters(settings: Settings, arguments: Any) -> int:
    from datetime import UTC, datetime

    from kiezbox.cli._common import print_json
    from kiezbox.senml import id_text
    from kiezbox.store import StoreWriter

    name = arguments.name
    with StoreWriter(settings.store.path) as store:
        letters = store.dead_letters(name)
        if arguments.retry or arguments.forget:
            store.decide_dead_letters(name, is_retried=arguments.retry)
    if arguments.json:
        print_json([{**each._asdict(), "reading": id_text(each.serial)} for each in letters])
    elif arguments.retry:
        print(f"{name}: {len(letters)} dead letters will be sent again")
    elif arguments.forget:
        print(f"{name}: {len(letters)} dead letters forgotten; the readings stay on the box")
    elif not letters:
        print(f"{name}: nothing was rejected")
    else:
        for each in letters:
            at = datetime.fromtimestamp(each.at, UTC).isoformat(timespec="seconds")
            again = " (to be sent again)" if each.is_retried else ""
            print(f"{at.replace('+00:00', 'Z')}  {id_text(each.serial)}  {each.why}{again}")
        print(f"--retry sends them again, --forget gives them up: kiezbox publish {name} …")
    return 0


def _deliver(settings: Settings, name: str, clock: Clock) -> tuple[int, bool]:
    """How many readings were delivered, and whether that is all there are.

    Raises:
        PublishError: not all of them; or, where the other side takes no past, none.
        UsageError: this way sends nothing by itself.
    """
    import threading

    from kiezbox import publishers
    from kiezbox.clock import SystemClock
    from kiezbox.node.carrier import Carrier
    from kiezbox.node.private import Privacy
    from kiezbox.privacy.grid import public_box
    from kiezbox.settings import parse
    from kiezbox.store import Store
    from kiezbox.store.consents import consents_path

    table = settings.publishers[name]
    module = publishers.load(table.get("driver") or name)
    publisher_settings = parse(module.Settings, table, f"publishers.{name}")
    machine = SystemClock()
    store = Store.open(settings.store, settings.box.id, clock)
    try:
        wake = threading.Event()
        # By hand no more leaves the box than by itself.
        ledger = consents_path(settings.store.path)
        privacy = Privacy(settings.sensors, ledger, clock, settings.publishers)
        publisher = module.open(publisher_settings, public_box(settings.box), clock, wake.set)
        may_leave = privacy.of(name)
        carrier = Carrier(store, publisher, name, clock, may_leave.passed, may_leave.told)
        try:
            if isinstance(publisher, publishers.Latest):
                if getattr(publisher, "waits_to_be_asked", False):
                    raise UsageError(
                        f"publish: {name} sends nothing, it waits to be asked",
                        hint="Ask it while the node runs; docs/publishers.md has the address.",
                    )
                return _hand_over(carrier, machine, wake), False
            until = machine.monotonic() + PATIENCE_S
            while carrier.backlog() or store.dead_letters(name, only_retried=True):
                before = carrier.delivered
                pause_s = carrier.step()
                if carrier.delivered > before:
                    until = machine.monotonic() + PATIENCE_S
                problem = carrier.problem
                is_hopeless = isinstance(problem, (Refused, Rejected))
                if problem is not None and (is_hopeless or machine.monotonic() > until):
                    raise problem
                if pause_s:
                    machine.wait(wake, pause_s)
                    wake.clear()
            return carrier.delivered, True
        finally:
            carrier.close()
    finally:
        store.close()


def _hand_over(carrier: Carrier, machine: Clock, wake: Event) -> int:
    """Send what is true now, also if the node has sent it already: how many values."""
    until = machine.monotonic() + PATIENCE_S
    while not carrier.delivered:
        carrier.hand_over_again()
        pause_s = carrier.step()
        problem = carrier.rejected or carrier.problem
        left_s = until - machine.monotonic()
        if problem is not None and (isinstance(problem, (Refused, Rejected)) or left_s <= 0):
            raise problem
        if problem is None and not carrier.delivered:
            raise PublishError(
                "nothing was sent: there is no good reading that is new enough and may go there",
                hint="It takes only what is true now: call this within a minute of stopping the"
                " node. kiezbox readings quality says what is good.",
            )
        if problem is not None:
            machine.wait(wake, max(0.0, min(pause_s, left_s)))
            wake.clear()
    return carrier.delivered
