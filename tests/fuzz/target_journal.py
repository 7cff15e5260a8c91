"""The store's journal: sectors from a card that may hand back anything."""

from __future__ import annotations

from zlib import crc32

from kiezbox.store.journal import MAGIC, SECTOR, scan
from kiezbox.store.packing import changes_of, measure, pack, rows_of

_ROWS: list = [
    (2**56 + n, 7 + n, 1_795_348_800_000 + n, n, n / 3, None, 0, "", 1) for n in range(1, 8)
]
_ROWS.append((2**56 + 9, 7, -1, 2**40, -0.5, 7.25, 2, "stuck at 100 %, ß", 0))
_PAYLOADS = [
    frame.payload
    for frame in pack(_ROWS, [("cursor", ["mqtt", 2**56, 0, 0]), ("kept", ["m", 1, "{}"])], 2000)
]


def _sealed(sequence: int, payload: bytes) -> bytes:
    body = sequence.to_bytes(8, "little") + len(payload).to_bytes(4, "little") + payload
    frame = MAGIC + crc32(body).to_bytes(4, "little") + body
    return frame.ljust(-(-len(frame) // SECTOR) * SECTOR, b"\0")


#: Whole journals, and payloads alone: those reach the entries behind the checksum.
SEEDS = [
    b"".join(_sealed(n, payload) for n, payload in enumerate(_PAYLOADS * 2, 1)),
    *_PAYLOADS,
    b"\x02\x0c\x00" + b'["cursor",[]]'[:12],
]


def one(data: bytes) -> None:
    """What a scan accepts can be unpacked, and what cannot be unpacked is refused."""
    result = scan(data, 0)
    assert result.end <= len(data) + SECTOR and result.damaged_sectors >= 0
    payloads = [frame.payload for _, frame in result.frames]
    try:
        payloads.append(measure(data).payload)
    except ValueError:
        pass
    for payload in payloads:
        frame = measure(payload)
        rows = rows_of(payload)
        assert len(rows) == frame.readings
        assert all(len(row) == 9 and isinstance(row[7], str) for row in rows)
        for name, parameters in changes_of(payload):
            assert isinstance(name, str) and isinstance(parameters, list)
