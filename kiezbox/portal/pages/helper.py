"""The helpers' page: who needs help, taking it on, and opening what was sealed (docs/help.md).

A helper is let in by number and passphrase; what follows carries a token in its forms, for half an
hour, from the same address. It opens nothing: the private key is unlocked with the passphrase each
time, in a process that lives for that (``portal.reckoning``), and each opening is written down
before it is shown.
"""

from __future__ import annotations

from kiezbox.portal.asking import Ask, Job
from kiezbox.portal.holders import (
    NOBODY,
    TRIES,
    WORKS_AS,
    Holder,
    holder_of,
    is_safe,
    session_field,
    session_of,
)
from kiezbox.portal.tickets import ENDED, box_of, card, number_of, state_of, ticket_at
from kiezbox.portal.words import age, duration, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.portal.answered import Answer
    from kiezbox.portal.shown import Seen
    from kiezbox.store.log import Log


#: Tickets on a page of the list.
PAGE = 20

#: Emergencies first, then what nobody has read, the oldest first; then what is taken; offers last.
_OPEN = f"FROM things WHERE kind = 4 AND expires_at > ? AND state NOT IN {ENDED}"
_LIST = (
    f"SELECT origin || '.' || sequence {_OPEN} ORDER BY topic = 'emergency' DESC, topic = 'offer',"
    " state = 'received' DESC, state = 'taken', written_at, origin, sequence LIMIT ? OFFSET ?"
)


def show(ask: Ask) -> Answer:
    return _door(ask)


def send(ask: Ask) -> Answer | Job:
    if not is_safe(ask):
        return _door(ask)
    act = ask.form.get("act", "")
    if act in ("enter", "claim"):
        return (_enter if act == "enter" else _claim)(ask)
    holder = session_of(ask)
    if act == "leave":
        text = ask.text("helper")
        said = f"<p role=status>{text['left']}</p>"
        return ask.page(text["title"], said, below="helper", keep_s=0)
    if holder is None:
        return _door(ask, "session")
    if act == "open":
        return _open(ask, holder)
    if not ask.form.get("ticket"):
        return _list_page(ask, holder)
    return Job(lambda log: _act(ask, log, holder, act))


# --- the door ------------------------------------------------------------------------------------


def _door(ask: Ask, problem: str = "", **names: str) -> Answer:
    """Kept for nobody else: it depends on how and from where somebody comes."""
    text = ask.text("helper")
    if not is_safe(ask):
        name = ask.facts["network"]["https_name"]
        link = f"https://{name}{ask.path('helper')}" if name else ""
        way = f'<a class=button href="{escape(link)}">{text["https_link"]}</a>'
        lead, rest = text["https"]
        body = f"<p class=n><b>{lead}</b> {rest}</p><p>{way if name else text['https_none']}</p>"
        return ask.page(text["title"], f"<p>{text['what']}</p>{body}", below="helper", keep_s=0)
    note = ""
    if not ask.request.is_tls:
        note = f"<p class=n><b>{text['plain'][0]}</b> {text['plain'][1]}</p>"
    said = text["problem"][problem].format(**names) if problem else ""
    if said:
        note += f"<p class=error role=alert>{said}</p>"
    given = ask.form.get("number", "") if ask.request.method == "POST" else ""
    number = escape(given[:9])
    body = (
        f"<p>{text['what']}</p>{note}"
        + _form(ask, "enter", _number(text, number, "n"), _secret(text, "passphrase"))
        + f"<details{' open' * (ask.form.get('act') == 'claim' if problem else False)}>"
        f"<summary>{text['claim']}</summary>"
        + _form(
            ask, "claim", _number(text, number, "m"), _secret(text, "code"),
            _secret(text, "new", text["new_hint"]), _secret(text, "again"),
        )
        + f"</details><p>{text['lost']}</p>"
    )  # fmt: skip
    status = 429 if problem == "wait" else 403 if problem else 200
    return ask.page(text["title"], body, status=status, below="helper", keep_s=0)


