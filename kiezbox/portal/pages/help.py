"""Help: to ask for it, to offer it, to see what has become of it (docs/help.md).

``/help``: what to do first; ``/help/ask``, ``offer``, ``emergency``: a form each; ``/help/list``:
what is asked and offered, twenty a page; ``/help/42``: one ticket. What is exact is sealed to
those who may help, before anything is stored.
"""

from __future__ import annotations

from kiezbox.portal.asking import Ask, Job
from kiezbox.portal.countries import phones_here
from kiezbox.portal.reporting import report, report_form
from kiezbox.portal.tickets import (
    ENDED,
    box_of,
    card,
    keys_of,
    number_of,
    state_of,
    ticket_at,
)
from kiezbox.portal.words import escape
from kiezbox.situation import is_exercise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.portal.answered import Answer
    from kiezbox.portal.shown import Seen
    from kiezbox.records import Ref
    from kiezbox.store.log import Log

FORMS = ("ask", "offer", "emergency")

#: Kinds of points (``place.points``) from which somebody can call for help.
CALLS = ("emergency_call", "fire_station", "police", "lighthouse")

#: Bytes of UTF-8, as ``store.helping.EXACT`` and the record's field have them.
MOST = {"block": 120, "place": 300, "name": 120, "phone": 60, "words": 900}
MOST_SIGNS = 80

#: Needs on which a life may hang: power for a machine, medicine (``store.helping.NEEDS``).
URGENT = (0, 1)

PAGE = 20

_LIST = (
    "SELECT origin || '.' || sequence FROM things WHERE kind = 4 AND is_hidden = 0"
    f" AND expires_at > ? AND topic IN (?, ?) AND state NOT IN {ENDED}"
    " ORDER BY written_at DESC, origin, sequence DESC LIMIT ? OFFSET ?"
)

_STYLE = ".w{font:700 1.7rem/1.4 system-ui,sans-serif}textarea{min-height:7rem}"


def show(ask: Ask) -> Answer:
    first = ask.rest[0] if ask.rest else ask.query.get("number", "").strip()
    if not first:
        return _first_page(ask)
    if first in FORMS:
        return _form_page(ask, first)
    if first == "list":
        return _list_page(ask)
    return _ticket_page(ask, first)


def send(ask: Ask) -> Answer | Job:
    first = ask.rest[0] if ask.rest else ""
    if first in FORMS:
        return _receive(ask, first)
    return _change(ask, first) if first else _first_page(ask)


# --- what to do first ----------------------------------------------------------------------------


def _first_page(ask: Ask) -> Answer:
    text = ask.text("help")
    lead, rest = text["not_112"]
    steps = "".join(f"<li>{each}</li>" for each in text["fails_steps"])
    five = "".join(f"<li>{each}</li>" for each in text["five"])
    tasks = "".join(
        f"<li><a href={ask.path('help', name)}>{text['task'][name]}</a></li>"
        for name in ("ask", "emergency", "offer", "list")
    )
    body = (
        f"<p class=n><b>{lead}</b> {rest}</p><p>"
        f"<a class=button href=tel:{phones_here(ask.facts)['emergency']}>{text['call']}</a></p>"
        f"<h2>{text['fails']}</h2><ol>{steps}</ol>{_nearest(ask, text)}"
        f"<h2>{text['tasks']}</h2><ul class=tasks>{tasks}</ul>"
        f"<details><summary>{text['questions']}</summary><ol>{five}</ol></details>"
        f"<form action={ask.path('help')}><h2>{text['find']}</h2>"
        f"<label for=n>{text['find_label']}</label><input id=n name=number required maxlength=80"
        f" autocomplete=off><button class=quiet>{text['find_button']}</button></form>"
        f"<p><a href={ask.path('helper')}>{ask.text('helper')['title']}</a></p>"
    )
    return ask.page(text["title"], body, below="help")


def _nearest(ask: Ask, text: dict[str, Any]) -> str:
    """The nearest place that can call for help, if the box knows its surroundings."""
    from kiezbox.portal.places import Surroundings
    from kiezbox.portal.points import name_of, way_to

    around = Surroundings(ask)
    found = around.near(CALLS, 1) if around else []
    lines = [
        text["nearest"].format(name=f"<b>{name_of(ask, each.point)}</b>", way=way_to(ask, each))
        for each in found
        if each.metres is not None
    ]
    link = f"<a href={ask.path('where', 'help')}>{text['where']}</a>"
    return "".join(f"<p>{each}</p>" for each in lines) + f"<p>{link}</p>"


