"""NINA: warnings of the federal warning system MoWaS, and of police, flood centres, DWD, KATWARN.

Asked is the public interface behind the app NINA and warnung.bund.de (version 3.1): a list for one
district (``dashboard/ARS.json``), or all of Germany's by provider (``mowas/mapData.json``, filtered
here), then each message of it once (``warnings/ID.json``, CAP 1.2 as JSON).

``ars`` is the Regionalschlüssel of the place: 12 digits, on the list of the Statistisches
Bundesamt; of the district level its last seven are zeros. There is no account and no key.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from kiezbox.errors import SourceError
from kiezbox.settings import SourceSettings, setting
from kiezbox.settings.sources import wrong_url
from kiezbox.sources import Found, OfficialWarning
from kiezbox.sources._cap import read_cap
from kiezbox.sources._web import Web

__all__ = ["Nina", "Settings", "open"]

#: What a text is written in that does not say so.
LANGUAGE = "de"

#: So many messages are fetched at one time; the others with the next one, a minute later.
MOST_MESSAGES = 60

#: No more is fetched after so many times timeout_s.
MOST_TIMEOUTS = 3

PROVIDERS = ("mowas", "dwd", "lhp", "police", "katwarn", "biwapp")

_ID = re.compile(r"[A-Za-z0-9._:-]{1,200}")
_DIGITS = re.compile(r"\d{5,12}")


def _wrong_ars(value: str) -> str:
    is_good = len(value) == 12 and value.isdecimal() and value.isascii()
    return "" if is_good else "is no Regionalschlüssel: it has twelve digits"


def _wrong_lists(value: tuple[str, ...]) -> str:
    wrong = [each for each in value if each not in ("dashboard", *PROVIDERS)]
    if not value or wrong:
        return f"must name some of: dashboard, {', '.join(PROVIDERS)}"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SourceSettings):
    url: str = setting("https://warnung.bund.de/api31/", help="Where to ask.", check=wrong_url)
    ars: str = setting(
        help="Regionalschlüssel of the place, twelve digits. The list of the district is asked\n"
        "for, and messages for one of its municipalities only are left out if this names another.",
        example="000000000000",
        check=_wrong_ars,
    )
    lists: tuple[str, ...] = setting(
        ("dashboard",),
        help="dashboard: what there is for the district, from all providers, a few kB. Or single\n"
        "providers with all of Germany, filtered here: mowas, dwd, lhp, police, katwarn, biwapp.",
        check=_wrong_lists,
    )
    leave_out: tuple[str, ...] = setting(
        (),
        help="Beginnings of identifiers that are not wanted: dwd. where the source dwd is on, too.",
    )


def open(settings: Settings, place: tuple[float, float] | None) -> Nina:
    """The source; nothing is asked yet."""
    return Nina(settings)


class _Entry(NamedTuple):
    """One line of a list. ``mark`` is another when the message is another; ``instead`` is what can
    be said of the message from the list alone. ``is_ours``: the list is for this place only.
    """

    mark: str
    instead: dict[str, Any]
    is_ours: bool


class _List(NamedTuple):
    tag: str
    modified: str
    entries: dict[str, _Entry]


class Nina:
    """See ``kiezbox.sources.Source``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = settings.url.rstrip("/") + "/"
        self.host = urlsplit(settings.url).hostname or ""
        self._web = Web(timeout_s=settings.timeout_s, most_bytes=settings.most_mib << 20)
        self._lists: dict[str, _List] = {}
        #: By identifier: the list's mark, and the message (None: it is not for this place).
        self._messages: dict[str, tuple[str, OfficialWarning | None]] = {}

    def fetch(self) -> Found:
        entries: dict[str, _Entry] = {}
        for name in self._settings.lists:
            for identifier, entry in self._list(name).items():
                entries.setdefault(identifier, entry)
        problems: list[str] = []
        self._fetch_messages(entries, problems)
        self._messages = {name: self._messages[name] for name in entries if name in self._messages}
        listed, warnings = set(), []
        for identifier, entry in entries.items():
            message = self._messages.get(identifier)
            if message is not None and message[1] is None:
                continue
            warning = message[1] if message else self._from_list(entry)
            listed |= {identifier, *([warning.identifier] if warning else [])}
            if warning is not None:
                warnings.append(warning)
        return Found(
            listed=frozenset(listed),
            warnings=tuple(warnings),
            problems=tuple(problems),
            is_whole=not problems,
        )

    def interrupt(self) -> None:
        self._web.interrupt()

    # --- inside ----------------------------------------------------------------------------------

    def _list(self, name: str) -> dict[str, _Entry]:
        """The entries of one list, those that are wanted, by identifier."""
        known = self._lists.get(name)
        is_ours = name == "dashboard"
        # The list is kept for districts: the last seven digits are zeros.
        path = (
            f"dashboard/{self._settings.ars[:5]}0000000.json" if is_ours else f"{name}/mapData.json"
        )
        found = self._web.get(
            self._url + path,
            tag=known.tag if known else "",
            modified=known.modified if known else "",
        )
        if not found.is_new and known is not None:
            return known.entries
        document = _json(found.body, self._url + path)
        if not isinstance(document, list):
            raise SourceError(f"{self._url}{path}: this is no list", kind="garbled")
        entries: dict[str, _Entry] = {}
        for each in document:
            identifier = each.get("id") if isinstance(each, Mapping) else None
            # It becomes part of a path.
            if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
                continue
            if not identifier.startswith(self._settings.leave_out):
                entries[identifier] = _Entry(_mark(each), _summary(each), is_ours)
        self._lists[name] = _List(found.tag, found.modified, entries)
        return entries

    def _fetch_messages(self, entries: Mapping[str, _Entry], problems: list[str]) -> None:
        """Fetch those that are new; one that cannot be had costs none of the others."""
        left, until = MOST_MESSAGES, time.monotonic() + MOST_TIMEOUTS * self._settings.timeout_s
        for identifier, entry in entries.items():
            if self._messages.get(identifier, ("", None))[0] == entry.mark:
                continue
            left -= 1
            if left < 0 or time.monotonic() > until:
                problems.append("more messages than are fetched at one time; the others follow")
                break
            url = f"{self._url}warnings/{quote(identifier, safe='')}.json"
            try:
                document = _json(self._web.get(url).body, url)
                self._messages[identifier] = entry.mark, self._read(document, is_ours=entry.is_ours)
            except SourceError as error:
                problems.append(str(error))
                self._messages.pop(identifier, None)

    def _read(self, document: Any, *, is_ours: bool) -> OfficialWarning | None:
        codes = _area_codes(document)
        # The district's list has messages for each of its municipalities. Those of the list of
        # all of Germany that do not say where they are for are for somewhere else.
        if codes and not any(_covers(code, self._settings.ars) for code in codes):
            return None
        if not codes and not is_ours:
            return None
        return read_cap(document, language=LANGUAGE)

    def _from_list(self, entry: _Entry) -> OfficialWarning | None:
        """A headline without the message behind it is more than nothing."""
        if not entry.is_ours:
            return None
        try:
            return read_cap(entry.instead, language=LANGUAGE)
        except SourceError:
            return None


