"""Opening hours as people type them: understood or not, never an error, and never "open" where a
foreign reader (opening-hours-py) says closed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from opening_hours import OpeningHours

from kiezbox.place.hours import parse

MOMENTS = [datetime(2026, 1, 1) + timedelta(hours=29 * n, minutes=n) for n in range(12)]

SEEDS = [
    b"24/7",
    b"Mo-Fr 08:00-12:00,13:00-18:00; Sa 08:00-13:00; PH off",
    b"Apr-Oct 07:00-22:00; Nov-Mar 08:00-20:00",
    b"08:00-21:45; Dec 24 off; Dec 31 08:00-13:00",
    "Mo-Sa 07:00-22:00\nSo 10:00–22:00".encode(),
    b"Fr 20:00-04:00; Sa off",
]

#: The foreign reader needs its time.
SLOW = 4


def one(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    ours = parse(text)
    if ours is None:
        return
    try:
        theirs = OpeningHours(text)
    except Exception:
        theirs = None  # What is ours alone: line breaks, German days, "24h".
    for moment in MOMENTS:
        now = ours.now(moment)
        if now is not None and now.is_open and now.is_sure and theirs is not None:
            assert theirs.is_open(moment), (text, moment)
