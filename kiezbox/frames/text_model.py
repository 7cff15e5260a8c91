"""How likely each next bit of a text is, learnt from a text that both sides have.

Six contexts (none, the last one to four bytes, the word so far) each remember how likely a bit was
where they were met; their opinions are added up in the logistic domain, by weights that learn which
of them to trust (Mahoney, "Adaptive Weighing of Context Models for Lossless Data Compression",
2005). Whole numbers throughout, so that every computer comes to the same; docs/frames.md says it
for C. What a model learns from a message it forgets again after it: each message stands alone,
because any of them may be lost.
"""

from __future__ import annotations

from array import array
from math import exp

from kiezbox.frames.coder import Chance

__all__ = ["TextModel"]

_ORDERS = 6

#: Slots of each context, as a power of two.
_SLOT_BITS = (8, 16, 16, 16, 16, 16)

#: How fast a slot learns that was met so often: 1 / (n + 1.5), in 1/65536; no slower than 1/24.
_RATES = tuple(65536 * 2 // (2 * n + 3) for n in range(23))
_MOST_MET = len(_RATES) - 1

#: How fast weights learn, and what they begin with, in 1/65536.
_LEARNING, _FIRST_WEIGHT = 6, 65536 // 3

#: One part of so many of what is learnt from also teaches the weights.
_TRUSTED = 8

_GOLDEN, _PRIME = 0x9E3779B1, 0x01000193
_WORD = 32


def _knots() -> list[int]:
    """4096 times the logistic function of -8, -7.5 … 8."""
    return [round(4096 / (1 + exp(-knot / 2))) for knot in range(-16, 17)]


def _squashed() -> tuple[int, ...]:
    """Chance, of 4096, by its logit in 1/256, from -2047 on: a line from knot to knot."""
    knots = _knots()
    found = []
    for logit in range(-2047, 2048):
        place, rest = (logit + 2048) >> 7, (logit + 2048) & 127
        found.append((knots[place] * (128 - rest) + knots[place + 1] * rest + 64) >> 7)
    return tuple(found)


_SQUASHED = _squashed()


def _stretched() -> tuple[int, ...]:
    """The other way: the lowest logit with that chance or more."""
    found, logit = [], 0
    for chance in range(4096):
        while logit < len(_SQUASHED) - 1 and _SQUASHED[logit] < chance:
            logit += 1
        found.append(logit - 2047)
    return tuple(found)


_STRETCHED = _stretched()


class TextModel(Chance):
    """The chance of the next bit. ``coder.bit(model, bit)`` asks it and lets it learn."""

    __slots__ = (
        "_at", "_begun", "_inputs", "_keep_weights", "_last", "_met", "_mixed", "_of_one",
        "_places", "_undo", "_weights", "_word",
    )  # fmt: skip

    def __init__(self, prime: bytes) -> None:
        """``prime``: what it learns from first, each sentence with a zero byte behind it."""
        super().__init__(128)
        self._of_one = [array("H", [32768]) * (1 << bits) for bits in _SLOT_BITS]
        self._met = [bytearray(1 << bits) for bits in _SLOT_BITS]
        self._weights = [[_FIRST_WEIGHT] * _ORDERS for _ in range(256)]
        #: What a message has changed; None while it learns for good.
        self._undo: list[tuple[int, int, int, int]] | None = None
        self._begin()
        # Which context to trust is learnt from the last part alone: that takes most of the time.
        known = len(prime) - len(prime) // _TRUSTED
        for byte in prime[:known]:
            self._see(byte)
        for byte in prime[known:]:
            for place in range(7, -1, -1):
                self._predict()
                self._learn(byte >> place & 1)
        self._keep_weights = [list(each) for each in self._weights]

    def _see(self, byte: int) -> None:
        """Let the contexts learn a byte, and no weights: as ``_learn`` does, in fewer steps."""
        for order in range(_ORDERS):
            at, of_one, met = self._at[order], self._of_one[order], self._met[order]
            begun = 1
            for place in (7, 6, 5, 4, 3, 2, 1, 0):
                slot = ((at + begun * _GOLDEN) * _PRIME >> 12) & 0xFFFF if order else begun
                bit = byte >> place & 1
                was, times = of_one[slot], met[slot]
                of_one[slot] = was + ((65535 * bit - was) * _RATES[times] >> 16)
                if times < _MOST_MET:
                    met[slot] = times + 1
                begun = begun << 1 | bit
        self._ends(byte)

    def begin(self) -> None:
        """A message begins: as if there had been none before."""
        for order, slot, of_one, met in reversed(self._undo or ()):
            self._of_one[order][slot], self._met[order][slot] = of_one, met
        self._undo = []
        self._weights = [list(each) for each in self._keep_weights]
        self._begin()

    def _begin(self) -> None:
        self._last, self._word = 0, 0
        self._next_byte()

    def _next_byte(self) -> None:
        last = self._last
        found = [0]
        for order in range(1, 5):
            hashed = order * _GOLDEN
            for place in range(order - 1, -1, -1):
                hashed = ((hashed ^ (last >> 8 * place & 255)) * _PRIME) & 0xFFFFFFFF
            found.append(hashed)
        found.append((self._word * _GOLDEN + _WORD) & 0xFFFFFFFF)
        self._at = found
        #: The bits of this byte so far, behind a one.
        self._begun = 1

    def _predict(self) -> int:
        """The chance of a one, of 4096."""
        begun = self._begun
        places, inputs, dot = [], [], 0
        weights = self._weights[begun]
        for order in range(_ORDERS):
            if order:
                slot = ((self._at[order] + begun * _GOLDEN) * _PRIME >> 12) & 0xFFFF
            else:
                slot = begun
            places.append(slot)
            # Who was never met has no opinion.
            logit = _STRETCHED[self._of_one[order][slot] >> 4] if self._met[order][slot] else 0
            inputs.append(logit)
            dot += logit * weights[order]
        self._places, self._inputs = places, inputs
        self._mixed = min(4095, max(1, _SQUASHED[min(4094, max(0, (dot >> 16) + 2047))]))
        return self._mixed

    def _share(self, span: int) -> int:
        return (span >> 12) * self._predict()

    def _learn(self, bit: int) -> None:
        error = ((bit << 12) - self._mixed) * _LEARNING
        weights, target = self._weights[self._begun], 65535 * bit
        for order in range(_ORDERS):
            slot, of_one, met = self._places[order], self._of_one[order], self._met[order]
            was, times = of_one[slot], met[slot]
            if self._undo is not None:
                self._undo.append((order, slot, was, times))
            weights[order] += (self._inputs[order] * error + 0x2000) >> 14
            of_one[slot] = was + ((target - was) * _RATES[times] >> 16)
            met[slot] = min(_MOST_MET, times + 1)
        self._begun = self._begun << 1 | bit
        if self._begun > 255:
            self._ends(self._begun & 255)

    def _ends(self, byte: int) -> None:
        self._last = (self._last << 8 | byte) & 0xFFFFFFFF
        # A word is letters: of any script but for punctuation, digits and blanks.
        self._word = (self._word * 271 + byte + 1) & 0xFFFFFFFF if byte > 64 else 0
        self._next_byte()
