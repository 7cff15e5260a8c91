"""Whether readings get away from the box."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level


def run(box: Examined) -> Iterator[Finding]:
    if not box.settings.publishers:
        yield Finding(
            Level.NOTE,
            "this box publishes nothing: its readings stay on the box",
            "Add a [publishers.mqtt] table to send them somewhere.",
        )
    for name, publisher in ((box.facts or {}).get("publishers") or {}).items():
        link, backlog = publisher.get("link"), publisher.get("backlog")
        if link == "refused":
            yield Finding(
                Level.BROKEN,
                f"{name}: the other side refuses us; {backlog} readings wait",
                "Password, certificate or topic rights: the node's log has the reason.",
            )
        elif link == "waiting":
            yield Finding(
                Level.NOTE,
                f"{name}: no link; {backlog} readings wait on the card",
                "Nothing is lost; they go out when the link is back.",
            )
        else:
            yield Finding(Level.FINE, f"{name}: connected, {backlog} readings to go")
