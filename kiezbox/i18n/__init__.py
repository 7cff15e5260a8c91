"""What residents read: gettext catalogues, a folder per language, a file per room of the portal.

``de/now.po`` is a text file anybody can translate; ``de/now.mo`` is the same for machines, made by
``kiezbox languages build`` and kept in the repository, because a box has no Babel (a test holds the
two equal). Entries are named by keys: ``causes.grid_lost.0`` is the headline of a power cut.
German is the source; ``#, fuzzy`` marks what a machine translated and nobody has checked.

The reader here is the few lines that a box needs: ``gettext`` costs 8 ms of import, and the first
page has ten in all.
"""

from __future__ import annotations

import sys

from kiezbox.i18n.checked import CHECKED
from kiezbox.i18n.figures import FIGURES, filled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = [
    "DEFAULT", "FALLBACK", "LANGUAGES", "RIGHT_TO_LEFT", "is_checked", "is_language", "lang_of",
    "language_of", "text_of",
]  # fmt: skip

#: Each language (its folder, and its name in the path) by its own name, in the order of the links.
LANGUAGES = {
    "de": "Deutsch",
    "de_simple": "Leichte Sprache",
    "en": "English",
    "tr": "Türkçe",
    "ar": "العربية",
    "uk": "Українська",
    "ru": "Русский",
    "pl": "Polski",
    "vi": "Tiếng Việt",
    "fa": "فارسی",
    "ro": "Română",
    "fr": "Français",
    "es": "Español",
    "it": "Italiano",
}

RIGHT_TO_LEFT = ("ar", "fa")

#: For those who say nothing of their language, and for those who say one that is not here.
DEFAULT, FALLBACK = "de", "en"

#: Written by people, not by a machine.
_WRITTEN = (DEFAULT, FALLBACK)

#: What stands in for an entry that a language does not have.
_INSTEAD = {"de_simple": ("de",), "de": (), "en": ("de",)}

#: What a browser's voice and its hyphens go by (BCP 47), where it is not the folder's name.
_LANG = {"de_simple": "de-simple"}

_loaded: dict[tuple[str, str], dict[str, Any]] = {}

#: So many of them are kept, of two hundred and more: a street speaks a few languages in a night,
#: and loading one anew costs a millisecond. All of them would take six MiB.
MOST_LOADED = 64


def is_language(name: str) -> bool:
    """Whether there are catalogues under this name."""
    return name in LANGUAGES


def lang_of(language: str) -> str:
    """For the attribute ``lang``."""
    return _LANG.get(language, language)


def is_checked(language: str, rooms: Iterable[str]) -> bool:
    """Whether people wrote or checked every text of these rooms in this language."""
    return language in _WRITTEN or all(room in CHECKED.get(language, ()) for room in rooms)


def text_of(language: str, room: str = "now") -> dict[str, Any]:
    """A room's texts in a language out of ``LANGUAGES``: keys with dots are tables in tables, and
    tables whose keys are numbers are tuples. The figures of ``FIGURES`` are in them; numbers to
    call are not, because they are the country's (``portal.countries.text_here``).
    """
    found = _loaded.get((language, room))
    if found is None:
        flat: dict[str, str] = {}
        for each in (*reversed(_INSTEAD.get(language, ("en", "de"))), language):
            entries = entries_of(each, room)
            # A list is one language's: "{count} ч" has no second form, and English must not lend
            # it one ("2 hours").
            if flat:
                lists = set(map(_list_of, entries))
                flat = {key: text for key, text in flat.items() if _list_of(key) not in lists}
            flat.update(entries)
        found = nested({key: filled(text, FIGURES) for key, text in flat.items()})
        # Several threads come here. A list of the keys is made in one step, and a pop may miss.
        for oldest in [*_loaded][: len(_loaded) + 1 - MOST_LOADED]:
            _loaded.pop(oldest, None)
        _loaded[language, room] = found
    return found


def _list_of(key: str) -> str:
    """The list that an entry is a part of, or its own name if it is of none."""
    name, _, number = key.rpartition(".")
    return name if number.isdecimal() else key


def entries_of(language: str, room: str) -> dict[str, str]:
    """The entries of one catalogue (.mo), by their keys; none if there is no such file.

    Raises:
        OSError: it is there and cannot be read just now (no descriptors, a card that stutters).
    """
    # No file of ours is opened by name: the package may lie in an archive.
    folder = __file__.rpartition("/")[0]
    try:
        data = __loader__.get_data(f"{folder}/{language}/{room}.mo")  # type: ignore[name-defined]
    except FileNotFoundError:
        return {}
    return read_mo(data)


def read_mo(data: bytes) -> dict[str, str]:
    """GNU gettext's binary form ("The Format of GNU MO Files"), without contexts and plurals.

    Raises:
        ValueError: it is none.
    """
    order = {b"\xde\x12\x04\x95": "little", b"\x95\x04\x12\xde": "big"}.get(data[:4])
    if order is None:
        raise ValueError("not a catalogue of messages")

    def numbers(at: int, count: int) -> list[int]:
        words = memoryview(data)[at : at + 4 * count]
        if order != sys.byteorder:
            words = memoryview(
                b"".join(bytes(words[n : n + 4])[::-1] for n in range(0, 4 * count, 4))
            )
        return list(words.cast("I"))

    _, _, count, keys, values = numbers(0, 5)
    texts = []
    for table in (keys, values):
        places = iter(numbers(table, 2 * count))
        texts.append(
            [data[at : at + size].decode() for size, at in zip(places, places, strict=True)]
        )
    found = dict(zip(*texts, strict=True))
    found.pop("", None)
    return found


def nested(flat: dict[str, str]) -> dict[str, Any]:
    """Tables of tables out of keys with dots.

    >>> nested({"a.0": "x", "a.1": "y", "b.c": "z"})
    {'a': ('x', 'y'), 'b': {'c': 'z'}}
    """
    root: dict[str, Any] = {}
    #: By the key above: the first page waits for this, and most keys stand beside their like.
    tables = {"": root}
    for key, value in flat.items():
        above, _, last = key.rpartition(".")
        table = tables.get(above)
        if table is None:
            table = root
            for name in above.split("."):
                table = table.setdefault(name, {})
            tables[above] = table
        table[last] = value
    return {name: _shaped(each) for name, each in root.items()}


def _shaped(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    made = {name: _shaped(each) if isinstance(each, dict) else each for name, each in value.items()}
    if all(map(str.isdecimal, made)):
        return tuple(made[name] for name in sorted(made, key=int))
    return made


def language_of(accept_language: str) -> str:
    """The best of ``LANGUAGES`` for an ``Accept-Language`` header (RFC 9110, 12.5.4).

    >>> language_of("en;q=0.3, de-AT;q=0.7"), language_of("ja"), language_of("")
    ('de', 'en', 'de')
    """
    best, most = "", 0.0
    for each in accept_language[:500].lower().split(","):
        name, _, weight = each.partition(";")
        primary = name.strip().partition("-")[0]
        try:
            wanted = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if primary in LANGUAGES and most < wanted <= 1:
            best, most = primary, wanted
    return best or (FALLBACK if accept_language.strip(" *") else DEFAULT)
