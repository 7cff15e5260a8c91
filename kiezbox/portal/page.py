"""The first page: what has happened, since when, how long this box lasts, what to do first.

Plain HTML, no script, nothing from outside, at most ``PAGE_BYTES``. Whatever did not come from
``texts`` is escaped here. ``document`` is what all pages share.
"""

from __future__ import annotations

from kiezbox.i18n import LANGUAGES, RIGHT_TO_LEFT, is_checked, lang_of, text_of
from kiezbox.portal.answered import SLOT
from kiezbox.portal.meaning import (
    causes_of,
    grid_sentence,
    headline_of,
    is_emergency,
    is_ordinary,
    is_returning,
    is_unsure,
    look_of,
    since_of,
)
from kiezbox.portal.style import style_of
from kiezbox.portal.words import age, band, clock_time, duration, escape, number, shortened
from kiezbox.situation import is_exercise, plain_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from kiezbox.situation import Facts, Posted

__all__ = [
    "PAGE_BYTES", "again_page", "back_link", "bulletins_page", "document", "first_page",
    "paragraph", "stay_form",
]  # fmt: skip

#: The whole page, style included, so that it comes in one breath of a crowded WLAN: 3 kB gzipped.
PAGE_BYTES = 7000

#: Bytes of it that readings may take; further ones are counted, and stand in the data. If there
#: are bulletins, so many bytes are left for them.
READINGS_BYTES, BULLETINS_LEAST = 1100, 400

#: So many bulletins at most stand on the page of all bulletins.
BULLETINS_MOST = 20

#: Readings older than this are grey.
OLD_READING_S = 900


def first_page(facts: Facts, bulletins: Sequence[Posted] | None, language: str = "de") -> bytes:
    """The page in UTF-8, with a ``SLOT`` for the guest's token where it asks guests to stay.

    ``facts`` come from ``situation.understand``; bulletins, newest first, are None where they
    cannot be read.
    """
    text = text_of(language)
    before = _summary(facts, bulletins, text) + stay_form(facts, text, language)
    before += _notes(facts, text) + _first_steps(facts, text, language)
    after = _condition(facts, text)
    room = PAGE_BYTES - len(document(facts, text, language, before + after))
    after = _readings(facts, text, room - BULLETINS_LEAST if bulletins else room) + after
    bare = document(facts, text, language, before + after)
    words = _bulletins(facts, bulletins, text, language, PAGE_BYTES - len(bare))
    return document(facts, text, language, before + words + after) if words else bare


def again_page(facts: Facts, language: str = "de") -> bytes:
    """For a guest who knows the first page and has been away: what has happened, and the form."""
    text = text_of(language)
    body = _summary(facts, None, text) + stay_form(facts, text, language, text["again"])
    link = f'<p><a href="/{language}">{text["whole_page"]}</a></p>'
    return document(facts, text, language, body + _notes(facts, text) + link, "again")


def bulletins_page(facts: Facts, bulletins: Sequence[Posted] | None, language: str = "de") -> bytes:
    """All bulletins at full length, for those that the first page had no room for."""
    text = text_of(language)
    if bulletins:
        listed = "".join(_bulletin(each, facts, text) for each in bulletins[:BULLETINS_MOST])
    else:
        listed = paragraph(text["bulletins_unreadable" if bulletins is None else "bulletins_none"])
    heading = f"<header><h1>{text['bulletins']}</h1></header>"
    body = heading + _notes(facts, text) + listed + back_link(text, language)
    return document(facts, text, language, body, "bulletins")


# --- the parts ---------------------------------------------------------------------------------


