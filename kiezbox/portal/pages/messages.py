"""Messages: to a name and a pick-up word, sealed with both, found by whoever types them.

``/messages``: leave one, or pick some up. There is no list of names, and no account: whoever knows
both is the one it is for. The page says what that is worth.
"""

from __future__ import annotations

from kiezbox.portal.asking import Ask, Job
from kiezbox.portal.words import clock_time, escape
from kiezbox.situation import is_exercise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.portal.answered import Answer
    from kiezbox.store.log import Log

#: Bytes of UTF-8, so that all of it sealed fits the record's 1,500.
MOST = {"to": 80, "word": 120, "from": 80, "text": 1000}

#: Folded letters of a pick-up word. Five are guessed in an hour by whoever has a copy; the page
#: says so.
LEAST_WORD = 5

#: Messages on one page.
PAGE = 20


def show(ask: Ask) -> Answer:
    return _page(ask)


def send(ask: Ask) -> Answer | Job:
    first = ask.rest[0] if ask.rest else ""
    return {"pick": _pick, "erase": _erase}.get(first, _leave)(ask)


def _page(ask: Ask, problem: str = "", where: str = "") -> Answer:
    """``where``: the form that has the problem, "leave" or "pick"."""
    text = ask.text("messages")
    given = ask.form if ask.request.method == "POST" else {}
    said = f"<p class=error role=alert>{text['problem'][problem]}</p>" if problem else ""
    if where == "pick":
        # What is wrong stands above what was typed, not below a form for something else.
        body = f"{said}{_pick_form(ask, text, given)}{_back(ask, text)}"
        return ask.page(text["title"], body, status=400, below="messages")
    limits = "".join(f"<li>{each}</li>" for each in text["limits_text"])
    body = (
        f"<p>{text['what']}</p><p><a href=#pick>{text['pick']}</a></p>{said}"
        f"{_leave_form(ask, text, given)}{_pick_form(ask, text, {})}"
        f"<details><summary>{text['limits']}</summary><ul>{limits}</ul></details>"
    )
    return ask.page(text["title"], body, status=400 if problem else 200, below="messages")


def _leave_form(ask: Ask, text: dict[str, Any], given: dict[str, str]) -> str:
    area = (
        f"<label for=text>{text['text']}</label><textarea id=text name=text rows=5 required"
        f" dir=auto maxlength={MOST['text']}>\n{escape(given.get('text', ''))}</textarea>"
    )
    return (
        f"<form method=post action={ask.path('messages')}><h2>{text['leave']}</h2>"
        f"{ask.token_field()}{_input('to', text['to'], given)}"
        f"{_input('word', text['word'], given, hint=text['word_hint'])}"
        f"{_input('from', text['from'], given, hint=text['optional'], is_needed=False)}{area}"
        f"<button>{text['leave_button']}</button></form>"
    )


def _pick_form(ask: Ask, text: dict[str, Any], given: dict[str, str]) -> str:
    return (
        f"<form method=post action={ask.path('messages', 'pick')}><h2 id=pick>{text['pick']}</h2>"
        f"{ask.token_field()}{_input('to', text['your_name'], given, key='pick')}"
        f"{_input('word', text['word'], given, key='pick')}"
        f"<button class=quiet>{text['pick_button']}</button></form>"
    )


def _input(
    name: str,
    label: str,
    given: dict[str, str],
    *,
    hint: str = "",
    is_needed: bool = True,
    key: str = "",
) -> str:
    small = f"<small>{hint}</small>" if hint else ""
    typed = " autocapitalize=none spellcheck=false" * (name == "word")
    return (
        f"<label for={key}{name}>{label}{small}</label><input id={key}{name} name={name} dir=auto"
        f' maxlength={MOST[name]} autocomplete=off{typed} value="{escape(given.get(name, ""))}"'
        f"{' required' * is_needed}>"
    )


def _address(ask: Ask) -> tuple[str, str, str]:
    """Name and word as typed, and the first problem."""
    from kiezbox.sealing.code_words import folded

    to, word = (ask.form.get(name, "")[:200] for name in ("to", "word"))
    problem = "" if len(folded(word)) >= LEAST_WORD else "word"
    return to, word, problem if folded(to) else "to"


# --- leaving one ---------------------------------------------------------------------------------


def _leave(ask: Ask) -> Answer | Job:
    from kiezbox.portal.public import cleaned
    from kiezbox.portal.reckoning import reckoned

    to, word, problem = _address(ask)
    told: dict[str, Any] = {
        name: cleaned(ask, name, MOST[name], lines=name == "text") for name in ("from", "text")
    }
    if not problem and not told["text"]:
        problem = "text"
    for name, most in MOST.items():
        if len(ask.form.get(name, "").strip().encode("utf-8", "replace")) > most:
            problem = "long"
    if problem:
        return _page(ask, problem, "leave")
    if is_exercise(ask.facts):
        told["exercise"] = 1
    once = ask.once

    def prepare() -> dict[str, Any]:
        return reckoned("words", purpose="message", words=[to, word])

    def work(log: Log, found: dict[str, Any]) -> Answer:
        from kiezbox.records.record import encoded
        from kiezbox.sealing import check_of, seal_by
        from kiezbox.store.log import Draft

        text = ask.text("messages")
        fields = {
            "lookup": bytes.fromhex(found["lookup"]),
            "sealed": seal_by(bytes.fromhex(found["key"]), encoded(told)),
            "erase": check_of(bytes.fromhex(found["proof"])),
        }
        log.add(Draft(kind="message", fields=fields, once=once))
        name = f"<bdi>{escape(cleaned(ask, 'to', MOST['to'], lines=False))}</bdi>"
        body = (
            f"<p class=ok role=status>{text['left']}</p><p>{text['left_to'].format(name=name)}</p>"
            f"<p>{text['left_how']}</p><p>{text['limits_text'][-1]}</p>{_back(ask, text)}"
        )
        return ask.page(text["title"], body, below="messages")

    return Job(work, prepare)


