"""What all pages share: the document around them, the button to stay, the way back.

Plain HTML, no script, nothing from outside. Whatever did not come from ``i18n`` is escaped here.
"""

from __future__ import annotations

from kiezbox.i18n import LANGUAGES, RIGHT_TO_LEFT, is_checked, lang_of
from kiezbox.portal.answered import SLOT
from kiezbox.portal.meaning import headline_of, look_of
from kiezbox.portal.style import style_of
from kiezbox.portal.words import clock_time, escape
from kiezbox.situation import is_exercise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from kiezbox.situation import Facts

__all__ = ["back_link", "document", "paragraph", "stay_form"]

#: Pages to take along.
_KEPT = ("about", "info", "steps")


def document(
    facts: Facts,
    text: dict[str, Any],
    language: str,
    body: str,
    name: str = "",
    *,
    look: str = "",
    style: str = "",
    title: str = "",
    rooms: Iterable[str] = ("now", "codes", "warnings"),
    has_reload: bool = True,
) -> bytes:
    """The whole page around ``body``. ``name``: of the page, the same in every language. ``look``:
    the class of another head than the situation's; ``style``: beside that of every page;
    ``title``: HTML, by default the situation's headline; ``rooms``: whose texts are on the page;
    ``has_reload``: False for what is shown once, which a link would lead away from.
    """
    banner = top = ""
    if is_exercise(facts):
        banner = f'<p class="x">{text["exercise_banner"]}<br>{text["exercise_mark"]}</p>'
        # A place of its own, so that whoever jumps from part to part hears it.
        label = escape(text["exercise_banner"])
        top = banner.replace(">", f' role=region aria-label="{label}">', 1)
    box, now = facts["box"], facts["now"]
    foot = [
        text["as_of"].format(when=clock_time(now, now, text)),
        f"<bdi>{escape(box['name'] or box['id'] or 'Kiezbox')}</bdi>",
        f'<a href="/situation.geojson">{text["data"]}</a>',
    ]
    if not is_checked(language, rooms):
        foot.append(text["machine_made"])
    below = f"/{name}" if name else ""
    links = " ".join(
        f"<a href=/{other}{below} lang={lang_of(other)}>{native}</a>"
        for other, native in LANGUAGES.items()
        if other != language
    )
    if name not in ("", "again"):
        # Whoever got here has chosen. Without script: a phone's own window opens it as well.
        links = (
            f'<a href="/{language}">{text["back"]}</a><details><summary>{LANGUAGES[language]} ·'
            f" <span lang=en>Languages</span></summary>{links}</details>"
        )
    # A screen in a shop window has nothing to touch.
    nav = "" if name.startswith("kiosk") else f"<nav>{links}</nav>"
    keep = ""
    if name.partition("/")[0] in _KEPT:
        # Whoever prints it has it.
        keep = f"<p class=noprint>{' '.join(text['keep'])}</p>"
    again = f'<p><a href="/{language}{below}">{text["reload"]}</a></p>' if has_reload else ""
    direction = " dir=rtl" if language in RIGHT_TO_LEFT else ""
    rules = style_of(facts, banner + nav + body) + style
    return (
        (
            f'<!DOCTYPE html><html lang="{lang_of(language)}"{direction}><head>'
            '<meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{title or escape(headline_of(facts, text)[0])} · Kiezbox</title>"
            f'<link rel="icon" href="data:,"><style>{rules}</style></head>'
            f'<body class="{look or look_of(facts)}">{top}{nav}<main>{body}</main>'
            f"<footer>{again}{banner}{keep}"
            f"<p><small>{' · '.join(foot)}<br>{text['never_ask']}</small></p>"
            "</footer></body></html>"
        )
        .encode()
        .replace(b"\0", SLOT)
    )


def stay_form(facts: Facts, text: dict[str, Any], language: str, why: str = "") -> str:
    """One button, where the WLAN leads its guests here. Without script: phones' own windows."""
    network = facts["network"]
    if network["wanted"] == "shared":
        return paragraph(text["shared"])
    if network["wanted"] not in (None, "emergency"):
        return ""
    reason, button = text["stay"]
    turns = network["slice"]
    when = turns and turns["is_open"] and turns["changes_at"]
    pause = (
        paragraph(text["slice"].format(when=clock_time(when, facts["now"], text))) if when else ""
    )
    return (
        f"<form method=post action=/{language}/stay>{paragraph(why or reason)}"
        f'<input type=hidden name=token value="\0"><button>{button}</button></form>{pause}'
    )


def back_link(text: dict[str, Any], language: str) -> str:
    """To the first page."""
    return f'<p class=noprint><a href="/{language}">{text["back"]}</a></p>'


def paragraph(sentence: str) -> str:
    """Of words from ``texts`` or made of numbers."""
    return f"<p>{sentence}</p>" if sentence else ""
