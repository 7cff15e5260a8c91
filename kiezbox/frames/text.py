"""Texts on the air: each as short as a text that both sides have lets it be.

What it is learnt from lies in ``primes``, a file for each language, and is part of the format: it
stays as it is for ever, and a better one gets another number. A message is coded by its language,
and by any other it gets a little longer.
"""

from __future__ import annotations

from functools import lru_cache

from kiezbox.frames.coder import Coder
from kiezbox.frames.header import BadFrame
from kiezbox.frames.text_model import TextModel

__all__ = ["LANGUAGES", "MOST_BYTES", "language_number", "text"]

#: By their numbers in frames. What is in no language of ours is coded by the first.
LANGUAGES = (
    "de", "en", "tr", "ar", "uk", "ru", "pl", "vi", "fa", "ro", "fr", "es", "it",
)  # fmt: skip

_PRIMES = __file__.rpartition("/")[0] + "/primes"

#: Bytes of a text, in UTF-8.
MOST_BYTES = 1500


def language_number(language: str) -> int:
    """Of ``LANGUAGES``, by what stands before "_" (``de_simple`` is German); 0 for all others."""
    name = language.partition("_")[0]
    return LANGUAGES.index(name) if name in LANGUAGES else 0


def text(coder: Coder, said: str, language: int, most_bytes: int = MOST_BYTES) -> str:
    """One text; ``language``: a number of ``LANGUAGES``. One thread at a time.

    ``most_bytes``: what is longer is not read to its end, which takes 0.1 ms a byte and hostile
    frames hardly a bit.

    Raises:
        BadFrame: what was read is too long, or no UTF-8.
        ValueError: what is to be written is, or has a zero character in it.
    """
    most_bytes = min(most_bytes, MOST_BYTES)
    model = _model(LANGUAGES[language])
    model.begin()
    data = said.encode()
    if len(data) > most_bytes or 0 in data:
        raise ValueError(f"a text of {len(data)} bytes, or with a zero character")
    found = bytearray()
    for place in range(most_bytes + 1):
        byte = _byte(coder, model, data[place] if place < len(data) else 0)
        if not byte:
            break
        found.append(byte)
    else:
        raise BadFrame("a text that is too long")
    try:
        return found.decode()
    except UnicodeDecodeError as error:
        raise BadFrame("a text that is no UTF-8") from error


def _byte(coder: Coder, model: TextModel, byte: int) -> int:
    found = 1
    while found < 256:
        place = 8 - found.bit_length()
        found = found << 1 | coder.bit(model, byte >> place & 1)
    return found & 255


@lru_cache(maxsize=3)
def _model(language: str) -> TextModel:
    """Takes a second to make, and 0.6 MB to keep."""
    with open(f"{_PRIMES}/{language}.txt", "rb") as file:
        return TextModel(file.read().replace(b"\n", b"\0"))
