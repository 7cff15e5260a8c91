"""What strangers write, made safe to show and looked at before it is taken.

``clean`` takes out what is invisible or turns the line round; ``find_links``, ``find_number``,
``seems_official`` and ``Blocked`` look at ``skeleton``: the text as an eye reads it, whatever
letters it is put together from (Unicode UAX #15 for the forms, UTS #39 for the idea).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from kiezbox.situation import plain_text

__all__ = [
    "MOST_LINES", "MOST_MARKS", "Blocked", "clean", "find_link", "find_number", "has_something",
    "seems_official", "signs", "skeleton",
]  # fmt: skip

#: Marks on one letter: Vietnamese and Arabic need two, Hebrew and Tibetan up to four.
MOST_MARKS = 4

#: A post is no column of empty lines.
MOST_LINES = 12

#: What plain_text leaves and no word needs: soft hyphen, blanks that look like nothing (Hangul
#: fillers, braille's, Khmer's inherent vowels), variation selectors that are no emoji's, tags,
#: musical controls, shorthand's, interlinear notes, the object replacement character.
_NOTHING = dict.fromkeys(
    [
        0xAD, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180E, 0x2800, 0x3164,
        0xFFA0, 0xFFF9, 0xFFFA, 0xFFFB, 0xFFFC, *range(0xFE00, 0xFE0F), *range(0x1BCA0, 0x1BCA4),
        *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000),
    ]
)  # fmt: skip

#: Signs with which a post would say that somebody has checked it. They are the box's to give.
_OURS = dict.fromkeys(map(ord, "✓✔☑✅🗸🛡🔰⚜🏛🔏🔐🔒❇®©™"))

#: Letters of other alphabets that a reader takes for Latin ones, and signs put for letters: a pair
#: each.
_LOOKS = str.maketrans(
    dict(
        (pair[0], pair[1:])
        for pair in (
            "аa вb сc еe нh кk мm оo рp тt уy хx ѕs іi јj һh ԁd ԛq ԝw гr иu пn зe дa лa бb яr "
            "αa βb εe ηn ιi κk μu νv οo ρp τt υu χx ɑa ɡg ıi ſs 0o 1i 3e 4a 5s 7t 8b @a $s !i |i €e"
        ).split()
    )
)

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,15}\s?:\s?//|\bhxxps?\b|\bhttps?\s?:|\bwww\s?\.")
#: A name with a top-level domain at its end. Without a slash only those that are no words with
#: which somebody goes on after a full stop.
_NAME = re.compile(
    r"[\w-]*[^\W\d_][\w-]*\.(?:com|net|org|info|biz|de|eu|at|ch|ru|su|ua|by|pl|tr|ro|vn|cn|tk|io|me|to|ly|cc|gg"
    r"|xyz|top|app|dev|link|click|shop|store|site|online|live|club|wiki|onion|berlin|cloud|tel)"
    r"(?![\w.-]*\w)"
    r"|[\w-]*[^\W\d_][\w-]*\.[a-z]{2,12}/\w?"
)  # fmt: skip
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
#: Stops that are dots to an eye, and how people write one that shall not be seen: "evil[.]com",
#: "evil (dot) com", "evil punkt com", "evil . com".
_STOPS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61\u2024\ua4f8\u0701\u0702\u06d4", "."))
_HIDDEN_STOP = re.compile(
    r"(?<=\w)\s*[\[({]\s*(?:\.|dot|punkt|nokta|точка|kropka)\s*[\])}]\s*(?=\w)"
    r"|(?<=\w) (?:\.|dot|punkt) (?=(?:com|net|org|info|de|eu|ru|ua|pl|tr|ro|vn)\b)"
)
#: A page in the network here, by its number.
_NUMBERS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
_LATIN = re.compile("[a-z]")
_FOREIGN = re.compile(r"[^\x00-\x7f]")

#: From seven digits on, with what people put between them; 112, 110 and 116 117 are shorter.
_PHONE = re.compile(r"(?<!\d)(?:\+|0)[ /()-]{0,2}(?:\d[ /()-]{0,2}){6,}")

_OFFICIAL = re.compile(
    r"\b(?:amtlich|offizie[l]+|beh[oö]rdlich|official|resmi|oficjaln|ofi[ct]ial)"
    r"|geprüft|gepruft|verifi|bezirksamt|senat|ministerium|katastrophenschutz|feuerwehr|polizei"
    r"|police\b|polis\b|поліці|полици|официал|офіцій|رسمي|رسمی|chính thức"
)


#: One line of Latin or Cyrillic letters and their signs, all of them whole (NFC) and visible: most
#: of what is written, and there is nothing to clean in it.
_SIMPLE = re.compile(
    "[ -~\u00a1-\u00a8\u00aa-\u00ac\u00af-\u024f\u0400-\u0481\u048a-\u052f"
    "\u1e00-\u1ef9\u2013\u2014\u2018-\u201f\u2026\u20ac]*"
)


def clean(text: str, most_bytes: int, *, lines: bool = True) -> str:
    """NFC, without controls, direction marks, invisible signs and towers of marks; at most so many
    bytes of UTF-8, cut between characters.

    >>> clean("Z\\u0335\\u0321\\u0322\\u0327\\u0328\\u0321a\\u202elgo", 100)
    'Z\u0335\u0321\u0322\u0327algo'
    """
    text = plain_text(text[: 4 * most_bytes], 4 * most_bytes, lines=lines)
    if _SIMPLE.fullmatch(text):
        return text.encode()[:most_bytes].decode("utf-8", "ignore").strip()
    text = unicodedata.normalize("NFC", text.translate(_NOTHING).translate(_OURS))
    kept: list[str] = []
    marks = breaks = rows = 0
    for letter in text:
        marks = marks + 1 if unicodedata.combining(letter) or _is_mark(letter) else 0
        breaks = breaks + 1 if letter == "\n" else 0 if not letter.isspace() else breaks
        if marks > MOST_MARKS or breaks > 2:
            continue
        if letter == "\n":
            rows += 1
            letter = letter if rows < MOST_LINES else " "
        kept.append(letter)
    return "".join(kept).encode("utf-8", "ignore")[:most_bytes].decode("utf-8", "ignore").strip()


def has_something(text: str) -> bool:
    """Whether there is a letter, a digit or a picture in it."""
    return any(unicodedata.category(letter)[0] in "LN" or letter >= "\u2190" for letter in text)


#: Where more than a letter and its marks is one character: joined emoji, skin tones, flags, Hangul
#: by its parts, letters that lean on the next (UAX #29, GB6 to GB13). Indic conjuncts have a virama
#: (combining class 9).
_JOINS = re.compile(
    "[\u200d\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff"
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0e33\u0eb3\uff9e\uff9f\r]"
)


def signs(text: str) -> int:
    """How many characters a reader counts: grapheme clusters (UAX #29).

    Where no letter joins another it is all but the marks; the tables for the rest take 5 MiB of a
    small process, and are loaded for such texts only. Sixteen letters of Malayalam and of historic
    scripts that lean on the next are counted by themselves.
    """
    kinds = [unicodedata.category(letter) for letter in text]
    is_plain = "Mc" not in kinds and not _JOINS.search(text)
    if is_plain and not any(unicodedata.combining(letter) == 9 for letter in text):
        marks = sum(
            kind in ("Mn", "Me") or letter == "\u200c"
            for letter, kind in zip(text[1:], kinds[1:], strict=True)
        )
        # A mark has nothing to stand on at the beginning of a line.
        lost = sum(
            before == "\n" and (kind in ("Mn", "Me") or letter == "\u200c")
            for before, letter, kind in zip(text, text[1:], kinds[1:], strict=False)
        )
        return len(text) - marks + lost
    from wcwidth import iter_graphemes

    return sum(1 for _ in iter_graphemes(text))


def skeleton(text: str) -> str:
    """As an eye reads it: one width, one case, no marks, Latin for what looks so.

    >>> skeleton("Аmtliсh"), skeleton("ｆｒｅｅ"), skeleton("Sch3iße")
    ('amtlich', 'free', 'scheisse')
    """
    return _bare(text).translate(_LOOKS)


def _bare(text: str) -> str:
    """One width, one case, no marks."""
    flat = unicodedata.normalize("NFKD", text).casefold()
    return _FOREIGN.sub(lambda s: "" if unicodedata.combining(s.group()) else s.group(), flat)


def find_link(text: str) -> str:
    """The first address of a page in it, also one that is put together from other alphabets or
    whose dot is hidden; "": there is none. Mail addresses are none.

    >>> find_link("komm auf еxamрlе.cоm"), find_link("evil [.] example (dot) com")
    ('example.com', 'example.com')
    >>> find_link("Treffen um 8. Info beim Hausmeister"), find_link("Привет.То есть")
    ('', '')
    """
    flat = unicodedata.normalize("NFKC", text).casefold().translate(_STOPS)
    flat = _HIDDEN_STOP.sub(".", _MAIL.sub(" ", flat))
    found = _SCHEME.search(flat) or _NAME.search(flat) or _NUMBERS.search(flat)
    if found:
        return found.group()
    # Letters that only look like Latin ones, beside real ones: nobody writes so by mistake.
    disguised = _FOREIGN.sub(lambda sign: sign.group().translate(_LOOKS), flat)
    if len(disguised) == len(flat):
        for found in _NAME.finditer(disguised):
            if _LATIN.search(flat[found.start() : found.end()]):
                return found.group()
    return ""


def find_number(text: str) -> str:
    """The first telephone number or mail address in it: personal, and for everybody to read."""
    flat = unicodedata.normalize("NFKC", text)
    found = _MAIL.search(flat) or _PHONE.search(flat)
    return found.group().strip() if found else ""


def seems_official(text: str) -> bool:
    """Whether it speaks as if an authority did: then the page says again that none does."""
    flat = unicodedata.normalize("NFKC", text).casefold()
    return bool(_OFFICIAL.search(flat) or _OFFICIAL.search(skeleton(text)))


class Blocked:
    """A block list: a word a line, as a whole word; ``word*`` and ``*word*`` for parts of words.
    Lines that begin with # say why.
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        parts = []
        for line in lines:
            word = line.strip()
            if not word or word.startswith("#"):
                continue
            core = re.escape(_letters(word.strip("*")))
            if core:
                before = "" if word.startswith("*") else r"\b"
                parts.append(before + core + ("" if word.endswith("*") else r"\b"))
        self._pattern = re.compile("|".join(parts)) if parts else None

    def has(self, text: str) -> bool:
        """Whether one of the words is in it, also s p e l l e d out, doubled or disguised."""
        return self._pattern is not None and bool(self._pattern.search(_letters(text)))


_SPELLED = re.compile(r"(?<!\w)(\w)(?:[\W_]{1,3}(\w)(?!\w))+")
_DOUBLED = re.compile(r"(.)\1+")


def _letters(text: str) -> str:
    """The skeleton without doubled letters; letters that stand alone are one word."""
    flat = _SPELLED.sub(lambda found: re.sub(r"[\W_]", "", found.group()), skeleton(text))
    return _DOUBLED.sub(r"\1", flat.replace("_", " "))


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter) in ("Mn", "Me")
