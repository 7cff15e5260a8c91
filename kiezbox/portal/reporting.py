"""Reporting what a neighbour wrote, the same wherever it stands (docs/board.md)."""

from __future__ import annotations

from kiezbox.portal.asking import Ask, Job
from kiezbox.portal.words import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.portal.answered import Answer
    from kiezbox.portal.shown import Seen
    from kiezbox.store.log import Log

__all__ = ["report", "report_form"]


class _Report(Job):
    """``cost``: points at the gate (``portal.gate``). Three at once, then one in three minutes:
    with the addresses of three phones one person could hide a whole board.
    """

    __slots__ = ()

    cost = 10.0


def report_form(ask: Ask, thing: Seen) -> str:
    """What is wrong with it; sent to the page it stands on, with ``act=report``. Folded up: most
    who read it come for something else, and some of them are frightened.
    """
    text = ask.text("board")
    reasons = "".join(
        f"<label><input type=radio name=reason value={n} required>{reason}</label>"
        for n, reason in enumerate(text["reasons"])
    )
    return (
        f"<details><summary>{text['report']}</summary>"
        f'<form method=post action="{escape(ask.path(ask.name, thing.id))}">'
        f"{ask.token_field()}<p>{text['report_why']}</p>"
        f"<fieldset><legend>{text['reason']}</legend>{reasons}</fieldset>"
        f"<button class=quiet name=act value=report>{text['report_send']}</button></form></details>"
    )


def report(ask: Ask, thing: Seen) -> Job:
    """Once a neighbour: a second report of the same thing is the same report."""
    from kiezbox.portal.public import reporter_of, voice_of

    text, reason = ask.text("board"), ask.form.get("reason", "")
    once = ask.forms.once("report", reporter_of(ask, thing.id))
    fields: dict[str, Any] = {"reporter": voice_of(ask, thing.id)}
    if reason in map(str, range(len(text["reasons"]))):
        fields["reason"] = int(reason)

    def work(log: Log) -> Answer:
        from kiezbox.records import Ref
        from kiezbox.store.log import Draft

        fields["of"] = Ref(thing.origin, thing.sequence)
        log.add(Draft(kind="report", fields=fields, once=once))
        title = ask.text(ask.name)["title"]
        said = f"<p class=ok role=status>{text['thanks']['reported']}</p>"
        back = f"<p><a href={ask.path(ask.name)}>{ask.text(ask.name)['back']}</a></p>"
        return ask.page(title, said + back, below=ask.name)

    return _Report(work)
