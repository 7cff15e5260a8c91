"""The first page: what has happened, since when, how long this box lasts, what to do first.

What is official stands above everything else, whoever else has written; on an ordinary day,
readings come next. Plain HTML, no script, at most ``PACKED_BYTES`` on the air: where there is more
to say than fits, ``_LESS`` has the order in which there is less of it.
"""

from __future__ import annotations

from kiezbox.portal.answered import SLOT
from kiezbox.portal.bulletins import Bulletin
from kiezbox.portal.cards import card
from kiezbox.portal.condition import condition, lead, notes
from kiezbox.portal.countries import text_here
from kiezbox.portal.meaning import (
    Danger,
    headline_of,
    is_emergency,
    is_ordinary,
    is_returning,
    measured_of,
    since_of,
    topic_of,
    warned,
)
from kiezbox.portal.measured import heading, rows_of
from kiezbox.portal.official import card as warning_card
from kiezbox.portal.page import document, paragraph, stay_form
from kiezbox.portal.pictograms import pictogram
from kiezbox.portal.words import band, clock_time, duration, escape, shortened
from kiezbox.situation.warnings import gravity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kiezbox.portal.official import Official
    from kiezbox.situation import Facts

__all__ = [
    "PACKED_BYTES", "PAGE_BYTES", "TASKS", "again_page", "first_page",
    "first_steps", "official_cards", "summary", "with_danger",
]  # fmt: skip

#: The whole page, style included, and what it is on the air, gzipped: it must come in one breath of
#: a crowded WLAN. A guest's own token is not packed, and parts the page in two.
PAGE_BYTES, PACKED_BYTES = 15_000, 2_970
TOKEN_BYTES = 120

#: So many bytes of a page become one on the air, or more: what is left out is reckoned with it.
RATIO = 0.4

