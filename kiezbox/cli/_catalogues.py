"""The catalogues as files: building them, comparing them, counting what a person has checked.

Needs Babel, which a box does not have: for developers, translators and tests.
"""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from kiezbox import i18n
from kiezbox.errors import KiezboxError, MissingPackage
from kiezbox.i18n import DEFAULT, LANGUAGES

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

__all__ = ["EVERYWHERE", "Share", "build", "compiled", "problems", "rooms", "share"]

#: The rooms that every language must have in full: what a frightened person needs first.
EVERYWHERE = ("now", "where", "help", "safe", "steps")

FOLDER = os.path.dirname(os.path.abspath(i18n.__file__))

#: The name in ``{name:02}``.
_PLACEHOLDER = re.compile(r"\{(\w*)[^{}]*\}")


class Share(NamedTuple):
    """How much of a room a language has: entries there should be, there are, and checked ones."""

    wanted: int
    present: int
    checked: int


def rooms() -> list[str]:
    """All rooms that have texts: those of German."""
    found = os.listdir(os.path.join(FOLDER, DEFAULT))
    return sorted(name[:-3] for name in found if name.endswith(".po"))


def path_of(language: str, room: str, kind: str = "po") -> str:
    return os.path.join(FOLDER, language, f"{room}.{kind}")


def read(language: str, room: str) -> Catalog | None:
    """The catalogue, or None if the language does not have the room.

    Raises:
        MissingPackage: Babel is not installed.
        KiezboxError: the file is no catalogue.
    """
    try:
        from babel.messages.pofile import PoFileError, read_po
    except ImportError as error:
        raise MissingPackage(
            "Babel is not installed", hint="pip install 'kiezbox[languages]'"
        ) from error
    try:
        with open(path_of(language, room), "rb") as file:
            # Without a locale: Babel would take de_simple for de.
            return read_po(file, abort_invalid=True)
    except FileNotFoundError:
        return None
    except (PoFileError, ValueError) as error:
        raise KiezboxError(
            f"{path_of(language, room)} is no catalogue: {error}",
            hint="Look at the line it names; msgfmt --check says more.",
        ) from error


def compiled(language: str, room: str) -> bytes | None:
    """The .mo of a catalogue, what is not checked included."""
    catalogue = read(language, room)
    if catalogue is None:
        return None
    from babel.messages.mofile import write_mo

    # Neither a date nor a program's name: the same texts give the same bytes.
    catalogue.header_comment = ""
    catalogue.mime_headers = [("Content-Type", "text/plain; charset=utf-8")]
    out = io.BytesIO()
    write_mo(out, catalogue, use_fuzzy=True)
    return out.getvalue()


def build() -> int:
    """Make every .mo that is not what its .po says; how many were made."""
    made = 0
    for language in LANGUAGES:
        for room in rooms():
            data = compiled(language, room)
            if data is not None and data != _content(path_of(language, room, "mo")):
                with open(path_of(language, room, "mo"), "wb") as file:
                    file.write(data)
                made += 1
    return made


def share(language: str, room: str) -> Share:
    """Counted against German."""
    source, catalogue = read(DEFAULT, room), read(language, room)
    keys = _entries(source)
    found = [m for m in catalogue or () if str(m.id) in keys and m.string]
    return Share(len(keys), len(found), sum(not m.fuzzy for m in found))


def problems(language: str, room: str) -> list[str]:
    """What is wrong with a catalogue: missing and unknown entries, other placeholders."""
    source, catalogue = read(DEFAULT, room), read(language, room)
    if source is None or catalogue is None:
        return [] if room not in EVERYWHERE else [f"{language}/{room}.po is missing"]
    wanted, given = _entries(source), _entries(catalogue)
    # "1 Tag", "{count} Tage": how many forms there are, and which of them names the number, is
    # each language's own.
    counted = {
        key.rpartition(".")[0]
        for key, text in wanted.items()
        if "count" in _PLACEHOLDER.findall(text)
    }
    counted = {name for name in counted if f"{name}.0" in wanted}

    def is_counted(key: str) -> bool:
        name, _, number = key.rpartition(".")
        return name in counted and number.isdecimal()

    found = []
    if room in EVERYWHERE or language in (DEFAULT, "en"):
        missing = {key for key in wanted.keys() - given.keys() if not is_counted(key)}
        missing |= {f"{name}.0" for name in counted if f"{name}.0" not in given}
        found += [f"{language}/{room}: {key} is missing" for key in missing]
    unknown = {key for key in given.keys() - wanted.keys() if not is_counted(key)}
    found += [f"{language}/{room}: {key} is unknown" for key in unknown]
    for key in wanted.keys() & given.keys():
        ours, theirs = (set(_PLACEHOLDER.findall(each[key])) for each in (wanted, given))
        if ours != theirs and not is_counted(key):
            found.append(f"{language}/{room}: {key} has {sorted(theirs)}, not {sorted(ours)}")
    return sorted(found)


def _entries(catalogue: Catalog | None) -> dict[str, str]:
    return {str(m.id): str(m.string) for m in catalogue or () if m.id and m.string}


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
