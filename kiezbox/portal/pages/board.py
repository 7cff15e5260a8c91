"""The board: seek, offer, tell."""

from __future__ import annotations

from kiezbox.portal.asking import Ask, Job
from kiezbox.portal.words import age, escape
from kiezbox.situation import plain_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kiezbox.portal.answered import Answer
    from kiezbox.portal.shown import Seen
    from kiezbox.store.log import Log

TOPICS = ("seek", "offer", "info")
MOST_SIGNS = 280


def show(ask: Ask) -> Answer:
    text = ask.text("board")
    posts = ask.shown.things("post", ask.now)
    listed = "".join(_post(each, ask) for each in posts) or f"<p>{text['none']}</p>"
    choices = "".join(
        f"<label><input type=radio name=topic value={n} required> {text['topics'][name]}</label> "
        for n, name in enumerate(TOPICS)
    )
    form = (
        f"<h2>{text['write']}</h2><form method=post action={ask.path('board')}>"
        f"{ask.token_field()}<fieldset><legend>{text['topic']}</legend>{choices}</fieldset>"
        f"<label>{text['words'].format(count=MOST_SIGNS)}"
        f"<textarea name=text rows=4 required></textarea></label>"
        f"<button>{text['send']}</button></form>"
    )
    return ask.page(text["title"], listed + form)


def send(ask: Ask) -> Answer | Job:
    words = plain_text(ask.form.get("text", ""), 1400, lines=True)
    topic = ask.form.get("topic", "")
    if not ask.is_token_good() or topic not in ("0", "1", "2") or not words:
        return show(ask)

    def work(log: Log) -> Answer:
        from kiezbox.store.log import Draft

        fields = {"topic": int(topic), "text": words, "language": ask.language}
        log.add(Draft(kind="post", fields=fields, once=ask.once))
        return ask.see("board")

    return Job(work)


def _post(post: Seen, ask: Ask) -> str:
    text = ask.text("board")
    mark = f"{text['topics'][post.topic]} · {text['unchecked']}"
    when = age(post.written_at, ask.now, ask.text())
    return f"<article><small>{mark} · {when}</small><p dir=auto>{escape(post.text)}</p></article>"