def _form(ask: Ask, act: str, *parts: str) -> str:
    text = ask.text("helper")
    return (
        f"<form method=post action={ask.path('helper')} autocomplete=off>{ask.token_field()}"
        f"{''.join(parts)}<button name=act value={act}>{text[f'{act}_button']}</button></form>"
    )


def _number(text: dict[str, Any], given: str, key: str) -> str:
    return (
        f"<label for={key}>{text['number']}</label><input id={key} name=number inputmode=numeric"
        f' maxlength=9 required value="{given}">'
    )


def _secret(text: dict[str, Any], name: str, hint: str = "") -> str:
    # A code is shown while it is typed: it is good once, and mistakes cost.
    kind = "text" if name == "code" else "password"
    small = f"<small>{hint}</small>" if hint else ""
    return (
        f"<label for={name}>{text[name]}{small}</label><input id={name} name={name} type={kind}"
        " required maxlength=256 autocapitalize=none spellcheck=false>"
    )


def _wait(ask: Ask) -> Answer | None:
    wait_s = TRIES.wait_s(ask.request.client)
    return _door(ask, "wait", duration=duration(wait_s + 59, ask.text())) if wait_s else None


def _enter(ask: Ask) -> Answer | Job:
    from kiezbox.portal.reckoning import reckoned

    if wait := _wait(ask):
        return wait
    holder = holder_of(ask, ask.form.get("number", "").strip(), is_code=False)
    passphrase = ask.form.get("passphrase", "")[:256]

    def prepare() -> dict[str, Any]:
        locked = holder.locked if holder else NOBODY
        return reckoned("check", locked=locked.hex(), passphrase=passphrase)

    def work(log: Log, found: dict[str, Any]) -> Answer:
        if holder is None or "wrong" in found:
            TRIES.was_wrong(ask.request.client)
            return _door(ask, "wrong")
        TRIES.was_right(ask.request.client)
        return _list_page(ask, holder._replace(signer=bytes.fromhex(found["signer"])))

    return Job(work, prepare)


def _claim(ask: Ask) -> Answer | Job:
    from kiezbox.portal.reckoning import reckoned
    from kiezbox.sealing.code_words import folded
    from kiezbox.sealing.locks import fault_of

    if wait := _wait(ask):
        return wait
    new = ask.form.get("new", "").strip()
    fault = fault_of(new) or ("again" if new != ask.form.get("again", "").strip() else "")
    if fault:
        return _door(ask, fault)
    number = ask.form.get("number", "").strip()
    holder, code = holder_of(ask, number, is_code=True), folded(ask.form.get("code", "")[:256])

    def prepare() -> dict[str, Any]:
        locked = holder.locked if holder else NOBODY
        return reckoned("lock anew", locked=locked.hex(), passphrase=code, new=new)

    def work(log: Log, found: dict[str, Any]) -> Answer:
        from kiezbox.store.keyring import Keyring

        ring = Keyring(log)
        if holder is None or "wrong" in found:
            TRIES.was_wrong(ask.request.client)
            if holder is not None:
                ring.tried(holder.number)
            return _door(ask, "code")
        locked = bytes.fromhex(found["locked"])
        if not ring.settle(holder.number, locked):
            return _door(ask, "code")
        TRIES.was_right(ask.request.client)
        mine = holder._replace(locked=locked, signer=bytes.fromhex(found["signer"]))
        said = ask.text("helper")["claimed"].format(number=f"<b>{holder.number}</b>")
        return _list_page(ask, mine, f"<p class=ok role=status>{said}</p>")

    return Job(work, prepare)


# --- the list ------------------------------------------------------------------------------------