# --- asking, offering ----------------------------------------------------------------------------


def _form_page(ask: Ask, what: str, problem: str = "") -> Answer:
    text = ask.text("help")
    given = ask.form if ask.request.method == "POST" else {}
    lead, rest = text["not_112"]
    note = "" if what == "offer" else f"<p class=n><b>{lead}</b> {rest}</p>"
    said = f"<p class=error role=alert id=e>{text['problem'][problem]}</p>" if problem else ""
    described = ' aria-describedby="e"' if problem else ""
    needs = "" if what == "emergency" else _needs(ask, what, given)
    has_keys, is_tls = bool(keys_of(ask)), ask.request.is_tls
    exact = (
        _exact(text, what, given, is_tls=is_tls)
        if has_keys
        else f"<p class=n>{text['no_keys']}</p>"
    )
    # Before the public part where somebody has no time, after it where the block says most.
    block = _input(text, "block", given, hint=text["block_hint"], needed=True)
    parts = exact + block if what == "emergency" and has_keys else needs + block + exact
    if problem == "keys":
        # Still there, so that nobody must write it again; nothing of it is stored.
        parts += _exact(text, what, given, is_tls=is_tls)
    body = (
        f"{note}{said}<form method=post action={ask.path('help', what)}{described}>"
        f"{ask.token_field()}{parts}<button>{text['send'][what]}</button></form>{_back(ask, text)}"
    )
    status = 400 if problem else 200
    title = text["task"][what].partition(":")[0]
    return ask.page(title, body, style=_STYLE, status=status, below=f"help/{what}")


def _needs(ask: Ask, what: str, given: dict[str, str]) -> str:
    text = ask.text("help")
    ticked = ask.forms_all("need") if given else []
    boxes = "".join(
        f"<label><input type=checkbox name=need value={n}{' checked' * (str(n) in ticked)}>"
        f"{label}</label>"
        for n, label in enumerate(text["need"])
    )
    return f"<fieldset><legend>{text['needs'][what]}</legend>{boxes}</fieldset>"


def _exact(text: dict[str, Any], what: str, given: dict[str, str], *, is_tls: bool) -> str:
    """What only those who may help can read."""
    is_emergency = what == "emergency"
    words = (
        f"<label for=words>{text['words'][what]}</label><textarea id=words name=words rows=4"
        f" dir=auto maxlength={MOST['words']}{' required' * is_emergency}>\n"
        f"{escape(given.get('words', ''))}</textarea>"
    )
    place = _input(text, "place", given, hint=text["place_hint"], needed=is_emergency)
    people = "" if what == "offer" else _people(text, given)
    name, phone = (_input(text, each, given) for each in ("name", "phone"))
    air = "" if is_tls else f"<p>{text['air']}</p>"
    rows = (
        [name, place, words, people, phone] if is_emergency else [people, place, name, phone, words]
    )
    return (
        f"<fieldset><legend>{text['secret']}</legend><p>{text['secret_why']}</p>{air}"
        f"{''.join(rows)}</fieldset>"
    )


def _people(text: dict[str, Any], given: dict[str, str]) -> str:
    return (
        f"<label for=people>{text['people']}</label><input id=people name=people inputmode=numeric"
        f' maxlength=3 value="{escape(given.get("people", ""))}">'
    )


def _input(
    text: dict[str, Any], name: str, given: dict[str, str], *, hint: str = "", needed: bool = False
) -> str:
    small = f"<small>{hint}</small>" if hint else ""
    value = escape(given.get(name, ""))
    return (
        f"<label for={name}>{text[name]}{small}</label><input id={name} name={name} dir=auto"
        f' maxlength={MOST[name]} value="{value}"{" required" * needed}>'
    )


