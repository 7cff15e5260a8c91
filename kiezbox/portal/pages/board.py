"""The board: what neighbours seek, offer and tell one another (docs/board.md).

``/board``, ``/board/seek`` and so on: twenty posts, newest first; ``/board/all/ID``: those older
than that one; ``/board/ID``: one post, to report it or to take it down.
"""

from __future__ import annotations

from kiezbox.i18n import LANGUAGES, is_language, lang_of
from kiezbox.portal.asking import Ask, Job
from kiezbox.portal.reporting import report, report_form
from kiezbox.portal.words import age, escape
from kiezbox.situation import is_exercise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.portal.answered import Answer
    from kiezbox.portal.shown import Seen
    from kiezbox.records import Ref
    from kiezbox.store.log import Log

TOPICS = ("seek", "offer", "info")

#: Characters as a reader counts them, and bytes of UTF-8 (``folds.post.MOST_BYTES``).
MOST_SIGNS, MOST_BYTES = 280, 1400

#: So long a post may hang, as its writer chooses.
HOURS = (24, 36, 48)

#: Posts on a page; fewer where they are long, so that a page stays below 3 kB on the air. Bytes of
#: neighbours' own words, of which gzip leaves half.
PAGE_POSTS, PAGE_BYTES = 20, 2200

#: Two statements for the list, each walking down one index (``things_board``) from where it
#: begins: the thousandth page costs what the first does.
_LIST = (
    "SELECT origin, sequence, written_at, topic, text, language, data FROM things"
    " WHERE kind = 7 AND state = 'open' AND is_hidden = 0 AND expires_at > ?"
    " AND (written_at, origin, sequence) < (?, ?, ?){}"
    f" ORDER BY written_at DESC, origin DESC, sequence DESC LIMIT {PAGE_POSTS + 1}"
)
_OF_ALL, _OF_TOPIC = _LIST.format(""), _LIST.format(" AND topic = ?")

_FOR_EVER = 1e18, "", 0


def show(ask: Ask) -> Answer:
    first = ask.rest[0] if ask.rest else "all"
    if first == "write":
        return _write_page(ask)
    if first == "all" or first in TOPICS:
        return _list_page(ask, first, ask.rest[1] if len(ask.rest) > 1 else "")
    return _post_page(ask, first)


def send(ask: Ask) -> Answer | Job:
    if ask.rest and ask.rest[0] not in ("write", "all", *TOPICS):
        return _about_post(ask, ask.rest[0])
    return _publish(ask)


# --- the list ------------------------------------------------------------------------------------


def _list_page(ask: Ask, topic: str, after: str) -> Answer:
    text = ask.text("board")
    before = _FOR_EVER
    if after and (last := ask.shown.thing(after)):
        before = last.written_at, last.origin, last.sequence
    values = [ask.now, *before, *([] if topic == "all" else [topic])]
    rows = ask.shown.rows(_OF_ALL if topic == "all" else _OF_TOPIC, values)
    shown: list[str] = []
    room = PAGE_BYTES
    for row in (rows or ())[:PAGE_POSTS]:
        room -= len(row[4].encode())
        if room < 0 and shown:
            break
        shown.append(_card(row, ask, text))
    links = "".join(
        f'<a href="{ask.path("board", *([] if name == "all" else [name]))}"'
        f"{' aria-current=page' if name == topic else ''}>{label}</a>"
        for name, label in (("all", text["all"]), *((each, text["many"][each]) for each in TOPICS))
    )
    write = ask.path("board", "write")
    body = f"<p>{text['about']}</p><p><a href={write} class=button>{text['write']}</a></p>"
    body += f'<nav aria-label="{text["show"]}">{links}</nav>'
    body += "".join(shown) or f"<p>{text['none' if rows is not None else 'unreadable']}</p>"
    turns = []
    if after:
        turns.append(f'<a href="{ask.path("board", *ask.rest[:1])}">{text["newest"]}</a>')
    if rows and len(rows) > len(shown):
        origin, sequence = rows[len(shown) - 1][:2]
        older = ask.path("board", topic, f"{origin}.{sequence}")
        turns.append(f'<a href="{escape(older)}">{text["older"]}</a>')
    if turns:
        body += f'<nav class=pages aria-label="{text["turn"]}">{"".join(turns)}</nav>'
    return ask.page(text["title"], body, style=_STYLE, has_forms=False)


#: All that the list needs: it has no form, and twenty posts in 3 kB of air.
_STYLE = """\
[aria-current]{font-weight:700;text-decoration:none}article>a{display:inline-block;\
padding:.55rem 0}.button{display:block;text-align:center;box-sizing:border-box;\
text-decoration:none}.pages{display:flex;justify-content:space-between}"""