# --- picking up ----------------------------------------------------------------------------------


def _pick(ask: Ask) -> Answer | Job:
    from kiezbox.portal.reckoning import reckoned

    to, word, problem = _address(ask)
    if problem:
        return _page(ask, problem, "pick")

    def prepare() -> dict[str, Any]:
        return reckoned("words", purpose="message", words=[to, word])

    def work(log: Log, found: dict[str, Any]) -> Answer:
        opened = _opened(log, bytes.fromhex(found["lookup"]), bytes.fromhex(found["key"]))
        return _found_page(ask, opened, found["proof"])

    return Job(work, prepare)


def _opened(log: Log, lookup: bytes, key: bytes) -> list[tuple[str, float, dict[str, Any]]]:
    """Its id, when it was written, and what it says; the newest first."""
    from kiezbox.records import Ref
    from kiezbox.records.record import decoded
    from kiezbox.sealing import NotOpened, open_by

    shown = []
    for thing in log.found("message", lookup)[:PAGE]:
        told = log.told(Ref(thing.origin, thing.sequence))
        try:
            found = decoded(open_by(key, told[0].body["sealed"])) if told else {}
        except (NotOpened, ValueError):
            continue
        if isinstance(found, dict):
            shown.append((f"{thing.origin}.{thing.sequence}", thing.written_at, found))
    return shown


def _found_page(ask: Ask, found: list[tuple[str, float, dict[str, Any]]], proof: str) -> Answer:
    from kiezbox.portal.public import cleaned

    text = ask.text("messages")
    if not found:
        form = _pick_form(ask, text, ask.form)
        body = f"<p class=n role=status>{text['none']}</p>{form}{_back(ask, text)}"
        return ask.page(text["title"], body, below="messages")
    name = f"<bdi>{escape(cleaned(ask, 'to', MOST['to'], lines=False))}</bdi>"
    cards, room = "", 9000
    for each in found:
        card = _card(ask, text, *each, proof)
        room -= len(card.encode())
        if room < 0 and cards:
            break
        cards += card
    heading = f"<h2>{text['found'].format(name=name)}</h2>"
    return ask.page(text["title"], heading + cards + _back(ask, text), below="messages")


def _card(
    ask: Ask, text: dict[str, Any], name: str, at: float, told: dict[str, Any], proof: str
) -> str:
    sender = f"<bdi>{escape(str(told['from']))}</bdi>" if told.get("from") else ""
    lines = [f"<b>{text['exercise']}</b>"] if told.get("exercise") else []
    lines += [text["sender"].format(name=sender)] if sender else []
    lines.append(text["written"].format(when=clock_time(at, ask.now, ask.text())))
    return (
        f"<article><p dir=auto>{escape(str(told.get('text', '')))}</p>"
        f"<small>{' · '.join(lines)}</small>"
        f"<form method=post action={ask.path('messages', 'erase')}>{ask.token_field()}"
        f'<input type=hidden name=id value="{escape(name)}">'
        f'<input type=hidden name=proof value="{proof}">'
        f"<button class=quiet>{text['erase']}</button></form></article>"
    )


def _erase(ask: Ask) -> Answer | Job:
    """Whoever could read it may take it away."""
    message, once = ask.shown.thing(ask.form.get("id", "")), ask.once
    try:
        proof = bytes.fromhex(ask.form.get("proof", ""))
    except ValueError:
        proof = b""
    text = ask.text("messages")

    def answer(word: str, kind: str) -> Answer:
        body = f"<p class={kind} role=status>{text[word]}</p>{_back(ask, text)}"
        return ask.page(text["title"], body, below="messages")

    if message is None or message.kind != 9:
        return answer("not_erased", "n")
    origin, sequence = message.origin, message.sequence

    def work(log: Log) -> Answer:
        from kiezbox.records import Ref
        from kiezbox.sealing import is_proof_of
        from kiezbox.store.log import Draft

        ref = Ref(origin, sequence)
        told = log.told(ref)
        if told is None or not is_proof_of(proof, told[0].body.get("erase", b"")):
            return answer("not_erased", "n")
        log.add(Draft(kind="erasure", fields={"of": ref, "proof": proof}, once=once))
        return answer("erased", "ok")

    return Job(work)


def _back(ask: Ask, text: dict[str, Any]) -> str:
    return f"<p><a href={ask.path('messages')}>{text['back']}</a></p>"