def _read(ask: Ask, what: str) -> tuple[str, str, list[int], dict[str, Any]]:
    """The first problem ("" if there is none), the block, the needs, what is exact."""
    from kiezbox.portal.public import cleaned, problem_of

    form = ask.form
    ticked = range(len(ask.text("help")["need"]))
    needs = [n for n in ticked if str(n) in ask.forms_all("need")] if what != "emergency" else []
    block = cleaned(ask, "block", MOST["block"], lines=False)
    problem = problem_of(ask, block, MOST_SIGNS, MOST["block"])
    problem = {"empty": "block"}.get(problem, problem)
    exact: dict[str, Any] = {}
    for name in ("place", "name", "phone", "words"):
        exact[name] = cleaned(ask, name, MOST[name], lines=name == "words")
        if len(form.get(name, "").strip().encode("utf-8", "replace")) > MOST[name]:
            problem = "long"
    people = form.get("people", "").strip()
    if people and not (people.isdecimal() and len(people) <= 3 and int(people)):
        problem = "people"
    elif people:
        exact["people"] = int(people)
    exact = {name: value for name, value in exact.items() if value}
    if what != "emergency" and not needs:
        problem = "need"
    elif what == "emergency" and keys_of(ask):
        for name in ("words", "place"):
            problem = problem if exact.get(name) else name
    return problem, block, needs, exact


def _receive(ask: Ask, what: str) -> Answer | Job:
    problem, block, needs, exact = _read(ask, what)
    if problem:
        return _form_page(ask, what, problem)
    once = ask.once
    # Out of what makes the form the same form: sent twice, it is told the same words.
    seed = ask.forms.once("words of a ticket", once)
    salt = ask.forms.once("salt of a ticket", once)

    def work(log: Log) -> Answer:
        from kiezbox.sealing import ticket_check, words_of
        from kiezbox.store.helping import ticket_draft
        from kiezbox.store.keyring import Keyring

        publics = Keyring(log).publics()
        if exact and not publics:
            return _form_page(ask, what, "keys")
        words = " ".join(words_of(seed, ask.language))
        draft = ticket_draft(
            publics, what=what, needs=needs, block=block, exact=exact,
            check=ticket_check(words, salt), language=ask.language, once=once,
            is_exercise=is_exercise(ask.facts),
        )  # fmt: skip
        (added,) = log.add(draft)
        return _sent_page(ask, what, number_of(log.box, *added.ref), words, needs)

    return Job(work)


def _sent_page(ask: Ask, what: str, number: str, words: str, needs: list[int]) -> Answer:
    text = ask.text("help")
    link = escape(ask.path("help", number))
    # Whose machine ends in three hours must not sit beside the phone until it does.
    urgent = what == "emergency" or (what == "ask" and bool(set(URGENT).intersection(needs)))
    first = f"<p class=n><b>{text['dont_wait']}</b></p>" if urgent and what == "ask" else ""
    first += _nearest(ask, text) if urgent else ""
    body = (
        f"<p class=ok role=status>{text['sent'][what]}</p>{first}"
        f"<h2>{text['number']}</h2><p class=w><bdi>{escape(number)}</bdi></p>"
        f"<h2>{text['code']}</h2><p class=w><bdi>{words}</bdi></p><p>{text['keep']}</p>"
        f'<p><a class=button href="{link}">{text["look"]}</a></p>{_back(ask, text)}'
    )
    return ask.page(text["title"], body, style=_STYLE, below="help")


# --- what is asked and offered -------------------------------------------------------------------


def _list_page(ask: Ask) -> Answer:
    """``/help/list/ask/3``: the third page of what is asked."""
    text = ask.text("help")
    topic = ask.rest[1] if len(ask.rest) > 1 and ask.rest[1] in text["list"] else "ask"
    given = ask.rest[2] if len(ask.rest) > 2 else "1"
    page = int(given) if given.isascii() and given.isdecimal() and 0 < len(given) < 5 else 1
    # An emergency is for those who can open where it is, and not for who likes to look on. Where
    # there is nobody, neighbours are all there is; the form says that everybody reads it.
    more = "emergency" if topic == "ask" and not keys_of(ask) else topic
    rows = ask.shown.rows(_LIST, (ask.now, topic, more, PAGE + 1, (max(1, page) - 1) * PAGE)) or []
    box, tickets = box_of(ask), [ask.shown.thing(str(name)) for (name,) in rows[:PAGE]]
    cards = "".join(card(ask, each, box) for each in tickets if each)
    links = "".join(
        f"<a href={ask.path('help', 'list', name)}{' aria-current=page' * (name == topic)}>"
        f"{label}</a>"
        for name, label in text["list"].items()
    )
    turns = ""
    if page > 1:
        turns += f"<a href={ask.path('help', 'list', topic, str(page - 1))}>{text['newer']}</a>"
    if len(rows) > PAGE:
        turns += f"<a href={ask.path('help', 'list', topic, str(page + 1))}>{text['older']}</a>"
    body = f'<nav aria-label="{text["task"]["list"]}">{links}</nav>'
    body += cards or f"<p>{text['none']}</p>"
    if turns:
        body += f'<nav class=pages aria-label="{text["pages"]}">{turns}</nav>'
    style = "[aria-current]{font-weight:700;text-decoration:none}"
    return ask.page(
        text["list"][topic], body + _back(ask, text), style=style,
        below="/".join(("help", "list", topic, str(page))),
    )  # fmt: skip


