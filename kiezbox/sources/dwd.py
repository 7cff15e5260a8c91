"""DWD: official weather warnings as open data of the Deutscher Wetterdienst, CAP 1.2 as XML.

Asked is one file, a ZIP with all warnings that hold just now (a "STATUS" product), each in eight
languages (MUL): https://opendata.dwd.de/weather/alerts/cap/. A single CAP message without ZIP is
taken, too, so any other service that publishes CAP can be asked the same way.

Which warnings are for this place: those that name one of ``cells`` (WARNCELLID; the list
"cap_warncellids_csv.csv" of the DWD has them: 8… municipalities, 7… districts of large cities,
1… counties), or without ``cells``, those whose polygon the box's own place (``[box]``) lies in.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from kiezbox.errors import SettingsError, SourceError
from kiezbox.settings import SourceSettings, setting
from kiezbox.settings.sources import wrong_url
from kiezbox.sources import Found, OfficialWarning
from kiezbox.sources._cap import is_around, read_cap
from kiezbox.sources._web import Web
from kiezbox.sources._xml import read_xml

__all__ = ["Dwd", "Settings", "open"]

#: CAP 1.2, 3.2.2: what a text is written in that does not say so. The DWD's do.
LANGUAGE = "en"

#: Of one ZIP, and bytes of one message: a warning for all of the country in eight languages has
#: half a million.
MOST_MEMBERS, MOST_MEMBER_BYTES = 5000, 8 << 20


def _wrong_cells(value: tuple[str, ...]) -> str:
    wrong = [each for each in value if not (each.isascii() and each.isdecimal())]
    return f"holds no WARNCELLID, which has nine digits: {wrong[0]!r}" if wrong else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SourceSettings):
    url: str = setting(
        "https://opendata.dwd.de/weather/alerts/cap/", help="Where to ask.", check=wrong_url
    )
    product: str = setting(
        "COMMUNEUNION_DWD_STAT/Z_CAP_C_EDZW_LATEST_PVW_STATUS_PREMIUMDWD_COMMUNEUNION_MUL.zip",
        help="Which file below that address: MUL at the end has eight languages, DE one.",
    )
    cells: tuple[str, ...] = setting(
        (),
        help="WARNCELLIDs of the place, in quotes. None: by the polygon that the box lies in.",
        example=("900000000",),
        check=_wrong_cells,
    )


def open(settings: Settings, place: tuple[float, float] | None) -> Dwd:
    """The source; nothing is asked yet.

    Raises:
        SettingsError: neither cells nor a place.
    """
    if not settings.cells and place is None:
        raise SettingsError(
            "sources: dwd knows neither cells nor where the box stands",
            hint="Set cells, or latitude and longitude in [box].",
        )
    return Dwd(settings, place)


class Dwd:
    """See ``kiezbox.sources.Source``."""

    def __init__(self, settings: Settings, place: tuple[float, float] | None) -> None:
        self._settings = settings
        self._place = place
        self._url = urljoin(settings.url.rstrip("/") + "/", settings.product)
        self.host = urlsplit(self._url).hostname or ""
        self._web = Web(timeout_s=settings.timeout_s, most_bytes=settings.most_mib << 20)
        self._tag = self._modified = ""
        self._found: Found | None = None

    def fetch(self) -> Found:
        answer = self._web.get(self._url, tag=self._tag, modified=self._modified)
        if not answer.is_new and self._found is not None:
            return self._found
        warnings: dict[str, OfficialWarning] = {}
        problems: list[str] = []
        for name, data in self._messages(answer.body, problems):
            # Looked for before anything is parsed: a stormy day's file has hundreds of messages.
            if self._settings.cells and not any(c.encode() in data for c in self._settings.cells):
                continue
            try:
                warning = read_cap(
                    read_xml(data, "alert"), language=LANGUAGE, is_here=self._is_here
                )
            except SourceError as error:
                problems.append(f"{name}: {error}")
                continue
            if warning is not None:
                warnings[warning.identifier] = warning
        self._tag, self._modified = answer.tag, answer.modified
        self._found = Found(
            listed=frozenset(warnings),
            warnings=tuple(warnings.values()),
            problems=tuple(problems),
            is_whole=not problems,
        )
        return self._found

    def interrupt(self) -> None:
        self._web.interrupt()

    # --- inside ----------------------------------------------------------------------------------

    def _messages(self, body: bytes, problems: list[str]) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of each message; one at a time, so that they need not all fit."""
        if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
            yield "message", body
            return
        try:
            archive = zipfile.ZipFile(io.BytesIO(body))
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            raise SourceError(
                f"{self._url}: neither ZIP nor CAP: {error}", kind="garbled"
            ) from error
        with archive:
            members = [each for each in archive.infolist() if each.filename.endswith(".xml")]
            if len(members) > MOST_MEMBERS:
                problems.append(f"{len(members)} messages, of which {MOST_MEMBERS} are read")
            for member in members[:MOST_MEMBERS]:
                name = member.filename[-80:]
                try:
                    with archive.open(member) as file:
                        # What a member says of its size is its own word.
                        data = file.read(MOST_MEMBER_BYTES + 1)
                except (
                    zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError,
                ) as error:  # fmt: skip
                    problems.append(f"{name}: {error}")
                    continue
                if len(data) > MOST_MEMBER_BYTES:
                    problems.append(f"{name}: more than {MOST_MEMBER_BYTES >> 20} MiB")
                    continue
                yield name, data

    def _is_here(self, area: Mapping[str, Any]) -> bool:
        if not self._settings.cells:
            return self._place is not None and is_around(area, self._place)
        for code in area.get("geocode", ()):
            if isinstance(code, Mapping) and code.get("valueName") == ["WARNCELLID"]:
                if any(cell in self._settings.cells for cell in code.get("value", ())):
                    return True
        return False
