"""Words to say on the phone and to write on a slip: made, shown, and read however they are typed.

Four words out of 1,024 are 40 bits.
"""

from __future__ import annotations

import unicodedata
from functools import cache

__all__ = ["folded", "language_of", "lists", "shown", "stranger", "words_of"]

#: Letters that are one with others but do not come apart in Unicode's tables.
_ALIKE = str.maketrans(
    {"ß": "s", "ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "a", "œ": "o", "ک": "ك",
     "ی": "ي", "ى": "ي", "ة": "ه", "\u0640": None}
)  # fmt: skip

#: Two ways to spell an umlaut, and those who have none: Müller, Mueller, Muller.
_UMLAUTS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("ss", "s"))


def folded(typed: str) -> str:
    """Letters and digits alone, however they were typed: case, spaces, dashes, accents, umlauts.

    >>> folded("Hammer-Wolke, INSEL  Brot") == folded("hammerwolkeinselbrot")
    True
    >>> folded("Müller") == folded("Mueller") == folded("MULLER")
    True
    """
    # Taken apart before and after: what is bold or wide becomes a capital only then.
    apart = unicodedata.normalize("NFKD", typed).casefold()
    apart = unicodedata.normalize("NFKD", apart).translate(_ALIKE)
    letters = []
    for letter in apart:
        if letter.isdecimal():
            letters.append(str(unicodedata.decimal(letter)))
        elif letter.isalpha():
            letters.append(letter)
    text, before = "".join(letters), ""
    while text != before:
        before = text
        for written, meant in _UMLAUTS:
            text = text.replace(written, meant)
    return text


def language_of(language: str) -> str:
    """In which language the words are, for a page in this one: "de" or "en"."""
    return "de" if language in ("de", "de_simple") else "en"


@cache
def lists() -> dict[str, tuple[str, ...]]:
    """Language → its 1,024 words."""
    from kiezbox.sealing import words_de, words_en

    return {"de": tuple(words_de.WORDS.split()), "en": tuple(words_en.WORDS.split())}


def words_of(seed: bytes, language: str, count: int = 4) -> tuple[str, ...]:
    """``count`` words out of random bytes (16 or more); the same for the same bytes."""
    words = lists()[language_of(language)]
    number = int.from_bytes(seed, "big")
    found = []
    for _ in range(count):
        number, which = divmod(number, len(words))
        found.append(words[which])
    return tuple(found)


def shown(words: tuple[str, ...]) -> str:
    """As it stands on a slip: no line breaks it at the wrong place, and a double click takes it."""
    return " ".join(words)


def stranger(typed: str) -> str:
    """The first word typed that is in none of our lists; "" if all are, or it is no such list.

    It says nothing about what is stored: the lists are public.
    """
    ours = {folded(word) for words in lists().values() for word in words}
    parts = typed.replace("-", " ").replace(",", " ").split()
    if len(parts) < 2:
        return ""
    return next((part for part in parts if folded(part) not in ours), "")
