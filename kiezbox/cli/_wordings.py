"""What a program can see wrong in a text without knowing the language: markup, another script,
words left in German, sentences too long for Leichte Sprache.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MOST_SIMPLE_WORDS", "SCRIPTS", "faults"]

#: Languages with a script of their own, and its Unicode name.
SCRIPTS = {"ar": "ARABIC", "fa": "ARABIC", "uk": "CYRILLIC", "ru": "CYRILLIC"}

#: Netzwerk Leichte Sprache, "Die Regeln": short sentences, one thought each. Longer than this is
#: not short.
MOST_SIMPLE_WORDS = 12

_MARKUP = re.compile(r"</?[a-zA-Z!]|&#?\w+;")

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")

#: Words that no other language here has, so that whoever left them forgot to translate.
_GERMAN = re.compile(r"\b(und|nicht|oder|wenn|für|wird|bitte|Ihre|keine|sind)\b")

#: Equal to German or English with so many letters is not chance.
_LEAST_LETTERS = 19

#: Names and terms that are the same in every script.
_NAMES = re.compile(
    r"\b(Kiezbox|iPhone|iPad|Android|Wi-Fi|WLAN|Done|QR|hPa|km|PM|ppm|dB|GeoJSON|CSV|JSON|ODbL|OpenStreetMap"
    r"|GPL|AQI|EU|UTCI|Freifunk|MoWaS|NINA|DWD|LED|USB|SMS|UV|µg|ÜBUNG|Google|Play|Bluetooth|HTTP)\b"
)

#: Bidirectional controls other than isolates, and other controls: they turn the rest of a line.
_CONTROLS = re.compile("[\u202a-\u202e\u200e\u200f\x00-\x09\x0b-\x1f\x7f]")


def faults(language: str, text: str, others: Iterable[str | None]) -> list[str]:
    """``others``: what the entry says in German and English."""
    found = []
    bare = _NAMES.sub("", _PLACEHOLDER.sub("", text))
    letters = sum(map(str.isalpha, bare))
    if _MARKUP.search(text):
        found.append("holds markup")
    if _CONTROLS.search(text):
        found.append("holds a control character")
    if text != text.strip():
        found.append("begins or ends with a blank")
    if unicodedata.normalize("NFC", text) != text:
        found.append("is not in Unicode's composed form (NFC)")
    if text.count("\u2066") != text.count("\u2069"):
        found.append("opens a direction that it does not close")
    script = SCRIPTS.get(language)
    if script and letters >= 3 and not any(script in unicodedata.name(c, "") for c in bare):
        found.append(f"is not in {script.lower()} script: {text}")
    if language not in ("de", "de_simple"):
        if letters >= _LEAST_LETTERS and text in others:
            found.append(f"is not translated: {text}")
        if word := _GERMAN.search(text):
            found.append(f"holds a German word: {word.group()}")
    if language == "de_simple":
        sentences = re.split(r"[.:?!](?:\s|$)", text)
        longest = max(sentences, key=lambda each: len(each.split()))
        if len(longest.split()) > MOST_SIMPLE_WORDS:
            found.append(f"has a sentence of {len(longest.split())} words: {longest}")
    return found
