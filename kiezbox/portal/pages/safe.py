"""I am safe: four words for the family, and nothing that anybody could leaf through.

``/safe``: say it, or look for somebody. Everything that is looked up costs the same reckoning,
found or not; what is kept is sealed by the words and says not even how many there are of whom.
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

#: Bytes of UTF-8, so that all of it sealed fits the record's 600.
MOST = {"name": 60, "place": 120, "note": 260}

_STYLE = ".w{font:700 1.7rem/1.4 system-ui,sans-serif}"


def show(ask: Ask) -> Answer:
    return _page(ask)


def send(ask: Ask) -> Answer | Job:
    first = ask.rest[0] if ask.rest else ""
    return {"look": _look, "erase": _erase}.get(first, _say)(ask)


def _page(ask: Ask, problem: str = "", where: str = "", **names: str) -> Answer:
    """``where``: the form that has the problem, "say" or "look"."""
    text = ask.text("safe")
    given = ask.form if ask.request.method == "POST" else {}
    said = ""
    if problem:
        words = text["problem"][problem] if problem in text["problem"] else text[problem]
        said = f"<p class=error role=alert id=e>{words.format(**names)}</p>"
    if where == "look":
        # What is wrong stands above what was typed, not below a form for something else.
        body = f"{said}{_look_form(ask, text, given.get('words', ''))}{_back(ask, text)}"
        return ask.page(text["title"], body, status=400, below="safe")
    say = "".join(_input(text, name, given) for name in MOST)
    body = (
        f"<p>{text['what']}</p><p><a href=#look>{text['look']}</a></p>{said}"
        f"<form method=post action={ask.path('safe')}>{ask.token_field()}{say}"
        f"<button>{text['say_button']}</button></form><p>{text['privacy']}</p>"
        f"{_look_form(ask, text)}"
    )
    return ask.page(text["title"], body, status=400 if problem else 200, below="safe")


def _input(text: dict[str, Any], name: str, given: dict[str, str]) -> str:
    return (
        f"<label for={name}>{text[name]}<small>{text['optional']}</small></label>"
        f'<input id={name} name={name} dir=auto maxlength={MOST[name]} autocomplete=off value="'
        f'{escape(given.get(name, ""))}">'
    )


def _look_form(ask: Ask, text: dict[str, Any], given: str = "") -> str:
    return (
        f"<form method=post action={ask.path('safe', 'look')}><h2 id=look>{text['look']}</h2>"
        f"{ask.token_field()}<label for=words>{text['look_label']}"
        f"<small>{text['look_hint']}</small></label>"
        f"<input id=words name=words required maxlength=120 autocomplete=off autocapitalize=none"
        f' spellcheck=false value="{escape(given)}">'
        f"<button class=quiet>{text['look_button']}</button></form>"
    )


# --- saying it -----------------------------------------------------------------------------------


def _say(ask: Ask) -> Answer | Job:
    from kiezbox.portal.public import cleaned
    from kiezbox.portal.reckoning import reckoned
    from kiezbox.sealing.code_words import words_of

    told: dict[str, Any] = {}
    for name, most in MOST.items():
        told[name] = cleaned(ask, name, most, lines=False)
        if len(ask.form.get(name, "").strip().encode("utf-8", "replace")) > most:
            return _page(ask, "long", "say")
    told = {name: value for name, value in told.items() if value}
    if is_exercise(ask.facts):
        told["exercise"] = 1
    once = ask.once
    # Out of what makes the form the same form: sent twice, it is told the same words.
    words = " ".join(words_of(ask.forms.once("words of safe", once), ask.language))
    code = " ".join(words_of(ask.forms.once("code of safe", once), ask.language, 3))

    def prepare() -> dict[str, Any]:
        return reckoned("words", purpose="safe", words=[words])

    def work(log: Log, found: dict[str, Any]) -> Answer:
        from kiezbox.records.record import encoded
        from kiezbox.sealing import check_of, seal_by, stretched
        from kiezbox.store.log import Draft

        lookup = bytes.fromhex(found["lookup"])
        fields = {
            "lookup": lookup,
            "sealed": seal_by(bytes.fromhex(found["key"]), encoded(told)),
            "erase": check_of(stretched(code, lookup)),
        }
        log.add(Draft(kind="safe", fields=fields, once=once))
        return _said_page(ask, words, code)

    return Job(work, prepare)


def _said_page(ask: Ask, words: str, code: str) -> Answer:
    text = ask.text("safe")
    body = (
        f"<p class=ok role=status>{text['done']}</p>"
        f"<article><h2>{text['slip']}</h2><p class=w><bdi>{words}</bdi></p><p>{text['how']}</p>"
        f"</article><p>{text['pass_on']}</p><p><b>{text['photo']}</b></p>"
        f"<h2>{text['erase_code']}</h2><p class=w><bdi>{code}</bdi></p><p>{text['erase_why']}</p>"
        f"<p>{text['privacy']}</p>{_back(ask, text)}"
    )
    return ask.page(text["title"], body, style=_STYLE, below="safe")


# --- looking for somebody ------------------------------------------------------------------------


def _look(ask: Ask) -> Answer | Job:
    from kiezbox.portal.reckoning import reckoned
    from kiezbox.sealing.code_words import folded, stranger

    words = ask.form.get("words", "")[:200]
    if len(folded(words)) < 4:
        return _page(ask, "words", "look")
    # The lists of words are no secret: this says nothing about what is kept.
    if unknown := stranger(words):
        return _page(ask, "stranger", "look", word=escape(unknown))

    def prepare() -> dict[str, Any]:
        return reckoned("words", purpose="safe", words=[words])

    def work(log: Log, found: dict[str, Any]) -> Answer:
        lookup, key = bytes.fromhex(found["lookup"]), bytes.fromhex(found["key"])
        return _found_page(ask, _opened(log, lookup, key), lookup)

    return Job(work, prepare)


def _opened(log: Log, lookup: bytes, key: bytes) -> list[tuple[float, dict[str, Any]]]:
    """When it was written, and what it says; the newest first."""
    from kiezbox.records import Ref
    from kiezbox.records.record import decoded
    from kiezbox.sealing import NotOpened, open_by

    shown = []
    for thing in log.found("safe", lookup):
        told = log.told(Ref(thing.origin, thing.sequence))
        try:
            found = decoded(open_by(key, told[0].body["sealed"])) if told else {}
        except (NotOpened, ValueError):
            continue
        shown.append((thing.written_at, found if isinstance(found, dict) else {}))
    return shown


def _found_page(ask: Ask, found: list[tuple[float, dict[str, Any]]], lookup: bytes) -> Answer:
    text = ask.text("safe")
    given = ask.form.get("words", "")
    if not found:
        body = f"<p class=n role=status>{text['not_found']}</p>{_look_form(ask, text, given)}"
        return ask.page(text["look"], body + _back(ask, text), below="safe")
    cards = "".join(_card(ask, text, at, told) for at, told in found[:5])
    body = (
        f"{cards}<details><summary>{text['erase']}</summary>"
        f"{_erase_form(ask, text, lookup.hex())}</details>{_back(ask, text)}"
    )
    return ask.page(text["found"], body, style=_STYLE, below="safe")


def _card(ask: Ask, text: dict[str, Any], at: float, told: dict[str, Any]) -> str:
    when = clock_time(at, ask.now, ask.text())
    lines = [f"<b>{text['exercise']}</b>"] if told.get("exercise") else []
    for name in ("name", "place"):
        if told.get(name):
            shown = f"<bdi>{escape(str(told[name]))}</bdi>"
            lines.append(text[f"found_{name}"].format(**{name: shown}))
    note = f"<p dir=auto>{escape(str(told['note']))}</p>" if told.get("note") else ""
    lines.append(f"<small>{text['found_at'].format(when=when)}</small>")
    return (
        f"<article><p class=w>{text['found_safe']}</p>{note}<p>{'<br>'.join(lines)}</p></article>"
    )


# --- taking it away ------------------------------------------------------------------------------


def _erase_form(ask: Ask, text: dict[str, Any], lookup: str, said: str = "") -> str:
    return (
        f"{said}<form method=post action={ask.path('safe', 'erase')}>{ask.token_field()}"
        f'<input type=hidden name=lookup value="{escape(lookup)}">'
        f"<label for=code>{text['erase_label']}</label><input id=code name=code required"
        " maxlength=90 autocomplete=off autocapitalize=none spellcheck=false>"
        f"<button class=quiet>{text['erase_button']}</button></form>"
    )


def _erase(ask: Ask) -> Answer | Job:
    given, code, once = ask.form.get("lookup", ""), ask.form.get("code", "")[:120], ask.once
    try:
        lookup = bytes.fromhex(given)
    except ValueError:
        return _page(ask)
    if len(lookup) != 16:
        return _page(ask)

    def work(log: Log) -> Answer:
        from kiezbox.records import Ref
        from kiezbox.sealing import is_proof_of, stretched
        from kiezbox.store.log import Draft

        text, proof, done = ask.text("safe"), stretched(code, lookup), False
        for thing in log.found("safe", lookup):
            ref = Ref(thing.origin, thing.sequence)
            told = log.told(ref)
            if told and is_proof_of(proof, told[0].body.get("erase", b"")):
                fields = {"of": ref, "proof": proof}
                log.add(Draft(kind="erasure", fields=fields, once=once))
                done = True
        if done:
            body = f"<p class=ok role=status>{text['erased']}</p>"
        else:
            said = f"<p class=error role=alert>{text['not_erased']}</p>"
            body = _erase_form(ask, text, lookup.hex(), said)
        return ask.page(
            text["title"], body + _back(ask, text), status=200 if done else 400, below="safe"
        )

    return Job(work)


def _back(ask: Ask, text: dict[str, Any]) -> str:
    return f"<p><a href={ask.path('safe')}>{text['back']}</a></p>"