def document(
    facts: Facts,
    text: dict[str, Any],
    language: str,
    body: str,
    name: str = "",
    *,
    look: str = "",
    style: str = "",
    title: str = "",
    rooms: Iterable[str] = ("now", "codes", "warnings"),
) -> bytes:
    """The whole page around ``body``. ``name``: of the page, the same in every language. ``look``:
    the class of another head than the situation's; ``style``: beside that of every page;
    ``title``: HTML, by default the situation's headline; ``rooms``: whose texts are on the page.
    """
    banner = ""
    if is_exercise(facts):
        banner = f'<p class="x">{text["exercise_banner"]}<br>{text["exercise_mark"]}</p>'
    box, now = facts["box"], facts["now"]
    foot = [
        text["as_of"].format(when=clock_time(now, now, text)),
        f"<bdi>{escape(box['name'] or box['id'] or 'Kiezbox')}</bdi>",
        f'<a href="/situation.geojson">{text["data"]}</a>',
    ]
    if not is_checked(language, rooms):
        foot.append(text["machine_made"])
    below = f"/{name}" if name else ""
    links = " ".join(
        f"<a href=/{other}{below} lang={lang_of(other)}>{native}</a>"
        for other, native in LANGUAGES.items()
        if other != language
    )
    if name not in ("", "again"):
        # Whoever got here has chosen. Without script: a phone's own window opens it as well.
        links = (
            f'<a href="/{language}">{text["back"]}</a><details><summary>{LANGUAGES[language]} ·'
            f" <span lang=en>Languages</span></summary>{links}</details>"
        )
    direction = " dir=rtl" if language in RIGHT_TO_LEFT else ""
    return (
        (
            f'<!DOCTYPE html><html lang="{lang_of(language)}"{direction}><head>'
            '<meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{title or escape(headline_of(facts, text)[0])} · Kiezbox</title>"
            f'<link rel="icon" href="data:,"><style>{style_of(facts)}{style}</style></head>'
            f'<body class="{look or look_of(facts)}">{banner}<nav>{links}</nav><main>{body}</main>'
            f'{banner}<footer><p><a href="/{language}{below}">{text["reload"]}</a></p>'
            f"<p><small>{' · '.join(foot)}<br>{text['about']}<br>{text['never_ask']}</small></p>"
            "</footer></body></html>"
        )
        .encode()
        .replace(b"\0", SLOT)
    )


def stay_form(facts: Facts, text: dict[str, Any], language: str, why: str = "") -> str:
    """One button, where the WLAN leads its guests here. Without script: phones' own windows."""
    network = facts["network"]
    if network["wanted"] == "shared":
        return paragraph(text["shared"])
    if network["wanted"] not in (None, "emergency"):
        return ""
    reason, button = text["stay"]
    turns = network["slice"]
    when = turns and turns["is_open"] and turns["changes_at"]
    pause = (
        paragraph(text["slice"].format(when=clock_time(when, facts["now"], text))) if when else ""
    )
    return (
        f"<form method=post action=/{language}/stay>{paragraph(why or reason)}"
        f'<input type=hidden name=token value="\0"><button>{button}</button></form>{pause}'
    )


def back_link(text: dict[str, Any], language: str) -> str:
    """To the first page."""
    return f'<p><a href="/{language}">{text["back"]}</a></p>'


def _summary(facts: Facts, bulletins: Sequence[Posted] | None, text: dict[str, Any]) -> str:
    """Headline, since when, in a sentence, how long the box lasts, what its operator says."""
    now, battery, is_active = facts["now"], facts["battery"] or {}, facts["state"] == "active"
    headline, sentences = headline_of(facts, text)
    lines: list[str] = []
    since = since_of(facts)
    if since is not None and since <= now:
        span = f" ({duration(now - since, text, 'days_left')})" if is_active else ""
        lines.append(text["since"].format(when=clock_time(since, now, text)) + span)
    if is_active:
        lines += map(escape, sentences)
        hours = band(battery.get("hours_left_low"), battery.get("hours_left_high"), text)
        if hours and not is_returning(facts):
            # An abbreviation brings its own full stop.
            lines.append(f"<b>{text['lasts'].format(band=hours).replace('..', '.')}</b>")
        elif is_emergency(facts) and not is_returning(facts):
            lines.append(f"<b>{text['lasts_unknown']}</b>")
    if bulletins and not is_ordinary(facts):
        link = text["bulletins_below"].format(count=len(bulletins))
        # In a line with others: on a line of its own it would have to be as high as a finger.
        lines[-1:] = [" ".join([*lines[-1:], f'<a href="#m">{link}</a>'])]
    return f"<header><h1>{escape(headline)}</h1>{''.join(map(paragraph, lines))}</header>"


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


