"""Have a say: an operator's questions, and what people see in the street (docs/board.md).

``/say``: both; ``/say/ID``: one question; ``/say/report``: tell what you see, ``/say/report/POINT``
at a point of the map; ``/say/older/ID``: what was seen before that.
"""

from __future__ import annotations

from kiezbox.i18n import is_language, lang_of
from kiezbox.portal.asking import Ask, Job
from kiezbox.portal.reporting import report, report_form
from kiezbox.portal.words import age, escape
from kiezbox.situation import is_exercise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.portal.answered import Answer
    from kiezbox.portal.shown import Seen
    from kiezbox.store.log import Log

#: What can be seen, as the form sends it: code and level of ``folds.observation``.
SEEN = {
    "water1": (1, 1),
    "water2": (1, 2),
    "water3": (1, 3),
    "smoke": (3, 0),
    "heat": (2, 0),
    "pump": (4, 0),
}

MOST_SIGNS, MOST_BYTES = 60, 120

#: Questions and observations on a page.
PAGE_QUESTIONS, PAGE_SEEN = 5, 20

#: By one index (``things_board``), as the board's list.
_LIST = (
    "SELECT origin, sequence, written_at, topic, text, language, data FROM things"
    " WHERE kind = 12 AND state = 'up' AND is_hidden = 0 AND expires_at > ?"
    " AND (written_at, origin, sequence) < (?, ?, ?)"
    f" ORDER BY written_at DESC, origin DESC, sequence DESC LIMIT {PAGE_SEEN + 1}"
)
_FOR_EVER = 1e18, "", 0

_STYLE = """\
.button{display:block;text-align:center;box-sizing:border-box;text-decoration:none}\
.cards{list-style:none;padding:0}.cards li{border-bottom:1px solid var(--l);padding:.4rem 0}\
li>a{display:inline-block;padding:.55rem 0}\
.pages{display:flex;justify-content:space-between}"""


def show(ask: Ask) -> Answer:
    first, *more = ask.rest or ("",)
    if first == "report":
        return _form_page(ask, more[0] if more else "")
    if first in ("", "older"):
        return _overview(ask, more[0] if more else "")
    found = ask.shown.thing(first)
    return _seen_page(ask, found) if _is_seen(ask, found) else _question_page(ask, found)


def send(ask: Ask) -> Answer | Job:
    if not ask.rest or ask.rest[0] == "report":
        return _observe(ask, ask.rest[1] if len(ask.rest) > 1 else "")
    found = ask.shown.thing(ask.rest[0])
    if found is not None and _is_seen(ask, found):
        return report(ask, found)
    return _vote(ask, found)


# --- both ----------------------------------------------------------------------------------------


def _overview(ask: Ask, after: str) -> Answer:
    text = ask.text("say")
    before = _FOR_EVER
    if after and (last := ask.shown.thing(after)):
        before = last.written_at, last.origin, last.sequence
    rows = ask.shown.rows(_LIST, (ask.now, *before))
    body = "" if after else _questions(ask, text)
    report = ask.path("say", "report")
    body += f"<h2>{text['seen']}</h2><p>{text['seen_about']}</p>"
    body += f"<p><a href={report} class=button>{text['write']}</a></p>"
    items = "".join(_item(row, ask, text) for row in (rows or ())[:PAGE_SEEN])
    none = text["none" if rows is not None else "unreadable"]
    body += f"<ul class=cards>{items}</ul>" if items else f"<p>{none}</p>"
    turns = []
    if after:
        turns.append(f"<a href={ask.path('say')}>{text['newest']}</a>")
    if rows and len(rows) > PAGE_SEEN:
        origin, sequence = rows[PAGE_SEEN - 1][:2]
        older = escape(ask.path("say", "older", f"{origin}.{sequence}"))
        turns.append(f'<a href="{older}">{text["older"]}</a>')
    if turns:
        body += f'<nav class=pages aria-label="{text["turn"]}">{"".join(turns)}</nav>'
    return ask.page(text["title"], body, style=_STYLE, has_forms=False)


def _questions(ask: Ask, text: dict[str, Any]) -> str:
    # Of one that somebody has sent again under another number, the first counts.
    found = ask.shown.things("question", ask.now, limit=50)
    same = {(each.issuer, each.text, each.data.get("issued_at")): each for each in found}
    asked = [each for each in found if each in same.values()][:PAGE_QUESTIONS]
    items = "".join(
        f'<li>{_asked(each)}<p><a href="{escape(ask.path("say", each.id))}">'
        f"{text['answer' if each.state == 'open' else 'result']}</a></p></li>"
        for each in asked
    )
    return f"<h2>{text['questions']}</h2><ul class=cards>{items}</ul>" if items else ""