def _list_page(ask: Ask, holder: Holder, said: str = "") -> Answer:
    text, words, box = ask.text("helper"), ask.text("help"), box_of(ask)
    given = ask.form.get("page", "")
    page = int(given) if given.isascii() and given.isdecimal() and 0 < len(given) < 5 else 0
    (count,) = (ask.shown.rows(f"SELECT count(*) {_OPEN}", (ask.now,)) or [(0,)])[0]
    rows = ask.shown.rows(_LIST, (ask.now, PAGE, page * PAGE)) or ()
    tickets = [ask.shown.thing(str(name)) for (name,) in rows]
    listed = "".join(_row(ask, words, each, box) for each in tickets if each)
    form = f"<form method=post action={ask.path('helper')}>{ask.token_field()}"
    form += session_field(ask, holder)
    turns = ""
    for name, other in (("newer", page - 1), ("older", page + 1)):
        if 0 <= other * PAGE < count and other != page:
            turns += f"<button class=quiet name=page value={other}>{text[name]}</button>"
    body = (
        f"{said}<h2>{text['open_list'].format(count=count)}</h2>"
        f"{form}{listed or text['none']}</form>{f'{form}{turns}</form>' if turns else ''}"
        f"{form}<button name=act value=list>{ask.text()['reload']}</button>"
        f"<button class=quiet name=act value=leave>{text['leave']}</button></form>"
    )
    return ask.page(text["title"], body, below="helper", style=_STYLE, keep_s=0)


def _row(ask: Ask, words: dict[str, Any], ticket: Seen, box: str) -> str:
    number = escape(number_of(box, ticket.origin, ticket.sequence))
    codes = [code for code in ticket.data["needs"] if code < len(words["need"])]
    lines = [
        words["ticket"][ticket.topic].format(number=number),
        " · ".join(words["need"][code] for code in codes),
        f"<span dir=auto>{escape(ticket.text)}</span>",
        f"<small>{words['state'][ticket.state].format(number='')}"
        f" · {age(ticket.written_at, ask.now, ask.text())}</small>",
    ]
    mark = f"{words['exercise']} · " if ticket.data.get("is_exercise") else ""
    shown = "<br>".join(line for line in lines if line)
    return f"<button class=quiet name=ticket value={number}>{mark}{shown}</button>"


_STYLE = "button.quiet{text-align:start;font-weight:400}dt{font-weight:700}dd{margin:0 0 .6rem;\
white-space:pre-line}"


# --- one ticket ----------------------------------------------------------------------------------


def _act(ask: Ask, log: Log, holder: Holder, act: str) -> Answer:
    """One step, and the ticket after it; without one, the ticket, or the list."""
    from kiezbox.store.helping import Refused, Unproven, ref_of
    from kiezbox.store.helping import act as do

    ref = ref_of(log.box, ask.form.get("ticket", ""))
    if ref is None or log.thing(ref) is None:
        return _list_page(ask, holder)
    problem = ""
    if act:
        try:
            role, signer = WORKS_AS[holder.role], holder.signer
            do(log, ref, act, role, who=holder.who, signer=signer, once=ask.once)
        except Refused as error:
            problem = "key" if isinstance(error, Unproven) else "way"
    return _ticket_page(ask, log, holder, log.thing(ref), problem=problem)


def _ticket_page(
    ask: Ask, log: Log, holder: Holder, ticket: Any, *, problem: str = "", exact: str = ""
) -> Answer:
    from kiezbox.records.tickets import TRANSITIONS, Event, State, may

    text = ask.text("helper")
    number = number_of(log.box, ticket.origin, ticket.sequence)
    role = WORKS_AS[holder.role]
    mine = [role, holder.who.hex()]
    takers = [list(each) for each in ticket.data["takers"]]
    hidden = (
        f"{ask.token_field()}{session_field(ask, holder)}"
        f'<input type=hidden name=ticket value="{escape(number)}">'
    )
    form = f"<form method=post action={ask.path('helper')}>{hidden}"
    body = f"<p class=error role=alert>{text['problem'][problem]}</p>" if problem else ""
    body += card(ask, ticket, log.box, has_link=False, is_for_helpers=True) + state_of(
        ask, ticket, log.box
    )
    if takers:
        others = len(takers) - (mine in takers)
        who = [text["me"]] * (mine in takers)
        who += [text["others"].format(count=others)] * bool(others)
        body += f"<p>{text['taken_by'].format(who=', '.join(who))}</p>"
    body += exact or _unseal_form(text, ticket, form)
    buttons = ""
    for event in Event:
        is_way = (State(ticket.state), event) in TRANSITIONS and may(role, event)
        is_own = (event is Event.YIELD) == (mine in takers) or event not in (
            Event.YIELD,
            Event.TAKE,
        )
        if is_way and is_own and event not in (Event.MERGE, Event.LEFT):
            buttons += f"<button class=quiet name=act value={event}>{text['do'][event]}</button>"
    body += f"{form}<h2>{text['act']}</h2>{buttons}</form>" if buttons else ""
    back = f"<form method=post action={ask.path('helper')}>{ask.token_field()}"
    body += f"{back}{session_field(ask, holder)}<button>{text['to_list']}</button></form>"
    return ask.page(text["title"], body, below="helper", style=_STYLE)


