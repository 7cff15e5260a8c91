"""The catalogues as files: building them, comparing them, counting what a person has checked.

Needs Babel, which a box does not have: for developers, translators and tests.
"""

from __future__ import annotations

import collections
import functools
import io
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from kiezbox import i18n
from kiezbox.cli import _wordings
from kiezbox.errors import KiezboxError, MissingPackage
from kiezbox.i18n import DEFAULT, LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Catalog, Message

__all__ = [
    "EVERYWHERE", "SOURCES", "Share", "build", "checked_rooms", "compiled", "problems", "rooms",
    "share",
]  # fmt: skip

#: The rooms that every language must have in full: what a frightened person needs first.
EVERYWHERE = ("now", "where", "help", "safe", "steps", "codes", "warnings")

#: Written by people: complete in every room, and no entry is ``fuzzy``.
SOURCES = (DEFAULT, "en")

FOLDER = os.path.dirname(os.path.abspath(i18n.__file__))

#: The name in ``{name:02}``.
_PLACEHOLDER = re.compile(r"\{(\w*)[^{}]*\}")

_KEY = re.compile(r'^msgid "(.+)"$', re.MULTILINE)

#: A line of a catalogue: Babel also takes what lacks its quotes, and makes other words of it.
_LINE = re.compile(r"""(#.*|((msgid|msgstr) )?"([^"\\]|\\["\\nt])*"|)""")

_CHECKED = '''\
"""Made by ``kiezbox languages build``: rooms of which a person has checked every entry.

German and English are not listed: people wrote them.
"""

from __future__ import annotations

CHECKED: dict[str, tuple[str, ...]] = {lines}
'''


class Share(NamedTuple):
    """How much of a room a language has: entries there should be, there are, those a person has
    checked, and those that are there but say what German said once.
    """

    wanted: int
    present: int
    checked: int
    outdated: int = 0


def rooms() -> list[str]:
    """All rooms that have texts: those of German."""
    found = os.listdir(os.path.join(FOLDER, DEFAULT))
    return sorted(name[:-3] for name in found if name.endswith(".po"))


def path_of(language: str, room: str, kind: str = "po") -> str:
    return os.path.join(FOLDER, language, f"{room}.{kind}")


def read(language: str, room: str) -> Catalog | None:
    """The catalogue, or None if the language does not have the room. Not to be changed: who asks
    again is given the same.

    Raises:
        MissingPackage: Babel is not installed.
        KiezboxError: the file is no catalogue.
    """
    data = _content(path_of(language, room))
    return None if data is None else _parsed(path_of(language, room), data)


@functools.lru_cache(maxsize=1024)
def _parsed(path: str, data: bytes) -> Catalog:
    """``data``: what is in the file. Parsing costs Babel 20 ms, and German is asked for fourteen
    times.
    """
    try:
        from babel.messages.pofile import PoFileError, read_po
    except ImportError as error:
        raise MissingPackage(
            "Babel is not installed", hint="pip install 'kiezbox[languages]'"
        ) from error
    hint = "Look at the line it names; msgfmt --check says more."
    try:
        # Without a locale: Babel would take de_simple for de.
        catalogue = read_po(io.BytesIO(data), abort_invalid=True)
    except (PoFileError, ValueError) as error:
        why = str(error) or type(error).__name__
        raise KiezboxError(f"{path} is no catalogue: {why}", hint=hint) from error
    for number, line in enumerate(data.decode().splitlines(), 1):
        if not _LINE.fullmatch(line):
            raise KiezboxError(
                f"{path} is no catalogue: line {number}: {line}",
                hint='It must look like: msgstr "the words in quotes"',
            )
    # Babel takes the last of two without a word.
    counts = collections.Counter(_KEY.findall(data.decode()))
    if twice := [key for key, count in counts.items() if count > 1]:
        raise KiezboxError(f"{path} has {twice[0]} twice", hint=hint)
    return catalogue


class _Bare:
    """A catalogue's entries under the least of headers. Babel's own would tell when the file was
    read, and the same texts must give the same bytes.
    """

    charset = "utf-8"

    def __init__(self, catalogue: Catalog) -> None:
        from babel.messages.catalog import Message

        head = Message("", "Content-Type: text/plain; charset=utf-8\n")
        self._messages = [head, *(each for each in catalogue if each.id)]

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages)