# --- one ticket ----------------------------------------------------------------------------------


def _ticket_page(ask: Ask, number: str, problem: str = "") -> Answer:
    text = ask.text("help")
    ticket = ticket_at(ask, number)
    if ticket is None:
        body = f"<p>{text['gone']}</p>{_back(ask, text)}"
        return ask.page(text["title"], body, status=404, below="help")
    box = box_of(ask)
    name = number_of(box, ticket.origin, ticket.sequence)
    said = f"<p class=error role=alert id=e>{text['problem'][problem]}</p>" if problem else ""
    body = said + card(ask, ticket, box, has_link=False) + state_of(ask, ticket, box)
    body += _own_form(ask, ticket, name, problem)
    if ticket.text and not ticket.is_hidden:
        # The block is all that a neighbour wrote for everybody; what is sealed nobody can report.
        body += report_form(ask, ticket)
    body += _back(ask, text)
    return ask.page(
        text["title"],
        body,
        style=_STYLE,
        status=400 if problem else 200,
        keep_s=0,
        below=f"help/{name}",
    )


def _own_form(ask: Ask, ticket: Seen, number: str, problem: str) -> str:
    """For whoever has its words."""
    text = ask.text("help")
    act = "withdraw" if ticket.state not in ENDED else "reopen"
    if ticket.state == "merged":
        return ""
    given = escape(ask.form.get("code", "")) if ask.request.method == "POST" else ""
    why = f"<p>{text['own_why']}</p>" if act == "withdraw" else ""
    described = " aria-describedby=e aria-invalid=true" if problem == "code" else ""
    return (
        f'<form method=post action="{escape(ask.path("help", number))}"><h2>{text["own"]}</h2>'
        f"{ask.token_field()}{why}<label for=code>{text['code']}</label>"
        f'<input id=code name=code value="{given}" required autocomplete=off autocapitalize=none'
        f" spellcheck=false maxlength=120{described}>"
        f"<button class=quiet name=act value={act}>{text[act]}</button></form>"
    )


def _change(ask: Ask, number: str) -> Answer | Job:
    ticket, act = ticket_at(ask, number), ask.form.get("act", "")
    words = ask.form.get("code", "")[:200]
    if ticket is not None and act == "report":
        return report(ask, ticket)
    if ticket is None or act not in ("withdraw", "reopen"):
        return _ticket_page(ask, number)
    origin, sequence, once = ticket.origin, ticket.sequence, ask.once

    def work(log: Log) -> Answer:
        from kiezbox.records import Ref

        problem = _said_by_resident(log, Ref(origin, sequence), act, words, once)
        # Read from what is being written, not from what others see so far.
        return _ticket_page(ask, number, problem) if problem else ask.see("help", number)

    return Job(work)


def _said_by_resident(log: Log, ref: Ref, act: str, words: str, once: bytes) -> str:
    """What is wrong, as a key of the texts; "" if nothing is."""
    from kiezbox.sealing import ticket_signer
    from kiezbox.store.helping import Refused
    from kiezbox.store.helping import act as do

    told, thing = log.told(ref), log.thing(ref)
    kept = told[0].body.get("lookup", b"") if told else b""
    if thing and act == "withdraw" and thing.state == "withdrawn":
        return ""  # Sent twice.
    signer = ticket_signer(words, kept)
    if not signer:
        return "code"
    try:
        do(log, ref, act, "resident", signer=signer, once=once)
    except Refused:
        return "way"
    return ""


def _back(ask: Ask, text: dict[str, Any]) -> str:
    return f"<p><a href={ask.path('help')}>{text['back']}</a></p>"
