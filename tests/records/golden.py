"""Golden frames: how records looked on the air when they were first released, byte by byte.

The notes beside the bytes are RFC 8949's (section 3: the first three bits are the major type).
None of them may ever change: other boxes hold such frames.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kiezbox.records import Ref

BOX = "kb-musterplatz-1"

#: Saturday 3 January 2026, 19:00:00.000 UTC, and the counter 0.
STAMP = 1_767_466_800_000 << 16


class Golden(NamedTuple):
    """``says``: the eleven fields of the envelope but the body; ``fields``: the body's."""

    name: str
    says: tuple[Any, ...]
    kind: str
    fields: dict[str, Any]
    frame: bytes


def _bytes(notes: str) -> bytes:
    """The hexadecimal digits before two blanks in each line."""
    lines = (line.strip().partition("  ")[0] for line in notes.splitlines())
    return bytes.fromhex("".join(lines))


_ENVELOPE = """
    01                                    version 1
    8b                                    array of 11
    70 6b622d6d7573746572706c61747a2d31   text of 16: kb-musterplatz-1
"""

GOLDEN = (
    Golden(
        "a post",
        (BOX, 42, STAMP, 7, 5, 1, 86400, 1, b"", b""),
        "post",
        {"topic": 0, "text": "Suche Kerzen 🕯", "language": "de"},
        _bytes(
            _ENVELOPE
            + """
            182a                          sequence 42
            1b 019b853b13800000           stamp: 0x019b853b1380 ms, counter 0
            07                            kind 7, post
            05                            priority 5, board
            01                            scope 1, the Kiez
            1a 00015180                   lifetime 86400 s
            01                            its clock was to be believed
            58 1a                         body: 26 bytes
            a3                            map of 3
            01 00                         topic 0, seeks
            02 71 5375636865204b65727a656e20f09f95af   text of 17
            03 62 6465                    language de
            40                            no key
            40                            no signature
            """
        ),
    ),
    Golden(
        "a report on it",
        (BOX, 43, STAMP + 1, 14, 5, 1, 86400, 1, b"", b""),
        "report",
        {"of": Ref(BOX, 42), "reason": 1, "reporter": bytes(range(8))},
        _bytes(
            _ENVELOPE
            + """
            182b                          sequence 43
            1b 019b853b13800001           the same millisecond, counter 1
            0e 05 01                      kind 14, priority 5, scope 1
            1a 00015180 01                lifetime, clock
            58 22                         body: 34 bytes
            a3                            map of 3
            01 82                         of: array of 2
            70 6b622d6d7573746572706c61747a2d31   whose
            182a                          42
            02 01                         reason 1
            03 48 0001020304050607        reporter: 8 bytes
            40 40                         not signed
            """
        ),
    ),
    Golden(
        "a signed bulletin in code",
        (BOX, 44, STAMP, 1, 3, 2, 604800, 0, b"k" * 8, b"s" * 64),
        "bulletin",
        {
            "code": 3,
            "parameters": {"place": "Musterplatz", "until": "20:00"},
            "issued_at": 1767466800,
            "serial": 7,
            "severity": 2,
        },
        _bytes(
            _ENVELOPE
            + """
            182c                          sequence 44
            1b 019b853b13800000
            01 03 02                      kind 1, priority 3, scope 2: the city
            1a 00093a80                   lifetime 604800 s
            00                            its clock was not to be believed
            58 2d                         body: 45 bytes
            a5                            map of 5, by field number
            03 03                         code 3
            04 a2                         parameters: map of 2
            65 706c616365 6b 4d7573746572706c61747a   place: Musterplatz
            65 756e74696c 65 32303a3030   until: 20:00
            05 1a 69596730                issued_at
            06 07                         serial 7
            07 02                         severity 2
            48 6b6b6b6b6b6b6b6b           key id: 8 bytes
            58 40                         signature: 64 bytes
            """
        )
        + b"s" * 64,
    ),
    Golden(
        "a warm room that an operator added",
        (BOX, 45, STAMP, 20, 2, 1, 604800, 1, b"k" * 8, b"s" * 64),
        "place_point",
        {
            "point": "kb-musterplatz-1.1",
            "type": "warm_room",
            "name": "Schule",
            "latitude": 14_116_300,
            "longitude": 19_044_800,
            "issued_at": 1767466800,
        },
        _bytes(
            _ENVELOPE
            + """
            182d                          sequence 45
            1b 019b853b13800000
            14 02 01                      kind 20, priority 2, scope 1: the Kiez
            1a 00093a80 01                lifetime 604800 s, clock
            58 3a                         body: 58 bytes
            a6                            map of 6, by field number
            01 72 6b622d6d7573746572706c61747a2d312e31   point: text of 18
            02 69 7761726d5f726f6f6d      type: warm_room
            03 66 536368756c65            name: Schule
            04 1a 00d765cc                latitude: (51.163 + 90) * 100,000
            05 1a 012299c0                longitude: (10.448 + 180) * 100,000
            0a 1a 69596730                issued_at
            48 6b6b6b6b6b6b6b6b           key id: 8 bytes
            58 40                         signature: 64 bytes
            """
        )
        + b"s" * 64,
    ),
    Golden(
        "the highest numbers there are, of a kind that nobody knows",
        (BOX, 1 << 53, (1 << 63) - 1, 255, 6, 2, 3660 * 86400, 1, b"", b""),
        "",
        {},
        _bytes(
            _ENVELOPE
            + """
            1b 0020000000000000           sequence 2^53
            1b 7fffffffffffffff           the last stamp
            18ff 06 02                    kind 255, priority 6, scope 2
            1a 12d93200 01                lifetime: ten years
            46 a2 0118ff 0209             body
            40 40
            """
        ),
    ),
)
