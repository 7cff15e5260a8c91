"""What every ``[sources.NAME]`` of kiezbox.toml has: where official warnings come from."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from kiezbox.settings.declaring import setting

__all__ = ["SourceSettings", "wrong_url"]

#: Hosts that are this very computer: a relay or a test may be asked without TLS.
_OURSELVES = ("127.0.0.1", "::1", "localhost")


def wrong_url(value: str) -> str:
    """What is wrong with an address to fetch from, or "".

    What comes without TLS may come from anybody on the way, and would be shown as official.

    >>> wrong_url("https://example.org/"), wrong_url("http://127.0.0.1:8000/")
    ('', '')
    """
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if not host:
        return "is no address: it begins with https://"
    if parts.scheme == "https" or (parts.scheme == "http" and host in _OURSELVES):
        return ""
    return "must begin with https://: without TLS anybody on the way could write warnings"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """What every source has; a driver's ``Settings`` adds its own."""

    driver: str = setting(
        "", help="The source: a file in kiezbox/sources/. Empty: the table's own name."
    )
    interval_s: float = setting(
        600.0, help="How often it is asked.", unit="s", least=60, most=86400
    )
    retry_least_s: float = setting(
        60.0,
        help="First pause after a failure; it doubles up to interval_s.",
        unit="s",
        least=1,
        most=3600,
    )
    timeout_s: float = setting(
        30.0, help="One answer must be here in full within so long.", unit="s", least=1, most=300
    )
    most_mib: int = setting(16, help="A longer answer is not taken.", unit="MiB", least=1, most=64)
    silent_s: float = setting(
        21600.0,
        help="A source that could not be asked for so long is a fault.",
        unit="s",
        least=60,
        most=2592000,
    )
