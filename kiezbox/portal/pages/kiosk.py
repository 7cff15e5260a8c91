"""For a shop window or a lighthouse: large type, one language after the other, nothing to touch.

``/kiosk`` begins with the language of the screen's browser; each page leads to the next language by
the header ``Refresh``, which needs no script. ``/LANGUAGE/kiosk/still`` stays as it is, for whoever
reads slowly or hears it read (WCAG 2.2, 2.2.1).
"""

from __future__ import annotations

from kiezbox.i18n import LANGUAGES
from kiezbox.portal.answered import Answer
from kiezbox.portal.asking import Ask
from kiezbox.portal.meaning import headline_of, look_of
from kiezbox.portal.words import escape

#: So long a language stands. Fourteen of them come round in less than five minutes.
TURN_S = 20

#: What fits a screen that nobody can scroll: official words, each of so many bytes, steps, points.
OFFICIAL_MOST, WORDS_BYTES, STEPS_MOST, POINTS_MOST = 2, 120, 3, 2

#: From a phone on a sill to a television, which is wide and shows all of it at once.
_STYLE = """\
body{max-width:none;padding:0 2vw;font-size:clamp(1.2rem,2.6vw,3rem)}\
header{margin:0 -2vw;padding:.2em 2vw}h1{font-size:1.8em}h2{font-size:1.1em;margin:.6em 0 .2em}\
small{font-size:.75em}footer small a{padding:.9em 0}\
footer p:first-child,header a,article p>a:only-child{display:none}\
svg{width:8em;max-width:100%}ul{padding-inline-start:1.2em;margin:0}\
@media(min-aspect-ratio:4/3){body{font-size:1.4vw}\
main{display:grid;grid-template-columns:1.3fr 1fr 1fr;gap:0 2vw}\
header,main>p{grid-column:1/-1}footer{margin-top:-4em;\
padding-inline-start:40%;text-align:end}}"""


def show(ask: Ask) -> Answer:
    return Answer(200, b"", is_slow=True)


def show_slowly(ask: Ask) -> Answer:
    """Behind, because drawing the code for the WLAN takes its time."""
    from kiezbox.portal.now import first_steps, official_cards, summary, with_danger
    from kiezbox.portal.official import now_matters, warnings_of

    text, bulletins = ask.text(), ask.sight.bulletins(ask.facts)
    is_sure = ask.facts["clock_trusted"] is not False
    found = warnings_of(ask.shown, ask.now, ask.language, is_clock_sure=is_sure)
    warnings = now_matters(found, ask.now)
    facts = with_danger(ask.facts, bulletins, warnings)
    cards = official_cards(
        facts, bulletins, warnings, ask.language, most=OFFICIAL_MOST, words=WORDS_BYTES
    )
    is_still = ask.rest == ("still",)
    steps, _ = first_steps(facts, text, ask.language)
    listed = "".join(f"<li>{step}</li>" for step in steps[:STEPS_MOST])
    body = (
        f"{summary(facts, None, text, is_brief=bool(cards))}<div>{cards}</div>"
        f"<section><h2>{text['first']}</h2><ol>{listed}</ol></section>"
        f"<div>{_nearest(ask)}{_joining(ask)}</div>"
    )
    other = "kiosk" if is_still else "kiosk/still"
    link = ask.text("kiosk")["turning" if is_still else "still"]
    body += f"<p><a href={ask.path(other)}>{link}</a></p>"
    page = ask.page(
        escape(headline_of(facts, text)[0]), body, style=_STYLE, look=look_of(facts),
        has_back=False, has_forms=False, has_head=False,
    )  # fmt: skip
    if not is_still:
        names = list(LANGUAGES)
        following = names[(names.index(ask.language) + 1) % len(names)]
        page.headers.append(("Refresh", f"{TURN_S}; url=/{following}/kiosk"))
    return page


def _nearest(ask: Ask) -> str:
    """Who helps nearby, in words."""
    from kiezbox.place.points import NEEDS
    from kiezbox.portal.places import Surroundings
    from kiezbox.portal.points import kind_of, name_of, way_to

    around = Surroundings(ask)
    near = around.near(NEEDS["help"], POINTS_MOST) if around else []
    if not near:
        return ""
    rows = ""
    for each in near:
        said = " · ".join(filter(None, (kind_of(ask, each.point), way_to(ask, each))))
        rows += f"<li><b>{name_of(ask, each.point)}</b><br>{said}</li>"
    title = ask.text("where")["needs"]["help"]
    return f"<section><h2>{title}</h2><ul>{rows}</ul></section>"


def _joining(ask: Ask) -> str:
    """The code by which a phone joins, while there is a WLAN to join."""
    from kiezbox.portal.staying import code_of, joining

    text, network = ask.text(), ask.facts["network"]
    if not network["ssid"] or network["access_point"] == "none" or not network["is_on_air"]:
        return ""
    return (
        f"<section><h2>{text['qr_wlan']}</h2>{code_of(joining(network['ssid']))}"
        f"<p><bdi>{escape(network['ssid'])}</bdi></p></section>"
    )
