"""First steps: what to do when something has happened, and how to be prepared, to read and print.

Overview at ``steps``, a page per topic below it (``portal.topics``). The words are our own; where
the facts in them are from stands in docs/facts.md.
"""

from __future__ import annotations

from kiezbox.portal.asking import Ask
from kiezbox.portal.countries import phones_here
from kiezbox.portal.topics import PREPARED, TOPICS
from kiezbox.portal.words import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiezbox.portal.answered import Answer

__all__ = ["phones", "show"]

#: Where steps must be done in their order, they are numbered: the five questions.
_NUMBERED = ("call", 0)

#: Topics that end with the services' own numbers, with the poison helpline, with the doctor on
#: call, with the way to places.
_OWN, _POISON, _DOCTOR = ("call",), ("call", "aid"), ("call", "medical")
_PLACED = ("eat", "cold", "medical", "heat")

#: Numbers that can be called by touch. ``text_here`` has put the police's into sentences already.
_CALLED = {name: name for name in ("fire", "ambulance", "doctor", "poison")}
_CALLED["police_call"] = "police"


def show(ask: Ask) -> Answer:
    """The overview, or the topic that the path names."""
    topic = ask.rest[0] if len(ask.rest) == 1 else ""
    if topic in TOPICS:
        return _topic(ask, topic)
    return ask.page(ask.text("steps")["title"], _overview(ask), below="steps", has_forms=False)


def phones(ask: Ask) -> dict[str, str]:
    """What to dial here, as HTML: the country's numbers and the region's poison helpline ("": not
    known). Those of ``_CALLED`` can be called by touch.
    """
    numbers = phones_here(ask.facts)
    return {**numbers, **{name: _call(numbers[which]) for name, which in _CALLED.items()}}


def _call(number: str) -> str:
    """From left to right: Arabic would turn the groups of a number around. Hours in brackets are
    no part of it.
    """
    dialled = "".join(each for each in number.partition("(")[0] if each in "+0123456789")
    return f"<a href=tel:{dialled} dir=ltr>{escape(number)}</a>" if number else ""


def _overview(ask: Ask) -> str:
    text = ask.text("steps")
    return (
        f"<p>{text['lead']}</p>{_links(ask, [each for each in TOPICS if each != 'supplies'])}"
        f"<h2>{text['prepared']}</h2><p>{text['prepared_how']}</p>{_links(ask, PREPARED)}"
    )


def _links(ask: Ask, topics: Iterable[str]) -> str:
    titles = ask.text("steps")["topics"]
    links = "".join(
        f"<li><a href={ask.path('steps', each)}>{titles[each]['title']}</a>" for each in topics
    )
    return f"<ul class=tasks>{links}</ul>"


def _topic(ask: Ask, topic: str) -> Answer:
    text, numbers = ask.text("steps"), phones(ask)
    words = text["topics"][topic]
    lead, rest = ask.text()["first_always"][0]
    body = f"<p class=n><b>{lead}</b> {rest}</p>"
    for number, part in enumerate(words["parts"]):
        kind = "ol" if (topic, number) == _NUMBERED else "ul"
        items = "".join(f"<li>{each.format(**numbers)}" for each in part["items"])
        body += f"<h2>{part['title']}</h2><{kind}>{items}</{kind}>"
    if topic in _OWN and numbers["fire"] and numbers["ambulance"]:
        body += f"<p>{text['own'].format(**numbers)}</p>"
    if topic in _POISON:
        entry = "poison" if numbers["poison"] else "no_poison"
        body += f"<p>{text[entry].format(**numbers)}</p>"
    if topic in _DOCTOR and numbers["doctor"]:
        body += f"<p>{text['doctor'].format(**numbers)}</p>"
    more = ""
    if topic in _PLACED:
        more += f"<li><a href={ask.path('where')}>{text['where']}</a>"
    more += f"<li><a href={ask.path('help')}>{text['ask_help']}</a>"
    related = _links(ask, TOPICS[topic]).removesuffix("</ul>")
    body += (
        f"<div class=noprint><h2>{text['related']}</h2>{related}{more}"
        f"<li><a href={ask.path('steps')}>{text['all']}</a></ul></div>"
    )
    return ask.page(words["title"], body, has_forms=False)
