"""What residents publish for everybody to read: looked at before it is taken (docs/board.md)."""

from __future__ import annotations

from kiezbox.records.wording import (
    clean,
    find_link,
    find_number,
    has_something,
    signs,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kiezbox.portal.asking import Ask

__all__ = ["cleaned", "problem_of", "reporter_of", "voice_of"]


def cleaned(ask: Ask, field: str, most_bytes: int, *, lines: bool = True) -> str:
    """A field of the form as it may be published."""
    return clean(ask.form.get(field, ""), most_bytes, lines=lines)


def problem_of(ask: Ask, text: str, most_signs: int, most_bytes: int) -> str:
    """Why this is not published: "empty", "long", "link", "blocked", or "number" where somebody
    should think twice; "": it is.
    """
    from kiezbox.portal.gate import house_of

    if not has_something(text):
        return "empty"
    # Characters are never more than code points, and their tables are loaded for long texts only.
    if len(text.encode()) >= most_bytes or (len(text) > most_signs and signs(text) > most_signs):
        return "long"
    if find_link(text):
        return "link"
    if house_of(ask).blocked.has(text):
        return "blocked"
    return "number" if find_number(text) else ""


def reporter_of(ask: Ask, about: str) -> bytes:
    """The guest as one voice among others about one thing: eight bytes that name nobody, and others
    about every thing, so that nobody's ways can be read from them. Who is one guest, says
    ``crowd.Links``.
    """
    from kiezbox.portal.crowd import party_of

    party = party_of(ask.request.client)
    return ask.forms.hashed(f"{about} {party if isinstance(party, str) else party.hex()}")


def voice_of(ask: Ask, about: str) -> bytes:
    """The same where voices decide: in the emergency WLAN all who have just come are one. Else one
    person joins three times within a minute and is three.
    """
    is_street = ask.sight.street().posture not in (None, "closed")
    if is_street and ask.guests is not None and ask.guests.is_newcomer(ask.request.client):
        return ask.forms.hashed(f"{about} newcomers")
    return reporter_of(ask, about)