def compiled(language: str, room: str) -> bytes | None:
    """The .mo of a catalogue, what is not checked included."""
    catalogue = read(language, room)
    if catalogue is None:
        return None
    from babel.messages.mofile import write_mo

    out = io.BytesIO()
    write_mo(out, _Bare(catalogue), use_fuzzy=True)  # type: ignore[arg-type]
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
    table = checked_rooms().encode()
    if table != _content(os.path.join(FOLDER, "checked.py")):
        with open(os.path.join(FOLDER, "checked.py"), "wb") as file:
            file.write(table)
        made += 1
    return made


def checked_rooms() -> str:
    """The text of ``i18n/checked.py``: the .mo does not know what a machine translated."""
    lines = ""
    for language in LANGUAGES:
        shares = {room: share(language, room) for room in rooms()}
        full = [room for room, each in shares.items() if each.checked == each.wanted]
        if full and language not in SOURCES:
            lines += f"    {language!r}: {tuple(full)!r},\n".replace("'", '"')
    return _CHECKED.replace("{lines}", f"{{\n{lines}}}" if lines else "{}")


def share(language: str, room: str) -> Share:
    """Counted against German."""
    source, catalogue = read(DEFAULT, room), read(language, room)
    wanted, counted = _entries(source), _counted(_entries(source))
    given = _entries(catalogue)
    checked = {str(m.id) for m in catalogue or () if not m.fuzzy}
    by_name: dict[str, list[str]] = {}
    for each in given:
        by_name.setdefault(each.rpartition(".")[0], []).append(each)

    def forms(key: str) -> list[str]:
        """The entries that stand for one of German's: those of a counted one have other numbers."""
        name, _, number = key.rpartition(".")
        if name in counted and number.isdecimal():
            return by_name.get(name, [])
        return [key] if key in given else []

    present = [key for key in wanted if forms(key)]
    full = [key for key in present if all(each in checked for each in forms(key))]
    return Share(len(wanted), len(present), len(full), len(_outdated(source, catalogue)))


def problems(language: str, room: str) -> list[str]:
    """What is wrong with a catalogue: missing and unknown entries, other placeholders, German that
    has changed since, and what ``_wordings`` finds in the words.
    """
    source, catalogue = read(DEFAULT, room), read(language, room)
    if source is None or catalogue is None:
        is_needed = room in EVERYWHERE or language in SOURCES
        return [f"{language}/{room}.po is missing"] if is_needed else []
    wanted, given = _entries(source), _entries(catalogue)
    counted = _counted(wanted)

    def is_counted(key: str) -> bool:
        name, _, number = key.rpartition(".")
        return name in counted and number.isdecimal()

    # What is there at all is whole: half a room in English is worse than all of it.
    missing = {key for key in wanted.keys() - given.keys() if not is_counted(key)}
    missing |= {f"{name}.0" for name in counted if f"{name}.0" not in given}
    found = [f"{key} is missing" for key in missing]
    unknown = {key for key in given.keys() - wanted.keys() if not is_counted(key)}
    found += [f"{key} is unknown" for key in unknown]
    for key in wanted.keys() & given.keys():
        ours, theirs = (set(_PLACEHOLDER.findall(each[key])) for each in (wanted, given))
        if ours != theirs and not is_counted(key):
            found.append(f"{key} has {sorted(theirs)}, not {sorted(ours)}")
    found += [f"{key}: German has changed since" for key in _outdated(source, catalogue)]
    if language in SOURCES:
        found += [f"{m.id} is fuzzy in a source" for m in catalogue if m.id and m.fuzzy]
    english = {} if language in SOURCES else _entries(read("en", room))
    for key, text in given.items():
        others = {wanted.get(key), english.get(key)} if language != DEFAULT else set()
        found += [f"{key} {each}" for each in _wordings.faults(language, text, others)]
    return sorted(f"{language}/{room}: {each}" for each in found)


def _counted(wanted: dict[str, str]) -> set[str]:
    """Names of counted entries. "1 Tag", "{count} Tage": how many forms there are, and which of
    them names the number, is each language's own.
    """
    names = {
        key.rpartition(".")[0]
        for key, text in wanted.items()
        if "count" in _PLACEHOLDER.findall(text)
    }
    return {name for name in names if f"{name}.0" in wanted}


def _outdated(source: Catalog | None, catalogue: Catalog | None) -> list[str]:
    """Entries whose comment, the German they were translated from, is not what German says now."""
    german = {key: text.split() for key, text in _entries(source).items()}
    return [
        str(m.id)
        for m in catalogue or ()
        if m.id and m.auto_comments
        and " ".join(m.auto_comments).split() != german.get(str(m.id))
    ]  # fmt: skip


def _entries(catalogue: Catalog | None) -> dict[str, str]:
    return {str(m.id): str(m.string) for m in catalogue or () if m.id and m.string}


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