def _asked(question: Seen) -> str:
    """The operator's own words."""
    return f"<p dir=auto{_lang(question.language)}><b>{escape(question.text)}</b></p>"


def _lang(language: str) -> str:
    return f" lang={lang_of(language)}" if is_language(language) else ""


# --- a question ----------------------------------------------------------------------------------


def _question_page(ask: Ask, question: Any, notice: str = "", problem: str = "") -> Answer:
    """``question``: a ``Seen`` or a ``Thing``."""
    text = ask.text("say")
    back = f"<p><a href={ask.path('say')}>{text['back']}</a></p>"
    if not _is_there(ask, question):
        return ask.page(text["title"], f"<p>{text['gone']}</p>{back}", status=404)
    link = f"{question.origin}.{question.sequence}"
    data = question.data
    pairs = list(zip(data["answers"], data["counts"], strict=True))
    said = f"<p class=ok role=status>{text[notice]}</p>" if notice else ""
    by = text["asked_by"].format(name=f"<bdi>{escape(question.issuer)}</bdi>")
    body = f"{said}{_asked(question)}<p><small>{by}</small></p>"
    if question.state == "open" and not notice:
        choices = "".join(
            f"<label><input type=radio name=answer value={n} required>"
            f"<bdi{_lang(question.language)}>{escape(answer)}</bdi></label>"
            for n, (answer, _) in enumerate(pairs)
        )
        wrong = f"<p class=error role=alert>{text['problems'][problem]}</p>" if problem else ""
        body += (
            f'<form method=post action="{escape(ask.path("say", link))}">{ask.token_field()}{wrong}'
            f"<fieldset><legend>{text['choose']}</legend>{choices}</fieldset>"
            f"<p><small>{text['one_voice']}</small></p><button>{text['vote']}</button></form>"
        )
    elif question.state != "open":
        body += f"<p>{text['closed']}</p>"
    total = sum(count for _, count in pairs)
    rows = "".join(
        f"<tr><th scope=row{_lang(question.language)}><bdi>{escape(answer)}</bdi></th>"
        f"<td><bdi dir=ltr>{count} ({round(100 * count / total) if total else 0} %)</bdi></td></tr>"
        for answer, count in pairs
    )
    voices = text["voices"]
    counted = (voices[0] if total == 1 else voices[-1]).format(count=total)
    body += f"<h2>{text['so_far']}</h2><p>{counted}</p><table>{rows}</table>{back}"
    status = 400 if problem else 200
    return ask.page(text["title"], body, status=status, below=f"say/{link}")


def _is_there(ask: Ask, question: Any) -> bool:
    is_one = question is not None and question.kind == 10 and question.expires_at > ask.now
    return is_one and not question.is_hidden


def _vote(ask: Ask, question: Seen | None) -> Answer | Job:
    """One voice a guest, and no way to tell whose."""
    if question is None or not _is_there(ask, question) or question.state != "open":
        return _question_page(ask, question)
    answer = ask.form.get("answer", "")
    if answer not in map(str, range(len(question.data["answers"]))):
        return _question_page(ask, question, problem="choose")
    from kiezbox.portal.public import reporter_of

    once = ask.forms.once("voice", reporter_of(ask, question.id))

    def work(log: Log) -> Answer:
        from kiezbox.records import Ref
        from kiezbox.store.log import Draft

        of = Ref(question.origin, question.sequence)
        fields = {"of": of, "answer": int(answer)}
        (added,) = log.add(Draft(kind="voice", fields=fields, once=once))
        return _question_page(ask, log.thing(of), "thanks" if added.is_new else "already")

    return Job(work)


# --- observations --------------------------------------------------------------------------------


def _is_seen(ask: Ask, thing: Seen | None) -> bool:
    is_one = thing is not None and thing.kind == 12 and thing.expires_at > ask.now
    return is_one and not (thing and thing.is_hidden)


def _seen_page(ask: Ask, thing: Any) -> Answer:
    """One observation, to be reported."""
    text = ask.text("say")
    row = (
        thing.origin, thing.sequence, thing.written_at, thing.topic, thing.text, thing.language,
        "{}",
    )  # fmt: skip
    back = f"<p><a href={ask.path('say')}>{text['back']}</a></p>"
    body = (
        f"<ul class=cards>{_item(row, ask, text, thing.data)}</ul>{report_form(ask, thing)}{back}"
    )
    return ask.page(text["title"], body, below=f"say/{thing.id}")


