"""Whether the box can see the grid at all."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level


def run(box: Examined) -> Iterator[Finding]:
    sources = box.settings.power.grid
    if not sources:
        yield Finding(
            Level.NOTE,
            "this box has no grid sensing: it cannot notice a blackout by itself",
            "It is opened by its operator: kiezbox mode emergency --for 12h. To let it see the"
            " grid, wire a pin or a voltage and add a [power.grid.NAME] table.",
        )
        return
    grid = (box.facts or {}).get("grid")
    if not grid:
        return
    votes = grid.get("sources") or {}
    for name in sources:
        vote = votes.get(name, "silent")
        if vote == "silent":
            yield Finding(
                Level.WARNING,
                f"the grid source {name} says nothing",
                "Check its wiring; `kiezbox status` shows each source's vote.",
            )
    if len({vote for vote in votes.values() if vote != "silent"}) > 1:
        yield Finding(
            Level.WARNING,
            "the grid sources contradict each other: "
            + ", ".join(f"{name} says {vote}" for name, vote in sorted(votes.items())),
            "One of them is wired or configured the wrong way round (active_high, least_v).",
        )
    yield Finding(Level.FINE, f"the grid is {grid.get('state')}")