def _card(row: Any, ask: Ask, text: dict[str, Any]) -> str:
    origin, sequence, written_at, topic, words, language, data = row
    marks = _marks(ask, text, topic, written_at, language, data)
    link = ask.path("board", f"{origin}.{sequence}")
    return (
        f"<article class=neighbours>{marks}{_words(words, language)}{_more(link, text)}</article>"
    )


def _more(link: str, text: dict[str, Any]) -> str:
    return f'<a href="{escape(link)}">{text["more"]}</a>'


def _marks(
    ask: Ask, text: dict[str, Any], topic: str, written_at: float, language: str, data: str
) -> str:
    """What the box says about it: nothing of this comes from who wrote it."""
    marks = [f"<b>{text['topics'].get(topic, '')}</b>", text["unchecked"]]
    marks.append(age(written_at, ask.now, ask.text()))
    if is_language(language) and language != ask.language:
        marks.append(f"<span lang={lang_of(language)}>{LANGUAGES[language]}</span>")
    if "is_exercise" in data:
        marks.insert(0, f"<b>{text['exercise']}</b>")
    warning = f"<p><b>{text['not_official']}</b></p>" if "seems_official" in data else ""
    return f"<small>{' · '.join(marks)}</small>{warning}"


def _words(words: str, language: str) -> str:
    """A neighbour's own words."""
    lang = f" lang={lang_of(language)}" if is_language(language) else ""
    return f"<p dir=auto{lang}>{escape(words)}</p>"


# --- writing one ---------------------------------------------------------------------------------


def _form(ask: Ask, text: dict[str, Any], problem: str = "") -> str:
    """Filled with what was sent, if something was."""
    given = ask.form if ask.request.method == "POST" else {}
    topic, hours = given.get("topic", ""), given.get("hours", str(HOURS[0]))
    choices = "".join(
        f"<label><input type=radio name=topic value={n} required"
        f"{' checked' * (topic == str(n))}>{text['topics_long'][name]}</label>"
        for n, name in enumerate(TOPICS)
    )
    spans = "".join(
        f"<option value={each}{' selected' * (hours == str(each))}>"
        f"{text['hours'].format(count=each)}</option>"
        for each in HOURS
    )
    said = f"<p class=error role=alert id=e>{text['problems'][problem]}</p>" if problem else ""
    if problem == "number":
        said += f"<label><input type=checkbox name=number_ok value=1>{text['number_ok']}</label>"
    described = " aria-describedby=e aria-invalid=true" if problem else ""
    return (
        f"<form method=post action={ask.path('board')} id=w><h2>{text['write']}</h2>"
        f"{ask.token_field()}{said}"
        f"<fieldset><legend>{text['topic']}</legend>{choices}</fieldset>"
        f"<label for=t>{text['words'].format(count=MOST_SIGNS)}"
        f"<small>{text['hint']}</small></label>"
        f"<textarea id=t name=text rows=4 required dir=auto maxlength={MOST_BYTES}{described}>\n"
        f"{escape(given.get('text', ''))}</textarea>"
        f"<label for=h>{text['how_long']}</label><select id=h name=hours>{spans}</select>"
        f"<button>{text['send']}</button></form>"
    )


def _write_page(ask: Ask, problem: str = "") -> Answer:
    text = ask.text("board")
    status = 400 if problem and problem != "number" else 200
    back = f"<p><a href={ask.path('board')}>{text['back']}</a></p>"
    form = _form(ask, text, problem)
    return ask.page(text["title"], form + back, status=status, below="board/write")


def _publish(ask: Ask) -> Answer | Job:
    from kiezbox.portal.public import cleaned, problem_of
    from kiezbox.sealing.proofs import check_of, plain_word, proof_of, word_of

    words, topic = cleaned(ask, "text", MOST_BYTES), ask.form.get("topic", "")
    problem = problem_of(ask, words, MOST_SIGNS, MOST_BYTES)
    if problem == "number" and ask.form.get("number_ok"):
        problem = ""
    if not problem and topic not in ("0", "1", "2"):
        problem = "topic"
    if problem:
        return _write_page(ask, problem)
    hours = ask.form.get("hours", "")
    lifetime_s = 3600 * (int(hours) if hours in map(str, HOURS) else HOURS[0])
    # Out of what makes the form the same form: sent twice, it is told the same word.
    once = ask.once
    word = word_of(ask.forms.once("word of a post", once))
    fields = {
        "topic": int(topic),
        "text": words,
        "language": ask.language,
        "solve": check_of(proof_of(plain_word(word), words)),
        "is_exercise": is_exercise(ask.facts) or None,
    }

    def work(log: Log) -> Answer:
        from kiezbox.store.log import Draft

        (added,) = log.add(Draft(kind="post", fields=fields, lifetime_s=lifetime_s, once=once))
        return _published_page(ask, added.ref, words, word)

    return Job(work)


