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
from collections.abc import Callable
from math import exp
from operator import mul

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


#: Of a slot's number only these bits matter.
_MIXED = (1 << 28) - 1
_STEP = _GOLDEN * _PRIME & _MIXED

#: Of each context the bytes that it looks at, as shifts of the last four: the oldest first.
_LAST_BYTES = ((0,), (8, 0), (16, 8, 0), (24, 16, 8, 0))


def _paths(offset: Callable[[int], int]) -> tuple[tuple[tuple[int, int], ...], ...]:
    """For each byte, what each of its bits adds to the slot's number, and what is learnt there."""
    return tuple(
        tuple(
            (offset((256 | byte) >> place + 1), 65535 * (byte >> place & 1))
            for place in range(7, -1, -1)
        )
        for byte in range(256)
    )


_PATHS = _paths(lambda begun: begun * _STEP & _MIXED)
_FIRST_PATHS = _paths(lambda begun: begun << 12)


class TextModel(Chance):
    """The chance of the next bit. ``coder.bit(model, bit)`` asks it and lets it learn."""

    __slots__ = (
        "_bases", "_begun", "_inputs", "_keep_weights", "_last", "_met", "_mixed", "_of_one",
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
        self._see(prime[:known])
        for byte in prime[known:]:
            for place in range(7, -1, -1):
                self._predict()
                self._learn(byte >> place & 1)
        self._keep_weights = [list(each) for each in self._weights]

    def _see(self, known: bytes) -> None:
        """Let the contexts learn, and no weights: as ``_learn`` does byte by byte, but one context
        after the other, and in lists, which takes half the time.
        """
        bases = []
        for byte in known:
            bases.append(self._bases)
            self._ends(byte)
        rates, most = _RATES, _MOST_MET
        for order in range(_ORDERS):
            of_one, met = self._of_one[order].tolist(), list(self._met[order])
            paths = _PATHS if order else _FIRST_PATHS
            for each, byte in zip(bases, known, strict=True):
                base = each[order]
                for offset, target in paths[byte]:
                    slot = (base + offset) >> 12 & 0xFFFF
                    was, times = of_one[slot], met[slot]
                    of_one[slot] = was + ((target - was) * rates[times] >> 16)
                    if times < most:
                        met[slot] = times + 1
            self._of_one[order], self._met[order] = array("H", of_one), bytearray(met)

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
        last, prime = self._last, _PRIME
        found = [0]
        for order, shifts in enumerate(_LAST_BYTES, 1):
            hashed = order * _GOLDEN
            for shift in shifts:
                hashed = ((hashed ^ (last >> shift & 255)) * prime) & 0xFFFFFFFF
            found.append(hashed * prime & _MIXED)
        found.append((self._word * _GOLDEN + _WORD) * prime & _MIXED)
        #: What the contexts add to the numbers of their slots.
        self._bases = found
        #: The bits of this byte so far, behind a one.
        self._begun = 1

    def _predict(self) -> int:
        """The chance of a one, of 4096."""
        begun = self._begun
        offset, stretched = begun * _STEP & _MIXED, _STRETCHED
        places = [(base + offset) >> 12 & 0xFFFF for base in self._bases]
        places[0] = begun
        # Who was never met expects one half: that is no opinion.
        inputs = [
            stretched[of_one[slot] >> 4] for of_one, slot in zip(self._of_one, places, strict=True)
        ]
        dot: int = sum(map(mul, inputs, self._weights[begun]))
        self._places, self._inputs = places, inputs
        self._mixed = min(4095, max(1, _SQUASHED[min(4094, max(0, (dot >> 16) + 2047))]))
        return self._mixed

    def _share(self, span: int) -> int:
        return (span >> 12) * self._predict()

    def _learn(self, bit: int) -> None:
        error = ((bit << 12) - self._mixed) * _LEARNING
        weights, target = self._weights[self._begun], 65535 * bit
        places, inputs, undo = self._places, self._inputs, self._undo
        for order in range(_ORDERS):
            slot, of_one, met = places[order], self._of_one[order], self._met[order]
            was, times = of_one[slot], met[slot]
            if undo is not None:
                undo.append((order, slot, was, times))
            weights[order] += (inputs[order] * error + 0x2000) >> 14
            of_one[slot] = was + ((target - was) * _RATES[times] >> 16)
            if times < _MOST_MET:
                met[slot] = times + 1
        self._begun = self._begun << 1 | bit
        if self._begun > 255:
            self._ends(self._begun & 255)

    def _ends(self, byte: int) -> None:
        self._last = (self._last << 8 | byte) & 0xFFFFFFFF
        # A word is letters: of any script but for punctuation, digits and blanks.
        self._word = (self._word * 271 + byte + 1) & 0xFFFFFFFF if byte > 64 else 0
        self._next_byte()
