"""To whom a consent is given: a publisher of kiezbox.toml, and whither it sends.

Its words are those of kiezbox.toml, so that whoever agrees can be shown them and whoever looks can
compare: ``driver = "mqtt", host = "mqtt.example.org", port = 8883``. They stand in the ledger
beside the consent. As soon as the settings say something else, it is another recipient, to whom
nobody has agreed.

A setting counts unless it stands in ``NOT_WHOM``: of one that a new publisher brings along and that
nobody thought of here, a change stops the consent instead of slipping through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["NOT_WHOM", "PORTAL", "Recipient", "astray_words", "recipient_of", "recipients_of"]

#: The public pages of the box itself, as a recipient beside the publishers.
PORTAL = "portal"

#: Settings of publishers that say how something is sent, not whither. A login is the same owner's
#: with another password, and an authority or a certificate may be replaced every year.
NOT_WHOM = frozenset(
    {
        "batch", "retry_least_s", "retry_most_s", "keepalive_s", "neighbours", "prefix", "silent_s",
        "username", "password_file", "token_file", "ca_file", "cert_file", "key_file", "api",
        "sensors", "interval_s", "modem", "data_rate", "confirmed", "airtime_s_per_day",
        "ledger", "payload",
    }
)  # fmt: skip

_PART = re.compile(r"(?:, )?(\w+) = ")

#: First, because it is what people understand.
_FIRST = ("owner", "driver")


class Recipient(NamedTuple):
    """``name``: of the table in kiezbox.toml, or ``PORTAL``; ``address``: in words, see above."""

    name: str
    address: str

    @property
    def words(self) -> str:
        """For people: name and address."""
        if self.name == PORTAL:
            return "portal: the public pages of this box"
        return f"{self.name}: {self.address}"


def recipient_of(name: str, table: Mapping[str, Any]) -> Recipient:
    """Of ``[publishers.NAME]``, a table of kiezbox.toml as it stands there.

    >>> recipient_of("study", {"driver": "mqtt", "host": "mqtt.example.org", "batch": 5}).words
    'study: driver = "mqtt", host = "mqtt.example.org"'
    """
    if name == PORTAL:
        return Recipient(PORTAL, "")
    said = {key: value for key, value in table.items() if key not in NOT_WHOM and value != ""}
    said["driver"] = table.get("driver") or name
    keys = [key for key in _FIRST if key in said] + sorted(set(said) - set(_FIRST))
    return Recipient(name, ", ".join(f"{key} = {_value(said[key])}" for key in keys))


def recipients_of(publishers: Mapping[str, Mapping[str, Any]]) -> dict[str, Recipient]:
    """All that there are now, by name."""
    found = {name: recipient_of(name, table) for name, table in publishers.items()}
    return {**found, PORTAL: recipient_of(PORTAL, {})}


def astray_words(number: int, address: str, now: Recipient | None) -> str:
    """Why nothing goes out by a consent that nobody has ended, and what to do. ``address``: the one
    it was given for; ``now``: its recipient in kiezbox.toml.
    """
    if now is None:
        return f"kiezbox.toml has no such publisher any more: `kiezbox consent revoke {number}`"
    was, said = _parts(address), _parts(now.address)
    changed = [
        f"{key} was {was.get(key, 'not set')} and is {said.get(key, 'not set')} now"
        for key in [*was, *(set(said) - set(was))]
        if was.get(key) != said.get(key)
    ]
    why = "; ".join(changed) if address else f"it does not say to which address ({now.address} now)"
    return (
        f"{why}. Ask whoever lives there again: `kiezbox consent renew {number}`, or end it:"
        f" `kiezbox consent revoke {number}`"
    )


def _parts(address: str) -> dict[str, str]:
    """Setting → value, as they stand there.

    >>> _parts('driver = "mqtt", host = "a, b", port = 8883')
    {'driver': '"mqtt"', 'host': '"a, b"', 'port': '8883'}
    """
    found: dict[str, str] = {}
    while match := _PART.match(address):
        try:
            _, end = json.JSONDecoder().raw_decode(address, match.end())
        except ValueError:
            break
        found[match[1]] = address[match.end() : end]
        address = address[end:]
    return found


def _value(value: Any) -> str:
    """Quoted, so that no value can look like another setting."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
