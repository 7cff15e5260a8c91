"""How few bytes readings could take at all, and how many the plain codes take."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

#: One series as whole numbers.
Numbers = Sequence[int]


def differences(numbers: Numbers) -> list[int]:
    return [following - one for one, following in pairwise(numbers)]


def pooled_bits(series: Sequence[Numbers]) -> float:
    """Bits of a difference, by how often each occurs in all hours: a code that was made for these
    very hours, and knows nothing of the hour it is in, takes no fewer.
    """
    counts = Counter(step for numbers in series for step in differences(numbers))
    total = counts.total()
    return -sum(n / total * math.log2(n / total) for n in counts.values())


def gaussian_bits(numbers: Numbers) -> float:
    """Bits of a difference of one hour, if they were normally distributed: ½ log₂(2πe σ²)."""
    steps = differences(numbers)
    variance = sum(step * step for step in steps) / len(steps) + 1 / 12
    return max(0.0, 0.5 * math.log2(2 * math.pi * math.e * variance))


def rice_bits(numbers: Numbers, first_bits: int) -> int:
    """Bits of a series in plain adaptive Rice codes: the first number in full, then zig-zag
    differences with a parameter from the mean so far (JPEG-LS, ITU-T T.87), which begins at the
    best one of the series (three bits); runs above 20 escape to 18 bits.
    """
    steps = [2 * step if step >= 0 else -2 * step - 1 for step in differences(numbers)]
    best = min(_rice(steps, begin) for begin in range(8))
    return first_bits + 3 + best


def _rice(steps: Sequence[int], begin: int) -> int:
    total, count, bits = 1 << begin, 1, 0
    for step in steps:
        k = max(0, (total // count).bit_length() - 1)
        run = step >> k
        bits += run + 1 + k if run < 20 else 20 + 18
        total, count = total + step, count + 1
        if count == 16:
            total, count = total // 2, count // 2
    return bits
