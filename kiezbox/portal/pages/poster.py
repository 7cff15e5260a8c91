"""Paper: a poster that leads to the WLAN, the bulletins of now as a sheet, an empty "safe" slip.

``/LANGUAGE/poster``, ``/poster/bulletins`` and ``/poster/safe``, each a page of A4 when printed.
"""

from __future__ import annotations

from kiezbox.i18n import LANGUAGES, lang_of
from kiezbox.portal.answered import Answer
from kiezbox.portal.asking import Ask
from kiezbox.portal.words import DAY_S, clock_time, escape

#: On the sheet of bulletins; there are more of them on the box.
WARNINGS_MOST, WORDS_BYTES = 3, 250

#: On paper everything is for a reader two metres away; what leads elsewhere stays on the screen.
_STYLE = """\
svg{display:block;width:100%;max-width:14rem}.q{display:flex;flex-wrap:wrap;gap:0 2rem}\
figure{margin:.8rem 0;width:14rem;max-width:100%}.b{font-size:1.6rem;font-weight:700}\
.slip{border:3px dashed;padding:.5rem 1rem;margin:1rem 0;break-inside:avoid}\
.slip+.slip{display:none}\
.line{border-bottom:2px solid;min-height:2.4rem;margin:.2rem 0 .8rem}\
@page{size:A4;margin:14mm}@media print{body{max-width:none;padding:0;font-size:15pt}\
header{margin:0;padding:.4rem 0}h1{font-size:30pt}.slip{font-size:12pt}\
.slip+.slip{display:block}.slip h2{margin:.4rem 0}.slip .line{min-height:1.9rem;margin:0 0 .6rem}\
.slip p{margin:.2rem 0}.q figure{width:62mm}svg{max-width:62mm}\
footer small{font-size:11pt}\
footer a,footer p:first-child,p>a:only-child{display:none}}"""


def show(ask: Ask) -> Answer:
    return Answer(200, b"", is_slow=True)


def show_slowly(ask: Ask) -> Answer:
    match ask.rest:
        case ():
            return _poster(ask)
        case ("bulletins",):
            return _bulletins(ask)
        case ("safe",):
            return _slip(ask)
    return ask.see("poster")


def _poster(ask: Ask) -> Answer:
    """How to get here, for whoever walks by."""
    from kiezbox.portal.staying import code_of, joining

    text, basic, network = ask.text("poster"), ask.text(), ask.facts["network"]
    codes, how = "", ""
    if network["ssid"] and network["access_point"] != "none":
        ssid = f"<bdi>{escape(network['ssid'])}</bdi>"
        how += f"<p>{text['wlan']}<br><span class=b>{ssid}</span></p>"
        codes += _figure(code_of(joining(network["ssid"])), basic["qr_wlan"])
    if network["address"]:
        address = escape(network["address"])
        named = (
            f"<br>{basic['or']} <b dir=ltr>{escape(network['name'])}</b>" if network["name"] else ""
        )
        how += f"<p>{text['address']}<br><span class=b dir=ltr>http://{address}</span>{named}</p>"
        codes += _figure(code_of(f"http://{network['address']}/"), basic["qr_page"])
    if not how:
        how = f"<p class=n>{text['no_wlan']}</p>"
    finds = "".join(f"<li>{each}</li>" for each in text["finds"])
    natives = " · ".join(
        f"<span lang={lang_of(name)}><bdi>{native}</bdi></span>"
        for name, native in LANGUAGES.items()
    )
    body = (
        f"<p class=b>{text['lead']}</p>{how}<div class=q>{codes}</div><ul>{finds}</ul>"
        f"<p>{natives}</p><p class=b>{basic['never_ask']}</p>{_links(ask, 'poster')}"
    )
    return _sheet(ask, text["title"], body)


def _figure(code: str, label: str) -> str:
    return f"<figure>{code}<figcaption>{label}</figcaption></figure>"


def _bulletins(ask: Ask) -> Answer:
    """What is up now, to be put on a door: official warnings, then bulletins, as many as fit."""
    from kiezbox.portal.cards import card
    from kiezbox.portal.official import card as warning_card
    from kiezbox.portal.official import now_matters, warnings_of
    from kiezbox.portal.posted import pages_of

    text, basic, facts = ask.text("poster"), ask.text(), ask.facts
    found = ask.sight.bulletins(facts)
    is_sure = facts["clock_trusted"] is not False
    held = warnings_of(ask.shown, ask.now, ask.language, is_clock_sure=is_sure)
    warnings = now_matters(held, ask.now)[:WARNINGS_MOST]
    words, path = ask.text("warnings"), ask.path("warnings")
    listed = "".join(
        warning_card(each, words, basic, ask.now, path, most=WORDS_BYTES, heading="h2")
        for each in warnings
    )
    if found:
        first, *more = pages_of(found)
        listed += "".join(card(each, facts, basic, ask.language) for each in first)
        listed += (
            f"<p>{basic['bulletins_more'].format(count=len(found))}: Kiezbox</p>" if more else ""
        )
    elif not warnings:
        listed = f"<p>{basic['bulletins_unreadable' if found is None else 'bulletins_none']}</p>"
    # With its day: paper hangs for longer than that.
    as_of = basic["as_of"].format(when=clock_time(ask.now, ask.now + 10 * DAY_S, basic))
    body = f"<p>{text['newer']}</p><p><b>{as_of}</b></p>{listed}{_links(ask, 'bulletins')}"
    return _sheet(ask, basic["bulletins"], body)


def _slip(ask: Ask) -> Answer:
    """To be filled in by hand; on paper there are two of them, to be cut apart."""
    text, basic = ask.text("poster"), ask.text()
    lines = "".join(f"<p>{label}</p><div class=line></div>" for label in text["slip"]["lines"])
    slip = f"<div class=slip><h2>{text['slip']['title']}</h2>{lines}<p>{text['slip']['how']}</p>"
    slip += f"<p>{basic['never_ask']}</p></div>"
    return _sheet(ask, text["slip"]["title"], f"{slip}{slip}{_links(ask, 'safe')}")


def _links(ask: Ask, here: str) -> str:
    """To the other sheets; not on paper."""
    text = ask.text("poster")
    paths = {"poster": (), "bulletins": ("bulletins",), "safe": ("safe",)}
    links = "".join(
        f"<li><a href={ask.path('poster', *rest)}>{text['sheets'][name]}</a></li>"
        for name, rest in paths.items()
        if name != here
    )
    return f"<div class=noprint><p>{text['print']}</p><ul class=tasks>{links}</ul></div>"


def _sheet(ask: Ask, title: str, body: str) -> Answer:
    return ask.page(title, body, style=_STYLE, has_forms=False)
