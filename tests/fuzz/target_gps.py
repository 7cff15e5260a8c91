"""A GPS receiver's sentences, from a serial line or from gpsd, and the fix they make."""

from __future__ import annotations

from kiezbox.sensors.gps import LONGEST, Parser, fix_of

SEEDS = [
    b"$GNRMC,181141.00,A,5230.88855,N,01327.85591,E,0.031,,190615,,,A*61\r\n"
    b"$GNGGA,181141.00,5230.88855,N,01327.85591,E,1,12,0.93,62.6,M,42.1,M,,*79\r\n",
    b"$GPRMC,191418.00,V,,,,,,,040712,,,N*79\r\n$GPGGA,191418.00,,,,,0,00,99.99,,,,,,*62\r\n",
    b'{"class":"VERSION","release":"3.22"}\r\n$GPGLL,,,,,191418.00,V,N*4E\r\n',
]


def one(data: bytes) -> None:
    """However the bytes are cut, the same sentences come out; a fix is on this earth."""
    whole, pieces = Parser(), Parser()
    step = data[0] % 13 + 1 if data else 1

    sentences = whole.feed(data)
    again = [s for at in range(0, len(data), step) for s in pieces.feed(data[at : at + step])]

    # A line longer than any sentence is forgotten, at other places if it comes in pieces.
    if len(data) <= LONGEST:
        assert again == sentences
    assert len(whole._rest) <= LONGEST and len(pieces._rest) <= LONGEST
    # And with checksums that are right, for a mutation seldom makes one.
    unchecked = [line.split(b"*")[0].decode("latin-1").split(",") for line in data.split(b"$")]
    for gga in [*sentences, *unchecked]:
        for rmc in [None, *sentences, *unchecked]:
            fix = fix_of(gga, rmc, 0.0)
            if fix is None:
                continue
            assert (fix.latitude is None) == (fix.longitude is None)
            if fix.latitude is not None and fix.longitude is not None:
                assert abs(fix.latitude) <= 90 and abs(fix.longitude) <= 180
            assert fix.time is None or 946_684_800 <= fix.time < 4_102_444_800  # 2000 to 2100
            assert fix.satellites >= 0 and 0 <= fix.quality <= 8
