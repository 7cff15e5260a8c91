"""Say which mode the box is in, or order another one for a while.

  kiezbox mode                          the mode, why, and since when
  kiezbox mode emergency --for 12h      open the emergency WLAN, whatever the grid does
  kiezbox mode normal --for 2h          keep it closed (a test of the power supply, say)
  kiezbox mode exercise --for 3h        a drill: open, with a visible mark; a real cause ends it
  kiezbox mode maintenance --for 1h     radios quiet, publishing marked; a real cause ends it
  kiezbox mode auto                     forget the order

An order ends by itself (--for, at most mode.order_most_s), because people forget.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from kiezbox.clock import SystemClock
from kiezbox.errors import NotRunning, UsageError
from kiezbox.settings import Settings

ORDERS = ("emergency", "normal", "exercise", "maintenance", "auto")

#: How long an order holds if --for is not given.
DEFAULT_FOR = "2h"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

#: The node looks for orders once a second (power.interval_s); a busy one may take longer.
ANSWER_WITHIN_S = 5.0

#: A taken order stands in now.json so soon.
SHOWN_WITHIN_S = 1.0


def seconds_of(text: str) -> float:
    """``90s``, ``30m``, ``12h``, ``1.5d`` in seconds.

    >>> seconds_of("30m")
    1800.0
    """
    match = _DURATION.fullmatch(text)
    if match is None or float(match[1]) == 0:
        raise UsageError(f"{text} is not a duration", hint="Write 90s, 30m, 12h or 2d.")
    return float(match[1]) * _SECONDS[match[2]]


def main(argv: list[str]) -> int:
    """``kiezbox mode [ORDER] [--for DURATION] [--json]``."""
    from kiezbox.cli._common import Parser, load_settings, open_clock, print_json, read_facts

    parser = Parser("mode", __doc__)
    parser.add_argument("order", nargs="?", choices=ORDERS)
    parser.add_argument("--for", dest="duration", metavar="DURATION", default=DEFAULT_FOR)
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    facts = read_facts(settings)
    if arguments.order is not None:
        seconds = seconds_of(arguments.duration)
        if seconds > settings.mode.order_most_s:
            raise UsageError(
                f"an order holds at most {settings.mode.order_most_s / 3600:g} h",
                hint="Give it again later, or raise mode.order_most_s.",
            )
        facts = _order(settings, arguments.order, clock.now() + seconds)
    if arguments.json:
        print_json(facts["mode"])
    else:
        print("\n".join(sentences(facts, clock.now())))
    return 0


def _order(settings: Settings, order: str, until: float) -> dict[str, Any]:
    """Leave the order in the store, wait until the node has taken it, and return its facts."""
    from kiezbox.cli._common import open_clock, read_facts
    from kiezbox.store import StoreWriter

    with StoreWriter(settings.store.path) as store:
        number = store.order(order, until, {})
        is_taken = _within(
            ANSWER_WITHIN_S, lambda: number not in [waiting.id for waiting in store.orders()]
        )
    if not is_taken:
        raise NotRunning(
            f"the node has not taken the order within {ANSWER_WITHIN_S:g} s",
            hint="The order is kept and will be taken when the node runs.",
        )
    taken_at = open_clock(settings).now()
    # The node's next word may be written already, or may change nothing: do not insist.
    _within(SHOWN_WITHIN_S, lambda: read_facts(settings)["written_at"] > taken_at)
    return read_facts(settings)


def _within(limit_s: float, is_so: Callable[[], bool]) -> bool:
    """Whether something becomes so within the limit."""
    machine, never = SystemClock(), threading.Event()
    limit = machine.monotonic() + limit_s
    while not is_so():
        if machine.monotonic() > limit:
            return False
        machine.wait(never, 0.05)
    return True


def sentences(facts: Mapping[str, Any], now: float) -> list[str]:
    """The mode in words: what, since when, why, what comes next."""
    mode = facts.get("mode") or {}
    lines = [f"{mode.get('name', 'unknown')}, for {words(now - mode.get('since', now))}"]
    for cause in mode.get("causes") or []:
        detail = f": {cause['detail']}" if cause.get("detail") else ""
        lines.append(f"  because {cause['cause']}{detail}, for {words(now - cause['since'])}")
    order = mode.get("order")
    if order:
        lines.append(f"  ordered: {order['mode']}, for another {words(order['until'] - now)}")
    if mode.get("wanted") and mode.get("wanted") != mode.get("name"):
        lines.append(f"  will be {mode['wanted']} in {words(mode.get('wanted_in_s') or 0)}")
    return lines


def words(seconds: float) -> str:
    """A duration as one reads it.

    >>> words(4000)
    '1 h 7 min'
    """
    seconds = max(0, round(seconds))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min"
    if seconds < 172_800:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} days"
