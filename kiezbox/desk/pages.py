"""The desk's pages as HTML: no script, no picture, one style sheet; what is shown is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from kiezbox.desk.texts import LANGUAGES, TEXTS
from kiezbox.i18n import text_of

#: The portal's colours, so that an operator knows where he is; served as a file of its own, because
#: the pages' policy forbids styles inside them.
STYLE = """\
:root{color-scheme:light dark;--b:#fff;--t:#14181c;--l:#c8ced4;--a:#0b4a8f;--e:#8c1414}
@media(prefers-color-scheme:dark){:root{--b:#0e1114;--t:#f4f4f2;--l:#3a424a;--a:#9cc9ff;--e:#ffb0a8}}
body{margin:0 auto;max-width:38rem;padding:0 1rem 2rem;font:1.1rem/1.4 system-ui,sans-serif;
background:var(--b);color:var(--t);overflow-wrap:anywhere}
header{margin:0 -1rem;padding:.6rem 1rem;background:#34404c;color:#fff}
h1{font-size:1.6rem;margin:1rem 0}a{color:var(--a)}
label{display:block;margin:.8rem 0 .2rem}
input{font:inherit;width:100%;box-sizing:border-box;padding:.5rem}
button{font:inherit;margin:1rem 0;padding:.6rem 1.2rem}
.e{border-left:.4rem solid var(--e);padding:.4rem .8rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;font-weight:400;vertical-align:top;
padding:.35rem .3rem .35rem 0;border-bottom:1px solid var(--l)}td{font-weight:700}
"""


class Pages:
    """All pages in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    def say(self, key: str) -> str:
        return TEXTS[key][self._column]

    def unclaimed(self) -> str:
        return self._page(
            "desk",
            f"<p>{self._text('unclaimed')}</p><p>{self._text('how to claim')}</p>"
            f'<p><code>sudo kiezbox desk claim</code></p><p><a href="/claim">'
            f"{self._text('claim')}</a></p>",
        )

    def claim(self, token: str, fault: str = "") -> str:
        return self._page(
            "claim",
            self._form(
                "/claim",
                token,
                "claim",
                [
                    ("code", "code", "text", "one-time-code"),
                    ("passphrase", "new passphrase", "password", "new-password"),
                    ("again", "again", "password", "new-password"),
                ],
            ),
            fault,
        )

    def login(self, token: str, fault: str = "") -> str:
        fields = [("passphrase", "passphrase", "password", "current-password")]
        return self._page(
            "login",
            self._form("/login", token, "login", fields) + f"<p>{self._text('forgotten')}</p>",
            fault,
        )

    def status(
        self,
        token: str,
        rows: Iterable[tuple[str, str]] | None,
        advice: Sequence[str] = (),
        neighbours: Sequence[tuple[str, str, Sequence[tuple[str, str]]]] = (),
        cries: Sequence[str] = (),
    ) -> str:
        """``rows``: None where the node does not run; ``advice``: what helps in the rooms;
        ``neighbours``: boxes of Kiezbox 2.0; ``cries``: what their buttons have said.
        """
        if rows is None:
            shown = f'<p class="e">{self._text("silent")}</p>'
        else:
            shown = _table(rows)
        if neighbours:
            shown += f"<h2>{self._text('neighbours')}</h2>" + "".join(
                f"<h3>{html.escape(name)}</h3><p>{html.escape(heard)}</p>{_table(values)}"
                for name, heard, values in neighbours
            )
        if advice:
            listed = "".join(f"<li>{html.escape(each)}</li>" for each in advice)
            title = html.escape(text_of(self.language, "advice")["title"])
            shown = f"<h2>{title}</h2><ul>{listed}</ul>{shown}"
        called = "".join(f'<p class="e" role="alert">{html.escape(cry)}</p>' for cry in cries)
        return self._page(
            "status",
            f'{called}{shown}<p><a href="/">{self._text("reload")}</a></p>'
            + self._form("/logout", token, "logout", []),
        )

    def fault(self, key: str) -> str:
        return self._page("desk", '<p><a href="/">/</a></p>', key)

    def _form(
        self, path: str, token: str, button: str, fields: Sequence[tuple[str, str, str, str]]
    ) -> str:
        inputs = "".join(
            f'<label for="{name}">{self._text(label)}</label><input id="{name}" name="{name}"'
            f' type="{kind}" autocomplete="{filled}" required maxlength="256"'
            ' autocapitalize="off" spellcheck="false">'
            for name, label, kind, filled in fields
        )
        return (
            f'<form method="post" action="{path}">{inputs}'
            f'<input type="hidden" name="token" value="{html.escape(token)}">'
            f"<button>{self._text(button)}</button></form>"
        )

    def _page(self, title: str, body: str, fault: str = "") -> str:
        wrong = f'<p class="e" role="alert">{self._text(fault)}</p>' if fault else ""
        return (
            f'<!DOCTYPE html><html lang="{self.language}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width"><title>{self._text(title)} ·'
            ' Kiezbox</title><link rel="stylesheet" href="/style.css"></head><body>'
            f"<header>Kiezbox · {self._text('desk')}</header><h1>{self._text(title)}</h1>"
            f"{wrong}{body}</body></html>"
        )

    def _text(self, key: str) -> str:
        return html.escape(self.say(key))


def _table(rows: Iterable[tuple[str, str]]) -> str:
    inner = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    return f"<table>{inner}</table>"
