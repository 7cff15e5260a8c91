"""A ticket in words, for residents and helpers: what, where, which state, since when, by whom.

Only what everybody may read comes this way; what is sealed does not (``pages.helper``).
"""

from __future__ import annotations

from kiezbox.i18n import LANGUAGES, lang_of
from kiezbox.portal.words import age, clock_time, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.portal.asking import Ask
    from kiezbox.portal.shown import Seen

__all__ = ["ENDED", "box_of", "card", "keys_of", "number_of", "state_of", "ticket_at"]

#: States in which nothing is to be done (``records.tickets.ENDED``, which costs 20 ms to load; a
#: test compares them).
ENDED = ("done", "closed", "withdrawn", "merged")


def keys_of(ask: Ask) -> dict[str, bytes]:
    """Role → the key to seal to; none: this box cannot take what is exact."""
    return dict(ask.shown.rows("SELECT role, public FROM role_keys") or ())


def box_of(ask: Ask) -> str:
    """The box whose tickets are known by their number alone."""
    rows = ask.shown.rows("SELECT box FROM meta")
    return str(rows[0][0]) if rows else ""


def number_of(box: str, origin: str, sequence: int | str) -> str:
    """As people write it: ``42`` of this box, ``kb-musterplatz-1.42`` of another."""
    return str(sequence) if origin == box else f"{origin}.{sequence}"


def ticket_at(ask: Ask, number: str) -> Seen | None:
    """The ticket of a number as people write it; None: there is none, or no longer."""
    number = number.strip().replace("/", ".")[:80]
    found = ask.shown.thing(number if "." in number else f"{box_of(ask)}.{number}")
    if found is None or found.kind != 4 or found.expires_at <= ask.now:
        return None
    return found


def card(
    ask: Ask, ticket: Seen, box: str, *, has_link: bool = True, is_for_helpers: bool = False
) -> str:
    """What is asked or offered, and the block; not the block's text where a moderator has hidden
    it, but for those who go there.
    """
    text = ask.text("help")
    number = number_of(box, ticket.origin, ticket.sequence)
    title = text["ticket"][ticket.topic].format(number=f"<bdi>{escape(number)}</bdi>")
    if has_link:
        title = f'<a href="{escape(ask.path("help", number))}">{title}</a>'
    needs = ", ".join(_need(text, code) for code in ticket.data["needs"])
    marks = [text["unchecked"]]
    if ticket.data.get("is_on_behalf"):
        marks.insert(0, text["on_behalf"])
    if is_for_helpers and ticket.language in LANGUAGES:
        # In which language they can be spoken to.
        lang = lang_of(ticket.language)
        marks.append(f"<span lang={lang}>{LANGUAGES[ticket.language]}</span>")
    if has_link:
        # Whom nobody has read yet, and for how long: so that a neighbour knows where to go first.
        now = text["state"][ticket.state].format(number="").rstrip(" .")
        marks[:0] = [now, age(ticket.written_at, ask.now, ask.text())]
    if ticket.data.get("is_exercise"):
        marks.insert(0, f"<b>{text['exercise']}</b>")
    is_shown = ticket.text and (is_for_helpers or not ticket.is_hidden)
    where = f"<p dir=auto>{escape(ticket.text)}</p>" if is_shown else ""
    shown = f"<p><b>{needs}</b></p>" if needs else ""
    return (
        f"<article class=neighbours><p>{title}</p>{shown}{where}"
        f"<small>{' · '.join(marks)}</small></article>"
    )


def state_of(ask: Ask, ticket: Seen, box: str) -> str:
    """Which state, since when, by whom as a role, and what came before."""
    text, shared, data = ask.text("help"), ask.text(), ticket.data
    into = number_of(box, *data.get("into", "/").split("/", 1))
    said = [f"<b>{text['state'][ticket.state].format(number=f'<bdi>{escape(into)}</bdi>')}</b>"]
    if len(data["takers"]) > 1:
        said.append(text["more_takers"].format(count=len(data["takers"])))
    when = [text["since"].format(when=clock_time(data["since"], ask.now, shared))]
    if data["role"]:
        when.append(text["by"].format(role=text["role"][data["role"]]))
    steps = [("received", "", ticket.written_at), *data["steps"]]
    rows = "".join(_step(ask, text, *each) for each in steps[-12:])
    return (
        f"<p class=n>{' '.join(said)}<br>{' · '.join(when)}</p>"
        f"<h2>{text['so_far']}</h2><ul>{rows}</ul>{_unconfirmed(ask, text, data)}"
    )


def _unconfirmed(ask: Ask, text: dict[str, Any], data: dict[str, Any]) -> str:
    """What somebody says who has not shown that he may: beside the state, and never instead."""
    rows = "".join(_step(ask, text, *each) for each in data.get("unconfirmed", ()))
    return f"<p>{text['unconfirmed']}</p><ul>{rows}</ul>" if rows else ""


def _step(ask: Ask, text: dict[str, Any], event: str, role: str, at: float) -> str:
    when = clock_time(at, ask.now, ask.text())
    by = f" · {text['role'][role]}" if role else ""
    return f"<li>{when}: {text['event'][event]}{by}</li>"


def _need(text: dict[str, Any], code: int) -> str:
    return str(text["need"][code]) if code < len(text["need"]) else str(text["need"][-1])