def _unseal_form(text: dict[str, Any], ticket: Any, form: str) -> str:
    if not ticket.data.get("is_sealed"):
        return f"<p>{text['nothing_sealed']}</p>"
    return (
        f"{form}<h2>{text['unseal']}</h2><p>{text['unseal_why']}</p>"
        f"{_secret(text, 'passphrase')}<button name=act value=open>{text['unseal_button']}</button>"
        "</form>"
    )


def _open(ask: Ask, holder: Holder) -> Answer | Job:
    from kiezbox.portal.reckoning import reckoned

    if wait := _wait(ask):
        return wait
    ticket, passphrase = ticket_at(ask, ask.form.get("ticket", "")), ask.form.get("passphrase", "")
    if ticket is None:
        return _list_page(ask, holder)
    seen = ticket

    def prepare() -> dict[str, Any]:
        sealed = _sealed(ask, seen, holder.role)
        given = {"locked": holder.locked.hex(), "passphrase": passphrase[:256]}
        checked = reckoned("open", sealed=sealed.hex(), **given)
        # Sealed to a key of before, or the passphrase is wrong? The helper shall know which.
        return checked if "text" in checked else reckoned("check", **given)

    def work(log: Log, found: dict[str, Any]) -> Answer:
        from kiezbox.records import Ref
        from kiezbox.store.helping import note_opening, opened

        if "wrong" in found:
            TRIES.was_wrong(ask.request.client)
            return _ticket_page(ask, log, holder, seen, problem="wrong")
        if "text" not in found:
            return _ticket_page(ask, log, holder, seen, problem="sealed")
        # First it is written down; the answer goes out when that is durable.
        ref, role = Ref(seen.origin, seen.sequence), WORKS_AS[holder.role]
        note_opening(log, ref, role, holder.who, holder.signer)
        exact = _exact(ask, opened(bytes.fromhex(found["text"])))
        return _ticket_page(ask, log, holder, seen, exact=exact)

    return Job(work, prepare)


def _sealed(ask: Ask, ticket: Seen, role: str) -> bytes:
    """What of it is sealed to this role."""
    from kiezbox.records import kind_named, unpack, unpack_body

    sql = "SELECT frame FROM log WHERE origin = ? AND sequence = ?"
    for (frame,) in ask.shown.rows(sql, (ticket.origin, ticket.sequence)) or ():
        body, _ = unpack_body(kind_named("ticket"), unpack(bytes(frame)).body)
        return bytes(body.get(f"sealed_{role}", b""))
    return b""


def _exact(ask: Ask, exact: dict[str, str]) -> str:
    text = ask.text("helper")
    rows = ""
    for name in ("place", "name", "phone", "people", "words"):
        if not exact.get(name):
            continue
        value = f"<bdi dir=auto>{escape(exact[name])}</bdi>"
        dial = "".join(sign for sign in exact[name] if sign in "+0123456789")
        if name == "phone" and dial:
            value = f'<a href="tel:{dial}">{value}</a>'
        rows += f"<dt>{text['exact'][name]}</dt><dd>{value}</dd>"
    return (
        f"<article><h2>{text['opened']}</h2><dl>{rows}</dl><p><b>{text['opened_why']}</b></p>"
        "</article>"
    )
