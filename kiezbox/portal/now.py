"""The first page: what has happened, since when, how long this box lasts, what to do first.

What is official stands above everything else, whoever else has written; on an ordinary day,
readings come next. Plain HTML, no script, at most ``PACKED_BYTES`` on the air: where there is more
to say than fits, ``_LESS`` has the order in which there is less of it.
"""

from __future__ import annotations

from kiezbox.i18n import text_of
from kiezbox.portal.answered import SLOT
from kiezbox.portal.cards import card
from kiezbox.portal.meaning import (
    Danger,
    grid_sentence,
    headline_of,
    is_emergency,
    is_ordinary,
    is_returning,
    is_unsure,
    since_of,
    topic_of,
    warned,
)
from kiezbox.portal.measured import heading, rows_of
from kiezbox.portal.page import back_link, document, paragraph, stay_form
from kiezbox.portal.pictograms import pictogram
from kiezbox.portal.words import age, band, clock_time, duration, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kiezbox.portal.bulletins import Bulletin
    from kiezbox.situation import Facts

__all__ = [
    "PACKED_BYTES", "PAGE_BYTES", "TASKS", "again_page", "bulletins_page", "first_page",
]  # fmt: skip

#: The whole page, style included, and what it is on the air, gzipped: it must come in one breath of
#: a crowded WLAN. A guest's own token is not packed, and parts the page in two.
PAGE_BYTES, PACKED_BYTES = 15_000, 2_980
TOKEN_BYTES = 100

#: So many bytes of a page become one on the air, or more: what is left out is reckoned with it.
RATIO = 0.4

#: So many bulletins stand on the page of all bulletins; so many official ones, and others, on the
#: first page at most, and so many bytes of what one says in its own words.
BULLETINS_MOST = 20
OFFICIAL_MOST, OTHERS_MOST = 3, 4
WORDS_BYTES = 300

#: Rows of readings on an ordinary day, and on others; further ones are counted, and stand on the
#: page of the air.
READINGS_MOST, READINGS_FEW = 8, 2

#: First steps; all of them stand on the page that is linked below.
STEPS_MOST = 6

#: An official word is a cause of its own from this severity on.
DANGER_FROM = 3

#: The rooms in the order of need (``answers.ROOMS``).
TASKS = ("where", "help", "safe", "board", "messages", "air", "steps", "say", "about")

_STYLE = """\
.tasks{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:0 1rem}\
.tasks a{text-decoration:none;font-weight:700}.tasks li{margin:0}"""


def first_page(facts: Facts, bulletins: Sequence[Bulletin] | None, language: str = "de") -> bytes:
    """The page in UTF-8, with a ``SLOT`` for the guest's token where it asks guests to stay.

    ``facts`` come from ``situation.understand``; bulletins, first things first, are None where they
    cannot be read.
    """
    text = text_of(language)
    facts = warned(facts, _danger(bulletins or ()))
    parts, size = _Parts(facts, bulletins, text, language), _Size(facts, bulletins)
    while True:
        body = parts.body(size)
        page = document(facts, text, language, body, style=_STYLE)
        too_many = _packed(page) - PACKED_BYTES
        if too_many <= 0 or not size.shrink():
            return page
        goal = len(body.encode()) - too_many / RATIO
        while len(parts.body(size).encode()) > goal and size.shrink():
            pass


def again_page(facts: Facts, language: str = "de") -> bytes:
    """For a guest who knows the first page and has been away: what has happened, and the form."""
    text = text_of(language)
    body = _summary(facts, None, text) + stay_form(facts, text, language, text["again"])
    link = f'<p><a href="/{language}">{text["whole_page"]}</a></p>'
    return document(facts, text, language, body + _notes(facts, text) + link, "again")


def bulletins_page(
    facts: Facts, bulletins: Sequence[Bulletin] | None, language: str = "de"
) -> bytes:
    """All bulletins at full length, for those that the first page had no room for."""
    text = text_of(language)
    if bulletins:
        listed = "".join(card(b, facts, text, language) for b in bulletins[:BULLETINS_MOST])
    else:
        listed = paragraph(text["bulletins_unreadable" if bulletins is None else "bulletins_none"])
    head = f"<header><h1>{text['bulletins']}</h1></header>"
    body = head + _notes(facts, text) + listed + back_link(text, language)
    return document(facts, text, language, body, "bulletins")


def _packed(page: bytes) -> int:
    from zlib import compress

    return len(compress(page, 6)) + (TOKEN_BYTES if SLOT in page else 0)


def _danger(bulletins: Sequence[Bulletin]) -> Danger | None:
    """The gravest of what is official and not over, if it is grave."""
    grave = [each for each in bulletins if each.standing == "official" and _is_grave(each)]
    if not grave:
        return None
    worst = max(grave, key=lambda each: (each.severity, bool(each.topic), each.written_at))
    return Danger(worst.topic, worst.written_at)