#: So many official bulletins, and others, stand on the first page at most, and so many bytes of
#: what one says in its own words.
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
nav a{font-size:1.05rem;padding:.65rem 0;margin-inline-end:.6rem}\
.tasks{display:grid;gap:0 1rem;\
grid-template-columns:repeat(auto-fit,minmax(min(100%,10.5rem),1fr))}\
.tasks a{display:flex;align-items:center;min-height:1.7rem;text-decoration:none;\
font-weight:700;hyphens:auto}.tasks li{margin:0}"""


def first_page(
    facts: Facts,
    bulletins: Sequence[Bulletin] | None,
    language: str = "de",
    warnings: Sequence[Official] = (),
) -> bytes:
    """The page in UTF-8, with a ``SLOT`` for the guest's token where it asks guests to stay.

    ``facts`` come from ``situation.understand``; bulletins, first things first, are None where they
    cannot be read; ``warnings`` are those of ``official.now_matters``.
    """
    text = text_here(facts, language)
    facts = with_danger(facts, bulletins, warnings)
    parts = _Parts(facts, bulletins, warnings, text, language)
    size = _Size(facts, len(parts.official), len(parts.others))
    while True:
        body = parts.body(size)
        page = document(facts, text, language, body, style=_STYLE)
        too_many = _packed(page) - PACKED_BYTES
        if too_many <= 0 or not size.shrink():
            return page
        goal = len(body.encode()) - too_many / RATIO
        while len(parts.body(size).encode()) > goal and size.shrink():
            pass


def with_danger(
    facts: Facts, bulletins: Sequence[Bulletin] | None, warnings: Sequence[Official]
) -> Facts:
    """The same with the gravest official word among the causes."""
    return warned(facts, _danger(bulletins or (), warnings))


def official_cards(
    facts: Facts,
    bulletins: Sequence[Bulletin] | None,
    warnings: Sequence[Official],
    language: str,
    *,
    most: int,
    words: int,
) -> str:
    """The gravest of what is official, each with so many bytes of its own words."""
    parts = _Parts(facts, bulletins, warnings, text_here(facts, language), language)
    return parts.listed(parts.official[:most], words)


def again_page(facts: Facts, language: str = "de") -> bytes:
    """For a guest who knows the first page and has been away: what has happened, and the form."""
    text = text_here(facts, language)
    body = summary(facts, None, text) + stay_form(facts, text, language, text["again"])
    link = f'<p><a href="/{language}">{text["whole_page"]}</a></p>'
    return document(facts, text, language, body + notes(facts, text) + link, "again")


def _packed(page: bytes) -> int:
    from zlib import compress

    return len(compress(page, 6)) + (TOKEN_BYTES if SLOT in page else 0)


def _danger(bulletins: Sequence[Bulletin], warnings: Sequence[Official]) -> Danger | None:
    """The gravest of what is official and not over, if it is grave."""
    grave = [
        (each.severity, each.topic, each.written_at)
        for each in bulletins
        if each.standing == "official" and not each.is_all_clear and not each.is_exercise
    ]
    grave += [
        (gravity(each.severity), _TOPICS.get(each.cause, ""), each.sent_at or each.copy_at)
        for each in warnings
        if each.is_active
    ]
    severity, topic, since = max(grave, key=lambda g: (g[0], bool(g[1]), g[2]), default=(0, "", 0))
    return Danger(topic, since) if severity >= DANGER_FROM else None


#: What a warning is about (``situation.warnings.CAUSES``), as the first steps are sorted.
_TOPICS = {
    "flood": "flood", "storm": "storm", "heat": "heat", "cold": "cold", "fire": "fire",
    "release": "smoke", "network": "network", "drinking_water": "supplies",
}  # fmt: skip


# --- what fits -----------------------------------------------------------------------------------


class _Size:
    """How much of everything is shown."""

    def __init__(self, facts: Facts, official: int, others: int) -> None:
        self.official = min(official, OFFICIAL_MOST)
        self.others = min(others, OTHERS_MOST)
        #: Bytes of what a bulletin says in its own words.
        self.words = WORDS_BYTES
        self.readings = READINGS_MOST if is_ordinary(facts) else READINGS_FEW
        self.condition = 1
        self.steps = STEPS_MOST
        self.tasks = self.pictograms = len(TASKS)
        #: What the headline means, and why this page is worth keeping.
        self.sentence = self.why = 1

    def shrink(self) -> bool:
        """A little less; False: there is nothing left to leave out."""
        for name, least in _LESS:
            value = getattr(self, name)
            if value > least:
                # Half a row of drawings is worse than none.
                less = {"words": value // 2, "pictograms": least}.get(name, value - 1)
                setattr(self, name, max(least, less))
                return True
        return False


#: What there is less of, and down to how much before it is the next one's turn.
_LESS = (
    ("others", 1), ("words", 150), ("readings", READINGS_FEW), ("steps", 5), ("condition", 0),
    ("readings", 0), ("words", 100), ("pictograms", 6), ("why", 0), ("official", 2), ("steps", 4),
    ("sentence", 0), ("words", 60), ("pictograms", 0), ("steps", 3), ("official", 1), ("others", 0),
    ("tasks", 7),
)  # fmt: skip


def _weight(told: Bulletin | Official) -> tuple[bool, int, float]:
    if isinstance(told, Bulletin):
        return told.is_all_clear, -told.severity, -told.written_at
    return told.is_all_clear, -gravity(told.severity), -(told.sent_at or told.copy_at)


class _Parts:
    """The page in pieces, each made once."""

    def __init__(
        self,
        facts: Facts,
        bulletins: Sequence[Bulletin] | None,
        warnings: Sequence[Official],
        text: dict[str, Any],
        language: str,
    ) -> None:
        self._facts, self._text, self._language = facts, text, language
        official = [each for each in bulletins or () if each.is_official]
        #: The gravest in front, an all-clear behind what still holds.
        told: list[Bulletin | Official] = [*official, *warnings]
        self.official = sorted(told, key=_weight)
        self.others = [each for each in bulletins or () if not each.is_official]
        self._count = len(bulletins or ())
        self._is_readable = bulletins is not None
        self._is_calm = is_ordinary(facts)
        self._cards: dict[tuple[int, int], str] = {}
        # In an emergency, what to do must be on the first screen: what it means stands below that.
        self._summary = summary(facts, bulletins, text, is_brief=is_emergency(facts))
        is_below = is_emergency(facts) and facts["state"] == "active"
        sentences = headline_of(facts, text)[1] if is_below else []
        self._meaning = "".join(paragraph(escape(each)) for each in sentences)
        self._form = stay_form(facts, text, language)
        self._notes = notes(facts, text)
        self._steps, self._links = first_steps(facts, text, language)
        self._rows = rows_of(facts, text)
        self._condition = condition(facts, text)

    def body(self, size: _Size) -> str:
        readings = self._readings(size.readings)
        return "".join(
            (
                self._summary,
                self.listed(self.official[: size.official], size.words),
                self._form,
                self._notes,
                readings if self._is_calm else self._first(size),
                self._meaning if size.sentence else "",
                _tasks(self._text, self._language, size, is_calm=self._is_calm),
                self._bulletins(size),
                "" if self._is_calm else readings,
                self._condition if size.condition else "",
            )
        )

    def listed(self, shown: Sequence[Bulletin | Official], words: int) -> str:
        return "".join(self._card(each, words) for each in shown)

    def _card(self, told: Bulletin | Official, most: int) -> str:
        key = id(told), most
        if key not in self._cards:
            self._cards[key] = self._made(told, most)
        return self._cards[key]

    def _made(self, told: Bulletin | Official, most: int) -> str:
        if isinstance(told, Bulletin):
            return card(told, self._facts, self._text, self._language, most=most)
        text = text_here(self._facts, self._language, "warnings")
        now, path = self._facts["now"], f"/{self._language}/warnings"
        return warning_card(told, text, self._text, now, path, most=most, heading="h2")

    def _bulletins(self, size: _Size) -> str:
        """What is not official, and the ways to all that is cut or left out."""
        if not self._is_readable:
            return paragraph(self._text["bulletins_unreadable"])
        links = ""
        told = [each for each in self.official[: size.official] if isinstance(each, Bulletin)]
        told += self.others[: size.others]
        is_cut = any(len(escape(each.text).encode()) > size.words for each in told)
        for is_missing, name, count, page in (
            (len(self.official) > size.official, "official_below", len(self.official), "warnings"),
            (is_cut or len(told) < self._count, "bulletins_more", self._count, "bulletins"),
        ):
            if is_missing and count:
                words = self._text[name].format(count=count)
                links += f'<p><a href="/{self._language}/{page}">{words}</a></p>'
        listed = self.listed(self.others[: size.others], size.words) + links
        return listed and f'<h2 id="m">{self._text["bulletins"]}</h2>{listed}'

    def _readings(self, most: int) -> str:
        if not self._rows:
            return paragraph(self._text["readings_none"]) if most else ""
        rest = len(self._rows) - most
        more = paragraph(self._text["readings_more"].format(count=rest)) if rest > 0 else ""
        return heading(self._text, self._rows[:most]) + more if most else ""

    def _first(self, size: _Size) -> str:
        items = "".join(f"<li>{each}</li>" for each in self._steps[: size.steps])
        links = self._links if size.sentence else self._links[:1]
        # Never left out: a phone that is empty, or out of reach, shows nothing of all this.
        keep = " ".join(self._text["keep"][: 1 + size.why])
        tips = f"<p>{lead(*self._text['save_battery'])}<br>{keep}</p>"
        return f"<h2>{self._text['first']}</h2><ol>{items}</ol>{tips}{''.join(links)}"


# --- the parts -----------------------------------------------------------------------------------


def summary(
    facts: Facts,
    bulletins: Sequence[Bulletin] | None,
    text: dict[str, Any],
    *,
    is_brief: bool = False,
) -> str:
    """Headline, since when, in a sentence, how long the box lasts, what its operator says."""
    now, is_active = facts["now"], facts["state"] == "active"
    headline, sentences = headline_of(facts, text)
    lines: list[str] = []
    since = since_of(facts)
    if since is not None and since <= now:
        span = f" ({duration(now - since, text, 'days_left')})" if is_active else ""
        # Of what the box itself says, the value and its age; the sentences stand below.
        brief = shortened(measured_of(facts, text), WORDS_BYTES) if is_active and is_brief else ""
        span = f" · {escape(brief)}" if brief else span
        lines.append(text["since"].format(when=clock_time(since, now, text)) + span)
    if is_active:
        lines += [] if is_brief else map(escape, sentences)
        lines += _lasting(facts, text)
    count = sum(not each.is_official for each in bulletins or ())
    if count and not is_ordinary(facts):
        link = text["bulletins_below"].format(count=count)
        # In a line with others: on a line of its own it would have to be as high as a finger, which
        # is what the sheet makes of a paragraph's only element.
        last = [line if "<" in line else f"<span>{line}</span>" for line in lines[-1:]]
        lines[-1:] = [" ".join([*last, f'<a href="#m">{link}</a>'])]
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
    # The same span twice says nothing more.
    if whole in (None, hours) or facts["network"]["slice"]:
        return [lasts]
    return [f"{lasts} {text['slices_later'].format(band=whole).replace('..', '.')}"]


def first_steps(facts: Facts, text: dict[str, Any], language: str) -> tuple[list[str], list[str]]:
    """What to do first, and where there is more about it."""
    topic = topic_of(facts)
    steps = list(text["first_always"])
    if topic == "power":
        steps += text["first_grid_lost"]
    else:
        steps += [*text["first_dangers"].get(topic, ()), *text["first_other"]]
    links = [f"<p><a href=/{language}/info>{text['info_link']}</a></p>"]
    if topic:
        words = text["causes"]["grid_lost"][0] if topic == "power" else text["dangers"][topic]
        more = f"{text['tasks']['steps']}: {words}"
        links.append(f"<p><a href=/{language}/steps/{topic}>{more}</a></p>")
    return [lead(begin, rest) for begin, rest in steps], links


def _tasks(text: dict[str, Any], language: str, size: _Size, *, is_calm: bool) -> str:
    """The ways on, the first of them with a drawing; on an ordinary day the readings come first."""
    names = sorted(TASKS, key=lambda name: name != "air") if is_calm else list(TASKS)
    items = "".join(
        f"<li><a href=/{language}/{name}>{pictogram(name) if number < size.pictograms else ''}"
        f"{text['tasks'][name]}</a>"
        for number, name in enumerate(names[: size.tasks])
    )
    return f"<h2>{text['tasks_head']}</h2><ul class=tasks>{items}</ul>"