def _item(row: Any, ask: Ask, text: dict[str, Any], known: dict[str, Any] | None = None) -> str:
    """``known``: its data, where that was read already, and no link is needed."""
    origin, sequence, written_at, topic, where, language, data = row
    more = known or {}
    if data != "{}":
        from kiezbox.portal.sight import parse_json

        more = parse_json(data.encode())
    what = text["what"].get(f"{topic}{more.get('level', '')}", text["what"].get(topic, ""))
    place = f"<span dir=auto{_lang(language)}>{escape(where)}</span>" if where else ""
    if more.get("place"):
        place = f"{_point(ask, str(more['place']))} {place}"
    marks = [text["exercise"]] * ("is_exercise" in more)
    marks += [text["unchecked"], age(written_at, ask.now, ask.text())]
    link = escape(ask.path("say", f"{origin}.{sequence}"))
    wrong = "" if known is not None else f'<a href="{link}">{text["wrong"]}</a>'
    return f"<li><b>{what}</b><br>{place}<br><small>{' · '.join(marks)}</small><br>{wrong}</li>"


def _point(ask: Ask, name: str) -> str:
    """A point of the map in words; "": this box does not know it."""
    from kiezbox.place.points import is_point_id
    from kiezbox.portal.places import Surroundings
    from kiezbox.portal.points import name_of

    found = Surroundings(ask).point(name) if is_point_id(name) else None
    return name_of(ask, found.point) if found else ""


def _form_page(ask: Ask, point: str, problem: str = "") -> Answer:
    """Filled with what was sent, if something was."""
    text = ask.text("say")
    given = ask.form if ask.request.method == "POST" else {}
    at = _point(ask, point) if point else ""
    choices = "".join(
        f"<label><input type=radio name=what value={name} required"
        f"{' checked' * (given.get('what') == name)}>{text['what'][name]}</label>"
        for name in SEEN
    )
    wrong = f"<p class=error role=alert id=e>{text['problems'][problem]}</p>" if problem else ""
    described = " aria-describedby=e aria-invalid=true" if problem else ""
    action = ask.path("say", "report", *([point] if at else []))
    needed = "" if at else " required"
    body = (
        f"<p class=n>{text['danger']}</p>{f'<p>{at}</p>' if at else ''}"
        f'<form method=post action="{escape(action)}">{ask.token_field()}{wrong}'
        f"<fieldset><legend>{text['what_seen']}</legend>{choices}</fieldset>"
        f"<label for=b>{text['where']}<small>{text['where_hint']}</small></label>"
        f"<input id=b name=block{needed} maxlength={MOST_BYTES} dir=auto{described}"
        f' value="{escape(given.get("block", ""))}">'
        f"<button>{text['send']}</button></form><p><a href={ask.path('say')}>{text['back']}</a></p>"
    )
    status = 400 if problem else 200
    return ask.page(text["write"], body, status=status, below="say/report")


def _observe(ask: Ask, point: str) -> Answer | Job:
    from kiezbox.portal.public import cleaned, problem_of

    what = ask.form.get("what", "")
    block = cleaned(ask, "block", MOST_BYTES, lines=False)
    is_at = bool(point and _point(ask, point))
    problem = problem_of(ask, block, MOST_SIGNS, MOST_BYTES)
    if problem == "empty" and is_at:
        problem, block = "", ""
    if what not in SEEN:
        problem = "what"
    if problem:
        return _form_page(ask, point, problem)
    code, level = SEEN[what]
    fields = {
        "code": code,
        "level": level or None,
        "place": point if is_at else None,
        "block": block,
        "is_exercise": is_exercise(ask.facts) or None,
    }
    once = ask.once

    def work(log: Log) -> Answer:
        from kiezbox.store.log import Draft

        log.add(Draft(kind="observation", fields=fields, once=once))
        text = ask.text("say")
        advice = text["advice"].get(what.rstrip("123"), "")
        said = f"<p class=ok role=status>{text['seen_thanks']}</p><p>{advice}</p>"
        back = f"<p><a href={ask.path('say')}>{text['back']}</a></p>"
        return ask.page(text["title"], said + back, below="say")

    return Job(work)