def _is_grave(bulletin: Bulletin) -> bool:
    is_over = bulletin.is_all_clear or bulletin.is_exercise
    return bulletin.severity >= DANGER_FROM and not is_over


# --- what fits -----------------------------------------------------------------------------------


class _Size:
    """How much of everything is shown."""

    def __init__(self, facts: Facts, bulletins: Sequence[Bulletin] | None) -> None:
        official = sum(each.is_official for each in bulletins or ())
        self.official = min(official, OFFICIAL_MOST)
        self.others = min(len(bulletins or ()) - official, OTHERS_MOST)
        #: Bytes of what a bulletin says in its own words.
        self.words = WORDS_BYTES
        self.readings = READINGS_MOST if is_ordinary(facts) else READINGS_FEW
        self.condition = 1
        self.steps = STEPS_MOST
        self.pictograms = len(TASKS)

    def shrink(self) -> bool:
        """A little less; False: there is nothing left to leave out."""
        for name, least in _LESS:
            value = getattr(self, name)
            if value > least:
                setattr(self, name, max(least, value // 2 if name == "words" else value - 1))
                return True
        return False


#: What there is less of, and down to how much before it is the next one's turn.
_LESS = (
    ("others", 1), ("words", 150), ("readings", READINGS_FEW), ("steps", 5), ("official", 2),
    ("condition", 0), ("readings", 0), ("words", 60), ("pictograms", 6), ("steps", 4),
    ("official", 1), ("pictograms", 0), ("steps", 3), ("others", 0),
)  # fmt: skip


class _Parts:
    """The page in pieces, each made once."""

    def __init__(
        self,
        facts: Facts,
        bulletins: Sequence[Bulletin] | None,
        text: dict[str, Any],
        language: str,
    ) -> None:
        self._facts, self._text, self._language = facts, text, language
        self._official = [each for each in bulletins or () if each.is_official]
        self._others = [each for each in bulletins or () if not each.is_official]
        self._is_readable = bulletins is not None
        self._is_calm = is_ordinary(facts)
        self._cards: dict[tuple[int, int], str] = {}
        self._summary = _summary(facts, bulletins, text)
        self._form = stay_form(facts, text, language)
        self._notes = _notes(facts, text)
        self._steps, self._links = _first_steps(facts, text, language)
        self._rows = rows_of(facts, text)
        self._condition = _condition(facts, text)

    def body(self, size: _Size) -> str:
        readings = self._readings(size.readings)
        return "".join(
            (
                self._summary,
                self._listed(self._official[: size.official], size),
                self._form,
                self._notes,
                readings if self._is_calm else self._first(size.steps),
                _tasks(self._text, self._language, size.pictograms),
                self._bulletins(size),
                "" if self._is_calm else readings,
                self._condition if size.condition else "",
            )
        )

    def _listed(self, bulletins: Sequence[Bulletin], size: _Size) -> str:
        return "".join(self._card(each, size.words) for each in bulletins)

    def _card(self, bulletin: Bulletin, most: int) -> str:
        key = id(bulletin), most
        if key not in self._cards:
            self._cards[key] = card(bulletin, self._facts, self._text, self._language, most=most)
        return self._cards[key]

    def _bulletins(self, size: _Size) -> str:
        """What is not official, and the way to all that is cut or left out."""
        if not self._is_readable:
            return paragraph(self._text["bulletins_unreadable"])
        shown = self._official[: size.official] + self._others[: size.others]
        count = len(self._official) + len(self._others)
        listed = self._listed(self._others[: size.others], size)
        is_cut = any(len(escape(each.text).encode()) > size.words for each in shown)
        if is_cut or len(shown) < count:
            link = self._text["bulletins_more"].format(count=count)
            listed += f'<p><a href="/{self._language}/bulletins">{link}</a></p>'
        return listed and f'<h2 id="m">{self._text["bulletins"]}</h2>{listed}'

    def _readings(self, most: int) -> str:
        if not self._rows:
            return paragraph(self._text["readings_none"]) if most else ""
        rest = len(self._rows) - most
        more = paragraph(self._text["readings_more"].format(count=rest)) if rest > 0 else ""
        return heading(self._text, self._rows[:most]) + more if most else ""

    def _first(self, most: int) -> str:
        items = "".join(f"<li>{each}</li>" for each in self._steps[:most])
        return f"<h2>{self._text['first']}</h2><ol>{items}</ol>{self._links}"


# --- the parts -----------------------------------------------------------------------------------


def _summary(facts: Facts, bulletins: Sequence[Bulletin] | None, text: dict[str, Any]) -> str:
    """Headline, since when, in a sentence, how long the box lasts, what its operator says."""
    now, is_active = facts["now"], facts["state"] == "active"
    headline, sentences = headline_of(facts, text)
    lines: list[str] = []
    since = since_of(facts)
    if since is not None and since <= now:
        span = f" ({duration(now - since, text, 'days_left')})" if is_active else ""
        lines.append(text["since"].format(when=clock_time(since, now, text)) + span)
    if is_active:
        lines += map(escape, sentences)
        lines += _lasting(facts, text)
    count = sum(not each.is_official for each in bulletins or ())
    if count and not is_ordinary(facts):
        link = text["bulletins_below"].format(count=count)
        # In a line with others: on a line of its own it would have to be as high as a finger.
        lines[-1:] = [" ".join([*lines[-1:], f'<a href="#m">{link}</a>'])]
    return f"<header><h1>{escape(headline)}</h1>{''.join(map(paragraph, lines))}</header>"


def _lasting(facts: Facts, text: dict[str, Any]) -> list[str]:
    """How long the box lasts, and its WLAN without pauses."""
    battery = facts["battery"] or {}
    if is_returning(facts):
        return []
    hours = band(battery.get("hours_left_low"), battery.get("hours_left_high"), text)
    if not hours:
        return [f"<b>{text['lasts_unknown']}</b>"] if is_emergency(facts) else []
    # An abbreviation brings its own full stop.
    lasts = f"<b>{text['lasts'].format(band=hours).replace('..', '.')}</b>"
    whole = band(battery.get("hours_open_low"), battery.get("hours_open_high"), text)
    if not whole or facts["network"]["slice"]:
        return [lasts]
    return [f"{lasts} {text['slices_later'].format(band=whole).replace('..', '.')}"]


def _notes(facts: Facts, text: dict[str, Any]) -> str:
    """What a reader must know before believing the rest."""
    notes: list[tuple[str, str]] = []
    now, written_at = facts["now"], facts["written_at"]
    if facts["state"] != "active":
        if written_at is None:
            notes.append(text["silent_for_ever"])
        else:
            lead, rest = text["silent"]
            when, ago = clock_time(written_at, now, text), age(written_at, now, text)
            notes.append((lead, rest.format(when=when, age=ago)))
    elif facts["mode"]["name"] in ("saving", "dark"):
        notes.append(text[facts["mode"]["name"]])
    if facts["clock_trusted"] is False:
        notes.append(("", text["clock"]))
    return "".join(f'<p class="n">{_lead(lead, rest)}</p>' for lead, rest in notes)


def _first_steps(facts: Facts, text: dict[str, Any], language: str) -> tuple[list[str], str]:
    """What to do first, and where there is more about it."""
    topic = topic_of(facts)
    steps = list(text["first_always"])
    if topic == "power":
        steps += text["first_grid_lost"]
    else:
        steps += [*text["first_dangers"].get(topic, ()), *text["first_other"]]
    links = f"<p><a href=/{language}/info>{text['info_link']}</a></p>"
    if topic:
        words = text["causes"]["grid_lost"][0] if topic == "power" else text["dangers"][topic]
        links += f"<p><a href=/{language}/steps/{topic}>{text['tasks']['steps']}: {words}</a></p>"
    return [_lead(lead, rest) for lead, rest in steps], links


def _tasks(text: dict[str, Any], language: str, most: int) -> str:
    """The ways on, the first of them with a drawing."""
    items = "".join(
        f"<li><a href=/{language}/{name}>{pictogram(name) if number < most else ''}"
        f"{text['tasks'][name]}</a>"
        for number, name in enumerate(TASKS)
    )
    return f"<h2>{text['tasks_head']}</h2><ul class=tasks>{items}</ul>"


def _condition(facts: Facts, text: dict[str, Any]) -> str:
    """Grid, battery, faults: how the box itself is."""
    if facts["state"] != "active":
        return ""
    battery, sentences = facts["battery"], []
    if not is_unsure(facts) and facts["grid"]["state"] not in ("lost", "returning"):
        sentences.append(grid_sentence(facts, text))
    if battery and None not in (battery["charge_percent_low"], battery["charge_percent_high"]):
        low, high = sorted((battery["charge_percent_low"], battery["charge_percent_high"]))
        sentences.append(text["charge"].format(low=f"{low:.0f}", high=f"{high:.0f}"))
    if facts["faults"]:
        sentences.append(text["faults"].format(count=len(facts["faults"])))
    if is_ordinary(facts) and facts["grid"]["is_sensed"]:
        sentences.append(text["promise"])
    return paragraph(" ".join(sentences))


def _lead(lead: str, rest: str) -> str:
    """Both from ``texts``, or made of numbers."""
    return f"<b>{lead}</b> {rest}" if lead else rest