def _first_steps(facts: Facts, text: dict[str, Any], language: str) -> str:
    if is_ordinary(facts):
        return ""
    steps = list(text["first_always"])
    if is_exercise(facts) or any(cause["cause"] == "grid_lost" for cause in causes_of(facts)):
        steps += text["first_grid_lost"]
    else:
        steps += text["first_other"]
    items = "".join(f"<li>{_lead(lead, rest)}</li>" for lead, rest in steps)
    link = f"<p><a href=/{language}/info>{text['info_link']}</a></p>"
    return f"<h2>{text['first']}</h2><ol>{items}</ol>{link}"


def _bulletins(
    facts: Facts,
    bulletins: Sequence[Posted] | None,
    text: dict[str, Any],
    language: str,
    room: int,
) -> str:
    """As many as fit, newest first; the first one always, shortened if it must be."""
    if bulletins is None:
        return paragraph(text["bulletins_unreadable"])
    if not bulletins:
        return ""
    heading = f'<h2 id="m">{text["bulletins"]}</h2>'
    link = text["bulletins_more"].format(count=len(bulletins))
    more = f'<p><a href="/{language}/bulletins">{link}</a></p>'
    room -= len(heading.encode()) + len(more.encode())
    shown: list[str] = []
    for bulletin in bulletins:
        whole = _bulletin(bulletin, facts, text)
        if len(whole.encode()) > room:
            break
        room -= len(whole.encode())
        shown.append(whole)
    if not shown:
        room -= len(_bulletin(bulletins[0], facts, text, most=0).encode())
        shown.append(_bulletin(bulletins[0], facts, text, most=max(room, 40)))
        return heading + shown[0] + more
    return heading + "".join(shown) + (more if len(shown) < len(bulletins) else "")


def _bulletin(
    bulletin: Posted, facts: Facts, text: dict[str, Any], *, most: int | None = None
) -> str:
    """``most``: bytes that its text may take; the rest is cut off."""
    words = plain_text(bulletin.text, lines=True)
    if most is not None:
        words = shortened(words, most) if most else ""
    mark = (
        f"<small>{text['bulletin_mark']} · {age(bulletin.written_at, facts['now'], text)}</small>"
    )
    return f'<article>{mark}<p dir="auto">{escape(words)}</p></article>'


def _readings(facts: Facts, text: dict[str, Any], room: int) -> str:
    """What the street wants to know; voltages are in the data, and in words elsewhere."""
    labels = text["quantities"]
    named = [(*name.partition("/")[::2], latest) for name, latest in facts["latest"].items()]
    known = [each for each in named if each[1] in labels]
    if not known:
        return paragraph(text["readings_none"])
    rows: list[str] = []
    heading = f"<h2>{text['readings']}</h2>"
    more = text["readings_more"]
    # The rest is for the table and for how many there are beside.
    room = min(READINGS_BYTES, room - len((heading + more).encode()) - 40)
    seen = [quantity for _, quantity, _ in known]
    for sensor, quantity, latest in sorted(known, key=lambda each: list(labels).index(each[1])):
        label = labels[quantity][0] + (f" ({sensor})" if seen.count(quantity) > 1 else "")
        row = _row(label, _value(latest, labels[quantity], text), latest["taken_at"], facts, text)
        room -= len(row.encode())
        if room < 0:
            break
        rows.append(row)
    rest = len(known) - len(rows)
    more = paragraph(more.format(count=rest)) if rest else ""
    return f"{heading}<table>{''.join(rows)}</table>{more}" if rows else ""


def _row(label: str, value: str, taken_at: float | None, facts: Facts, text: dict[str, Any]) -> str:
    is_old = taken_at is None or not 0 <= facts["now"] - taken_at <= OLD_READING_S
    grey = ' class="o"' if is_old else ""
    return (
        f'<tr{grey}><th scope="row">{escape(label)}<br><small>{age(taken_at, facts["now"], text)}'
        f"</small></th><td>{value}</td></tr>"
    )


def _value(latest: dict[str, Any], label: tuple[str, str, str], text: dict[str, Any]) -> str:
    _, unit, decimals = label
    if latest["value"] is None or latest["flag"] not in (0, 1):
        return str(text["unusable"])
    shown = text["measured"].format(value=number(latest["value"], int(decimals), text), unit=unit)
    return shown if latest["flag"] == 0 else str(text["suspect"].format(value=shown))


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


def paragraph(sentence: str) -> str:
    """Of words from ``texts`` or made of numbers."""
    return f"<p>{sentence}</p>" if sentence else ""