def _published_page(ask: Ask, ref: Ref, words: str, word: str) -> Answer:
    text = ask.text("board")
    link = ask.path("board", f"{ref.origin}.{ref.sequence}")
    body = (
        f"<p class=ok role=status>{text['done']}</p>{_words(words, ask.language)}"
        f"<h2>{text['word']}</h2><p class=w><b><bdi>{word}</bdi></b></p><p>{text['word_why']}</p>"
        f'<p><a href="{escape(link)}">{text["own"]}</a></p>'
        f"<p><a href={ask.path('board')}>{text['back']}</a></p>"
    )
    style = ".w{font:700 2rem/1.3 ui-monospace,monospace;letter-spacing:.05em}"
    return ask.page(text["title"], body, style=style, below="board")


# --- one post ------------------------------------------------------------------------------------


def _post_page(ask: Ask, name: str, problem: str = "") -> Answer:
    text = ask.text("board")
    post = ask.shown.thing(name)
    why = _why_not(post, ask.now)
    back = f"<p><a href={ask.path('board')}>{text['back']}</a></p>"
    if post is None or why:
        return ask.page(text["title"], f"<p>{text['gone'][why]}</p>{back}", status=404)
    data = "".join(post.data)
    marks = _marks(ask, text, post.topic, post.written_at, post.language, data)
    if post.state == "solved":
        marks += f"<p><b>{text['solved']}</b></p>"
    body = f"<article class=neighbours>{marks}{_words(post.text, post.language)}</article>"
    return ask.page(
        text["title"],
        body + _own_form(ask, post, text, problem) + report_form(ask, post) + back,
        status=400 if problem else 200,
        below=f"board/{post.id}",
    )


def _own_form(ask: Ask, post: Seen, text: dict[str, Any], problem: str) -> str:
    """For whoever wrote it."""
    if post.state != "open":
        return ""
    said = f"<p class=error role=alert id=e>{text['problems'][problem]}</p>" if problem else ""
    described = " aria-describedby=e aria-invalid=true" if problem else ""
    given = escape(ask.form.get("word", "")) if ask.request.method == "POST" else ""
    return (
        f'<form method=post action="{escape(ask.path("board", post.id))}">'
        f"<h2>{text['own']}</h2>{ask.token_field()}{said}"
        f"<label for=o>{text['word']}<small>{text['word_hint']}</small></label>"
        f'<input id=o name=word value="{given}" required autocomplete=off autocapitalize=none'
        f" spellcheck=false maxlength=40{described}>"
        f"<button name=act value=solved>{text['solve']}</button>"
        f"<button class=quiet name=act value=withdrawn>{text['withdraw']}</button></form>"
    )


def _why_not(post: Seen | None, now: float) -> str:
    """Why there is nothing to be seen: "over" or "hidden"; "": there is."""
    if post is None or post.kind != 7 or post.expires_at <= now:
        return "over"
    return "hidden" if post.is_hidden else ""


def _about_post(ask: Ask, name: str) -> Answer | Job:
    post, act = ask.shown.thing(name), ask.form.get("act", "")
    if _why_not(post, ask.now) or post is None:
        return _post_page(ask, name)
    if act == "report":
        return report(ask, post)
    if act in ("solved", "withdrawn") and post.state == "open":
        return _take_down(ask, post, act)
    return _post_page(ask, name)


def _take_down(ask: Ask, post: Seen, act: str) -> Answer | Job:
    from kiezbox.sealing.proofs import is_proof_of, plain_word, proof_of

    word = plain_word(ask.form.get("word", ""))
    if not word:
        return _post_page(ask, post.id, "word")

    def work(log: Log) -> Answer:
        from kiezbox.records import Ref
        from kiezbox.store.log import Draft

        ref = Ref(post.origin, post.sequence)
        told = log.told(ref)
        body = told[0].body if told else {}
        proof = proof_of(word, str(body.get("text", "")))
        if not is_proof_of(proof, body.get("solve", b"")):
            return _post_page(ask, post.id, "word")
        if act == "withdrawn":
            draft = Draft(kind="erasure", fields={"of": ref, "proof": proof}, once=ask.once)
        else:
            fields = {"of": ref, "event": act, "proof": proof}
            draft = Draft(kind="post_state", fields=fields, once=ask.once)
        log.add(draft)
        return _done(ask, act)

    return Job(work)


def _done(ask: Ask, what: str) -> Answer:
    text = ask.text("board")
    back = f"<p><a href={ask.path('board')}>{text['back']}</a></p>"
    said = f"<p class=ok role=status>{text['thanks'][what]}</p>"
    return ask.page(text["title"], said + back, below="board")
