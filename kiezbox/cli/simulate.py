"""How fast what one box knows is known by all, over LoRa: many boxes in simulated time.

  kiezbox simulate city [--boxes 1000] [--hours 24] [--settlement NAME] [--modem NAME] [--svg DIR]
  kiezbox simulate kiez [--nights 5] [--flood]

`city`: a day of outage in settlements that differ in density and loss, with LongFast, MediumFast
and ShortFast: per class of records how long it took until all had them, how much of the air it
took, and what was lost and why; with --svg a chart of each. `kiez`: twelve boxes that all hear each
other, 20 % of loss, MediumFast, in three nights: an alert; 200 posts that wait; two halves that
find each other again after six hours. Both run the exchange, the frames and the airtime budget that
a box runs, and nothing is sent anywhere. Why the numbers are as they are: docs/simulate.md.
"""

from __future__ import annotations

import os
from argparse import Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kiezbox.city.run import Seen

_CLASSES = ("official", "life", "safe", "bulletin", "message", "board", "numbers")


def main(argv: list[str]) -> int:
    """``kiezbox simulate city|kiez``."""
    from kiezbox.city.air import MODEMS
    from kiezbox.city.places import settlement_names
    from kiezbox.cli._common import Parser

    parser = Parser("simulate", __doc__)
    parser.add_argument("what", choices=["city", "kiez"])
    parser.add_argument("--boxes", type=int, help="1000 of a city, 12 of a Kiez")
    parser.add_argument("--hours", type=float, default=24.0, help="in which a city writes")
    parser.add_argument(
        "--settlement", action="append", choices=settlement_names(), help="all by default"
    )
    parser.add_argument(
        "--modem", action="append", choices=list(MODEMS), help="all in a city, MediumFast in a Kiez"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="districts at once")
    parser.add_argument("--svg", metavar="DIR", help="also draw charts into this folder")
    parser.add_argument("--nights", type=int, default=5, help="of a Kiez, each with another seed")
    parser.add_argument("--loss", type=float, default=0.2, help="of each packet in a Kiez, 0 to 1")
    parser.add_argument("--flood", action="store_true", help="also by the radio's own flooding")
    parser.add_argument("--seed", type=int, default=1, help="the same one gives the same figures")
    arguments = parser.parse_args(argv)
    if arguments.boxes is None:
        arguments.boxes = {"city": 1000, "kiez": 12}[arguments.what]
    if arguments.boxes < 2 or arguments.hours <= 0 or not 0 <= arguments.loss < 1:
        parser.error("two boxes or more, more than no hour, and a loss of 0 to below 1")
    return {"city": _city, "kiez": _kiez}[arguments.what](arguments)


def _city(arguments: Namespace) -> int:
    from kiezbox.city.air import MODEMS
    from kiezbox.city.places import settlement_named, settlement_names
    from kiezbox.city.run import run_city

    for settlement in arguments.settlement or settlement_names():
        for modem in arguments.modem or MODEMS:
            seen = run_city(
                settlement, modem, arguments.boxes, arguments.hours, arguments.seed,
                jobs=arguments.jobs,
            )  # fmt: skip
            title = f"{settlement_named(settlement).name}, {modem}"
            print("\n".join(_report(title, seen)), flush=True)
            if arguments.svg:
                _draw(arguments.svg, f"{settlement}-{modem}", title, seen)
    return 0


def _report(title: str, seen: Seen) -> Iterable[str]:
    yield (
        f"{title}: {seen.boxes} boxes in {seen.districts} district(s); a box hears"
        f" {seen.audible:.0f} others"
    )
    yield "  class      records   median      95 %     worst   everywhere   at its boxes"
    for priority, moments in sorted(seen.equal_s.items()):
        ordered = sorted(moments)
        share = sum(each < float("inf") for each in ordered) / len(ordered)
        yield (
            f"  {_CLASSES[priority]:9}{len(ordered):9}{_said(_at(ordered, 0.5)):>9}"
            f"{_said(_at(ordered, 0.95)):>10}{_said(ordered[-1]):>10}{share:12.2%}"
            f"{seen.came.get(priority, 0) / max(1, seen.wanted[priority]):15.2%}"
        )
    yield (
        f"  the channel is busy for a box {seen.busy:.1%} of the time; it sends {seen.duty:.2%},"
        f" the busiest one {seen.most_duty:.2%} (the law: 10 %)"
    )
    whole = sum(seconds for _, seconds in seen.kinds.values()) or 1.0
    shares = (f"{name} {packets:.0f} ({seconds / whole:.0%})"
              for name, (packets, seconds) in sorted(seen.kinds.items()))  # fmt: skip
    yield f"  packets, and their part of the airtime: {', '.join(shares)}"
    yield f"  {_losses(seen.heard, seen.collided, seen.deaf, seen.faded)}\n"


def _losses(heard: int, collided: int, deaf: int, faded: int) -> str:
    whole = max(1, heard + collided + deaf + faded)
    return (
        f"of what was meant for them boxes heard {heard / whole:.1%}; lost: {collided / whole:.1%}"
        f" collided, {deaf / whole:.1%} sent themselves, {faded / whole:.1%} too weak"
    )


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _said(seconds: float) -> str:
    if seconds == float("inf"):
        return "never"
    for most, unit, word in ((100, 1, "s"), (6000, 60, "min")):
        if seconds < most:
            return f"{seconds / unit:.1f} {word}"
    return f"{seconds / 3600:.1f} h"


def _draw(folder: str, name: str, title: str, seen: Seen) -> None:
    from kiezbox.city.chart import chart

    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{name}.svg")
    curves = {_CLASSES[each]: moments for each, moments in sorted(seen.equal_s.items())}
    with open(path, "w", encoding="utf-8") as file:
        file.write(chart(title, curves))
    print(f"  drawn: {path}\n")


def _kiez(arguments: Namespace) -> int:
    from kiezbox.city import kiez
    from kiezbox.city.flood import flooded

    how = {
        "boxes": arguments.boxes,
        "loss": arguments.loss,
        "modem": (arguments.modem or ["MediumFast"])[0],
    }
    for words, play in (
        ("an alert", kiez.alert),
        ("200 posts that wait", kiez.night),
        ("six hours apart, then together", kiez.healing),
    ):
        print(f"{words}:")
        for place in range(arguments.nights):
            seen = play(arguments.seed + place, **how)
            equal = ", ".join(
                f"{_CLASSES[each]} {_said(late)}" for each, late in sorted(seen.equal_s.items())
            )
            lasted_s = max([1.0, *(late for late in seen.equal_s.values() if late < float("inf"))])
            kinds = ", ".join(f"{name} {sent[0]:.0f}" for name, sent in sorted(seen.kinds.items()))
            print(
                f"  all equal: {equal}; {seen.packets} packets ({kinds}),"
                f" {seen.airtime_s / lasted_s:.1%} of the channel"
            )
            if play is kiez.night:
                print(f"    {seen.packets / 200:.2f} packets a post; "
                      + _losses(seen.heard, seen.collided, seen.deaf, seen.faded))  # fmt: skip
    if arguments.flood:
        print("the radio's own flooding of the same 200 posts, one every nine seconds:")
        for place in range(arguments.nights):
            flood = flooded(arguments.seed + place, **how)
            print(
                f"  {flood.packets / 200:.2f} packets a post, {flood.came:.2%} of the posts at"
                f" their boxes, {flood.everywhere:.1%} of them everywhere, {flood.busy:.1%} of"
                " the channel"
            )
    return 0
