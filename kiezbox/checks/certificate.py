"""Whether the portal's https certificate is good, and for how long."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level

#: Below this, somebody should look why it was not renewed: renewal is tried from 30 days on.
SOON_DAYS = 20


def run(box: Examined) -> Iterator[Finding]:
    name, standing = box.settings.network.certificate.name, box.certificate
    if not name or standing is None:
        return
    if not standing.is_valid:
        yield Finding(Level.WARNING, f"the certificate for {name} {standing.reason}", standing.hint)
    elif standing.expires_at is not None:
        days = int((standing.expires_at - box.clock.now()) // 86400)
        yield Finding(
            Level.WARNING if days < SOON_DAYS else Level.FINE,
            f"the certificate for {name} is good for {days} more days",
            "kiezbox certificate renew, while there is an uplink.",
        )
