"""Whether readings get away from the box."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.quality import SUFFIX


def run(box: Examined) -> Iterator[Finding]:
    if not box.settings.publishers:
        yield Finding(
            Level.NOTE,
            "this box publishes nothing: its readings stay on the box",
            "Add a [publishers.mqtt] table to send them somewhere.",
        )
    for name, table in box.settings.publishers.items():
        # Of some it is a list, of others a table: the names of sensors either way.
        named = [str(each) for each in table.get("sensors") or ()]
        missing = [each for each in named if each.removesuffix(SUFFIX) not in box.settings.sensors]
        if missing:
            yield Finding(
                Level.WARNING,
                f"{name}: this box has no sensor {', '.join(missing)}, so nothing of it is sent",
                f"kiezbox.toml has {', '.join(box.settings.sensors) or 'none'}.",
            )
    for name, publisher in ((box.facts or {}).get("publishers") or {}).items():
        link, backlog = publisher.get("link"), publisher.get("backlog")
        has_past = name not in box.without_past
        if link == "refused":
            waits = f"; {backlog} readings wait" if has_past else ""
            yield Finding(
                Level.BROKEN,
                f"{name}: the other side refuses us{waits}",
                "Password, certificate or topic rights: the node's log has the reason.",
            )
        elif not has_past:
            if link == "waiting":
                yield Finding(
                    Level.NOTE,
                    f"{name}: no link",
                    "It sends what is true when the link is back; what is measured until then"
                    " is not sent afterwards; it stays on the card (kiezbox readings export).",
                )
            else:
                yield Finding(Level.FINE, f"{name}: connected")
        elif link == "waiting":
            yield Finding(
                Level.NOTE,
                f"{name}: no link; {backlog} readings wait on the card",
                "Nothing is lost; they go out when the link is back.",
            )
        else:
            yield Finding(Level.FINE, f"{name}: connected, {backlog} readings to go")