def _json(body: bytes, url: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{url}: this is not JSON", kind="garbled") from error


def _mark(entry: Mapping[str, Any]) -> str:
    payload = entry.get("payload")
    inner = payload if isinstance(payload, Mapping) else {}
    parts = (entry.get("version"), inner.get("version"), inner.get("hash"), entry.get("sent"))
    return "\0".join(str(part)[:100] for part in (*parts, entry.get("startDate")))


def _summary(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A CAP message out of one line of a list, as far as that goes."""
    payload = entry.get("payload")
    inner = payload if isinstance(payload, Mapping) else {}
    data = inner.get("data") if isinstance(inner.get("data"), Mapping) else {}
    assert isinstance(data, Mapping)
    titles = entry.get("i18nTitle")
    titles = titles if isinstance(titles, Mapping) else {}
    keys = data.get("transKeys") or entry.get("transKeys")
    code = keys.get("event") if isinstance(keys, Mapping) else None
    shared = {
        "severity": data.get("severity") or entry.get("severity"),
        "urgency": entry.get("urgency"),
        "onset": entry.get("onset"),
        "expires": entry.get("expires") or entry.get("expiresDate"),
        "senderName": data.get("provider"),
        "eventCode": [{"valueName": "profile:DE-BBK-EVENTCODE", "value": code}],
    }
    headlines = {str(name): title for name, title in titles.items()}
    if not headlines:
        headlines = {LANGUAGE: data.get("headline")}
    return {
        "identifier": entry.get("id"),
        "sent": entry.get("sent") or entry.get("startDate"),
        "msgType": data.get("msgType") or entry.get("type"),
        "info": [{**shared, "language": n, "headline": h} for n, h in headlines.items()],
    }


def _area_codes(document: Any) -> list[str]:
    """All Regionalschlüssel that a message says it is for (parameter warnVerwaltungsbereiche)."""
    infos = document.get("info") if isinstance(document, Mapping) else None
    found: list[str] = []
    for info in infos if isinstance(infos, list) else []:
        parameters = info.get("parameter") if isinstance(info, Mapping) else None
        for each in parameters if isinstance(parameters, list) else []:
            if isinstance(each, Mapping) and each.get("valueName") == "warnVerwaltungsbereiche":
                found += _DIGITS.findall(str(each.get("value", ""))[:40_000])
    return found


def _covers(code: str, ars: str) -> bool:
    """Whether an area's key is that of the place, of something around it or of something in it.

    The zeros at the end of a key stand for "all of it": 2 digits are a Land, 5 a district, 12 a
    municipality.

    >>> _covers("140000000000", "146250020020"), _covers("146250030030", "146250020020")
    (True, False)
    """
    levels = (0, 2, 3, 5, 9, 12)
    size = next(n for n in levels if not code[n:].strip("0"))
    own = next(n for n in levels if not ars[n:].strip("0"))
    size = min(size, own)
    return code[:size] == ars[:size]
