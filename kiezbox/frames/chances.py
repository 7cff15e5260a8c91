"""How likely the bits of a difference are 1, in 1/256, by its level (``coder.level_of``).

Counted on the recorded January, March and May 2022 (benchmarks/lib/traces.py), and drawn towards a
two-sided geometric distribution where little was counted. **Part of the format**: a change of one
number is a new version.
"""

from __future__ import annotations

MOST_LEVEL = 31

#: The difference is not 0.
NOT_ZERO = bytes((
    17, 35, 49, 66, 94, 74, 157, 183, 198, 203, 205, 213, 220, 226, 233, 230,
    221, 212, 220, 236, 230, 201, 170, 230, 208, 254, 254, 254, 254, 254, 254, 254,
))  # fmt: skip

#: It is larger by another 1 << width: after none, one, two, three and more.
MORE = (
    bytes((
    8, 3, 6, 7, 8, 28, 75, 115, 143, 109, 142, 114, 163, 133, 152, 97,
    156, 127, 171, 166, 184, 126, 186, 196, 197, 111, 171, 103, 135, 103, 135, 103,
    )),
    bytes((
    137, 65, 82, 129, 34, 50, 70, 102, 133, 100, 129, 106, 147, 117, 131, 125,
    128, 147, 149, 74, 121, 112, 178, 117, 150, 77, 152, 103, 135, 103, 135, 103,
    )),
    bytes((
    137, 79, 90, 52, 94, 110, 92, 104, 129, 109, 142, 126, 146, 114, 142, 135,
    133, 148, 157, 133, 148, 125, 151, 64, 107, 93, 138, 103, 135, 103, 135, 103,
    )),
    bytes((
    228, 171, 187, 199, 178, 189, 176, 150, 156, 175, 180, 175, 170, 186, 166, 160,
    180, 185, 167, 144, 148, 170, 168, 25, 52, 62, 90, 103, 135, 103, 135, 103,
    )),
)  # fmt: skip

#: The highest bit of what is left.
MANTISSA = bytes((
    85, 85, 85, 85, 85, 85, 85, 85, 85, 105, 106, 103, 117, 112, 112, 86,
    113, 93, 113, 110, 113, 123, 123, 135, 139, 121, 99, 99, 108, 99, 108, 99,
))  # fmt: skip
