"""What must not leave the box in a bug report, and what stands in its place.

Twice careful: what is known to be secret (the contents of files that settings name) is replaced
wherever it turns up, in the spellings in which programs print it; and what looks private (hardware
addresses, addresses, names of WLANs, mail addresses, passwords in URLs) is replaced by its looks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import os
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["Redactor", "secret_words"]

SECRET = "«secret»"

#: Shorter words would tear holes into every sentence, and are no secrets.
LEAST_LETTERS = 4

#: Keys of settings and of JSON whose value is never shown, whatever it is.
_SECRET_KEY = re.compile(r"(pass(word|phrase|wd)?|secret|token|psk|key|credentials?|pin_code)$")

#: Keys whose value is a person's or a place's.
_PLACE_KEYS = frozenset({"latitude", "longitude"})

_MAC = re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
_IPV6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Za-z:])")
_URL_LOGIN = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/@\"']+@", re.I)
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_ASSIGNED = re.compile(
    r"(?i)\b((?:sae_|wpa_)?(?:pass(?:word|phrase|wd)?|secret|token|psk)\s*[=:]\s*)(\"[^\"]*\"|\S+)"
)
#: As wpa_supplicant, hostapd and iw print them.
_SSID = re.compile(
    r"""(?i)\b(ssid\s*[=:]?\s*)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s"'][^\n]*)"""
)
#: A person's name, mostly.
_HOME = re.compile(r"/home/[^/\s\"':]+")
#: What dnsmasq says of guests, their names included; our own one is told to be quiet.
_DHCP = re.compile(r"\b(DHCP[A-Z0-9-]+\([^)\n]*\)).*")


class Redactor:
    """``secrets`` are words that may appear nowhere; ``addresses`` and ``names`` are the box's own
    and may. What is replaced by its looks gets the same word each time within one bundle, and
    another one in the next."""

    def __init__(
        self, secrets: Iterable[str], *, addresses: Iterable[str] = (), names: Iterable[str] = ()
    ) -> None:
        spellings = {each for word in secrets for each in _spellings(word)}
        # The longest first: a word may be part of another.
        ordered = sorted(filter(None, spellings), key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self._addresses = {ipaddress.ip_address(each) for each in addresses}
        self._names = set(names)
        self._salt = os.urandom(16)

    def text(self, text: str) -> str:
        """The text without what must not leave the box."""
        # What is known goes first, before anything else cuts it into pieces; and once more, in
        # case taking something out has put it together.
        text = self._without_secrets(text)
        text = _URL_LOGIN.sub(rf"\1{SECRET}@", text)
        text = _ASSIGNED.sub(rf"\1{SECRET}", text)
        text = _DHCP.sub(r"\1 «about a guest»", text)
        text = _SSID.sub(self._ssid, text)
        text = _MAIL.sub("«mail address»", text)
        text = _HOME.sub("/home/«user»", text)
        text = _MAC.sub(self._mac, text)
        text = _IPV6.sub(self._address, text)
        text = _IPV4.sub(self._address, text)
        return self._without_secrets(text)

    def json(self, document: Any) -> str:
        """The same for facts: values of telling keys go, whatever they look like."""
        shown = json.dumps(_without_values(document), ensure_ascii=False, indent=2, default=str)
        return self.text(shown)

    def is_clean(self, text: str) -> bool:
        """Whether nothing that is known to be secret stands in it."""
        return self._secrets is None or not self._secrets.search(text)

    def _without_secrets(self, text: str) -> str:
        return self._secrets.sub(SECRET, text) if self._secrets else text

    def _mark(self, value: str) -> str:
        return hmac.new(self._salt, value.lower().encode(), hashlib.sha256).hexdigest()[:6]

    def _mac(self, found: re.Match[str]) -> str:
        return f"«device {self._mark(found[0].replace('-', ':'))}»"

    def _ssid(self, found: re.Match[str]) -> str:
        bare = found[2].strip("'\" ")
        return found[0] if bare in self._names else f"{found[1]}«WLAN {self._mark(bare)}»"

    def _address(self, found: re.Match[str]) -> str:
        try:
            address = ipaddress.ip_address(found[0])
        except ValueError:
            return found[0]
        if address in self._addresses or not _is_somebody_s(address):
            return found[0]
        return f"«address {self._mark(str(address))}»"


def _is_somebody_s(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether it could tell a person or a house. Networks end in zeros, and tell neither."""
    if address.is_loopback or address.is_multicast or address.is_unspecified:
        return False
    packed = address.packed
    is_network = packed[-1] == 0 if address.version == 4 else packed[8:] == bytes(8)
    # Of a netmask nobody is called.
    return not is_network and not (address.version == 4 and packed[0] == 255)


def _without_values(document: Any) -> Any:
    if isinstance(document, Mapping):
        return {
            key: SECRET
            if value and isinstance(value, (str, int)) and _SECRET_KEY.search(str(key))
            else _rough(value)
            if key in _PLACE_KEYS
            else _without_values(value)
            for key, value in document.items()
        }
    if isinstance(document, (list, tuple)):
        return [_without_values(each) for each in document]
    return document


def _rough(value: Any) -> Any:
    """A tenth of a degree: which city, not which house."""
    return round(value, 1) if isinstance(value, (int, float)) else value


def _spellings(word: str) -> Iterator[str]:
    """A secret as programs print it: plain, in JSON, in a URL, in base64, in hexadecimal, escaped
    as Python and systemd do."""
    word = word.strip()
    if len(word) < LEAST_LETTERS:
        return
    raw = word.encode("utf-8", "surrogateescape")
    yield word
    yield json.dumps(word)[1:-1]
    yield json.dumps(word, ensure_ascii=False)[1:-1]
    yield repr(word)[1:-1]
    yield urllib.parse.quote(raw, safe="")
    yield urllib.parse.quote(raw)
    yield urllib.parse.quote_plus(raw)
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield raw.hex()
    yield raw.hex().upper()


def secret_words(content: str) -> Iterator[str]:
    """What is secret in a file that holds secrets: all of it, each line, what stands behind = or :
    in one. Lines that only say what follows (PEM, comments) are not."""
    yield content
    for line in content.splitlines():
        line = line.strip()
        if line.startswith(("-----", "#", ";", "[")):
            continue
        yield line
        for sign in ("=", ":"):
            name, found, value = line.partition(sign)
            if found and re.fullmatch(r"[\w. -]+", name):
                yield value.strip().strip("\"'")
