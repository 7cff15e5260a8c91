"""The pages beside the first one: "you are connected", and where help is and how to come back.

Drawings are our own, as SVG inside the page; a QR code is made once per text (segno, 30 ms).
"""

from __future__ import annotations

from functools import lru_cache

import segno

from kiezbox.i18n import RIGHT_TO_LEFT
from kiezbox.portal.countries import phones_here, text_here
from kiezbox.portal.page import back_link, document, paragraph
from kiezbox.portal.style import BESIDE
from kiezbox.portal.words import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.situation import Facts

__all__ = ["code_of", "connected_page", "info_page", "joining"]

#: The upper edge of a phone's window, what stands in its upper corner, and a ring around that.
_WINDOW = (
    '<svg viewBox="0 0 200 84" role="img" aria-label="{word}" fill="currentColor">'
    '<path d="M3 84V20Q3 8 15 8H185Q197 8 197 20V84M3 44H197M24 58H140M24 70H110" fill="none"'
    ' stroke="currentColor" stroke-width="3"/>{mark}<rect x="{ring}" y="2" width="{width}"'
    ' height="44" rx="16" fill="none" stroke="var(--a)" stroke-width="5"/></svg>'
)


def connected_page(facts: Facts, language: str = "de") -> bytes:
    """After "stay connected": how to close the phone's own window, the way back, the way out."""
    text = text_here(facts, language)
    headline, sentence = text["connected"]
    parts = [
        f"<header><h1>{headline}</h1>{paragraph(sentence)}</header>",
        _closing(text, language),
        paragraph(text["close_ask"]),
        # The tip for a phone that is nearly empty.
        paragraph(_lead(text["save_battery"])),
        _coming_back(facts, text, wlan=False),
        f"<p><a href=/{language}/info>{text['info_link']}</a></p>",
        back_link(text, language),
        f"<form class=l method=post action=/{language}/leave>{paragraph(text['leave'][0])}"
        f"<button>{text['leave'][1]}</button></form>",
    ]
    return document(facts, text, language, "".join(parts), "connected", look="n", style=BESIDE)


def info_page(facts: Facts, language: str = "de") -> bytes:
    """Emergency numbers, where help is if no phone works, and the way back here."""
    text = text_here(facts, language)
    phones = phones_here(facts)
    dialled: dict[str, list[str]] = {}
    for name, who in zip(("emergency", "police"), text["numbers"], strict=True):
        dialled.setdefault(phones[name], []).append(who)
    calls = "".join(
        f'<li><a href="tel:{number}"><b>{number}</b></a> {", ".join(who)}</li>'
        for number, who in dialled.items()
    )
    places = "".join(f"<li>{where}</li>" for where in text["help_where"])
    parts = [
        f"<header><h1>{text['info']}</h1></header><ul class=t>{calls}</ul>",
        paragraph(text["numbers_how"]),
        f"<h2>{text['help']}</h2><ul>{places}</ul>",
        _coming_back(facts, text, wlan=True),
        back_link(text, language),
    ]
    return document(facts, text, language, "".join(parts), "info", look="u", style=BESIDE)


def _closing(text: dict[str, Any], language: str) -> str:
    """What ends the phone's own window without losing the WLAN, as pictures with their words.

    In languages from right to left phones have the corner on the left.
    """
    is_left = language in RIGHT_TO_LEFT
    word, menu = text["close_ios_word"], text["close_android_word"]
    done = (
        f'<text x="{46 if is_left else 154}" y="31" font-size="17" font-weight="700"'
        f' text-anchor="middle">{word}</text>'
    )
    dots = "".join(f'<circle cx="{22 if is_left else 178}" cy="{y}" r="3"/>' for y in (16, 25, 34))
    ios = _WINDOW.format(word=word, mark=done, ring=6 if is_left else 114, width=80)
    android = _WINDOW.format(word="⋮", mark=dots, ring=3 if is_left else 159, width=38)
    return (
        f"<figure><figcaption>{_lead(text['close_ios'])}</figcaption>{ios}</figure>"
        f"<figure><figcaption>{_lead(text['close_android'])}</figcaption>{android}"
        f"<p class=k>{menu}</p></figure>"
    )


def _lead(pair: tuple[str, str]) -> str:
    return f"<b>{pair[0]}</b> {pair[1]}"


def _coming_back(facts: Facts, text: dict[str, Any], *, wlan: bool) -> str:
    network = facts["network"]
    address, name, ssid = network["address"], network["name"], network["ssid"]
    if address is None or network["wanted"] in ("closed", "dark"):
        # Nothing answers there just now.
        return ""
    how = text["come_back_how_bare"]
    if ssid and network["access_point"] != "none":
        how = text["come_back_how"].format(ssid=f"<bdi>{escape(ssid)}</bdi>")
    named = f" {text['or']} <b dir=ltr>{escape(name)}</b>" if name else ""
    codes = [(f"http://{address}/", text["qr_page"])]
    if wlan and ssid:
        codes.append((joining(ssid), text["qr_wlan"]))
    drawn = "".join(
        f"<figure>{code_of(content)}<figcaption>{label}</figcaption></figure>"
        for content, label in codes
    )
    return (
        f"<h2>{text['come_back']}</h2><p>{how}<br><b class=a dir=ltr>http://{escape(address)}</b>"
        f"{named}</p><div class=q>{drawn}</div>"
    )


def joining(ssid: str) -> str:
    """What a phone reads in a code to join the open WLAN of this name."""
    return f"WIFI:T:nopass;S:{_quoted(ssid)};;"


def _quoted(ssid: str) -> str:
    """For the WIFI: form, in which \\ ; , : and " mean something (ZXing, "Barcode Contents")."""
    return "".join(f"\\{letter}" if letter in '\\;,:"' else letter for letter in ssid)


@lru_cache(maxsize=16)
def code_of(content: str) -> str:
    """Black on white in every scheme, with the quiet zone of four modules (ISO/IEC 18004)."""
    code = segno.make(content, error="m", micro=False)
    drawn: str = code.svg_inline(
        scale=1, border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return drawn.replace("<svg", f'<svg role="img" aria-label="{escape(content)}"', 1)
