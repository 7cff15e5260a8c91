"""Lines as bytes, cut to a rectangle, and with fewer corners where nobody would see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["clip_area", "clip_line", "joined_rings", "pack_corners", "simplified", "unpack_corners"]

Corner = tuple[float, float]
#: Least first, least second, most first, most second coordinate.
Box = tuple[float, float, float, float]


def pack_corners(corners: Sequence[tuple[int, int]]) -> bytes:
    """Differences from corner to corner, zigzag, seven bits a byte (as protocol buffers have it):
    most streets need 2 bytes a coordinate.

    >>> unpack_corners(pack_corners([(5118930, 1441249), (5118827, 1441014)]))
    [(5118930, 1441249), (5118827, 1441014)]
    """
    out = bytearray()
    before = (0, 0)
    for corner in corners:
        for value, last in zip(corner, before, strict=True):
            step = value - last
            rest = step << 1 if step >= 0 else (-step << 1) - 1
            while rest > 0x7F:
                out.append(rest & 0x7F | 0x80)
                rest >>= 7
            out.append(rest)
        before = corner
    return bytes(out)


def unpack_corners(data: bytes) -> list[tuple[int, int]]:
    """The corners; what is cut off at the end is left out."""
    numbers: list[int] = []
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value >> 1 if value % 2 == 0 else -(value + 1 >> 1))
            value = shift = 0
    corners: list[tuple[int, int]] = []
    first = second = 0
    for n in range(0, len(numbers) - 1, 2):
        first, second = first + numbers[n], second + numbers[n + 1]
        corners.append((first, second))
    return corners


def clip_line(corners: Sequence[Corner], box: Box) -> Iterator[list[Corner]]:
    """The pieces inside the rectangle (Liang and Barsky, 1984)."""
    piece: list[Corner] = []
    for start, end in zip(corners, corners[1:], strict=False):
        part = _clipped(start, end, box)
        if part is None:
            if piece:
                yield piece
            piece = []
            continue
        if piece and piece[-1] != part[0]:
            yield piece
            piece = []
        if not piece:
            piece = [part[0]]
        piece.append(part[1])
    if piece:
        yield piece


def _clipped(start: Corner, end: Corner, box: Box) -> tuple[Corner, Corner] | None:
    enters, leaves = 0.0, 1.0
    for axis in (0, 1):
        step = end[axis] - start[axis]
        for way, room in ((-step, start[axis] - box[axis]), (step, box[axis + 2] - start[axis])):
            if way == 0:
                if room < 0:
                    return None
            elif way < 0:
                enters = max(enters, room / way)
            else:
                leaves = min(leaves, room / way)
    if enters > leaves:
        return None

    def at(share: float) -> Corner:
        if share == 0.0:
            return start
        if share == 1.0:
            return end
        return tuple(a + share * (b - a) for a, b in zip(start, end, strict=True))  # type: ignore[return-value]

    return at(enters), at(leaves)


def clip_area(corners: Sequence[Corner], box: Box) -> list[Corner]:
    """The part of a ring inside the rectangle, closed again (Sutherland and Hodgman, 1974)."""
    ring = list(corners[:-1])
    for axis, limit, sign in ((0, box[0], 1), (0, box[2], -1), (1, box[1], 1), (1, box[3], -1)):
        kept: list[Corner] = []
        for n, corner in enumerate(ring):
            before = ring[n - 1]
            is_in = sign * (corner[axis] - limit) >= 0
            was_in = sign * (before[axis] - limit) >= 0
            if is_in != was_in:
                share = (limit - before[axis]) / (corner[axis] - before[axis])
                other = 1 - axis
                crossing = before[other] + share * (corner[other] - before[other])
                kept.append((limit, crossing) if axis == 0 else (crossing, limit))
            if is_in:
                kept.append(corner)
        ring = kept
    return [*ring, ring[0]] if len(ring) >= 3 else []


def simplified(corners: Sequence[Corner], most: float) -> list[Corner]:
    """Without corners that lie less than ``most`` beside the line (Douglas and Peucker, 1973)."""
    if len(corners) < 3:
        return list(corners)
    kept = {0, len(corners) - 1}
    waiting = [(0, len(corners) - 1)]
    while waiting:
        first, last = waiting.pop()
        farthest, where = most, 0
        for n in range(first + 1, last):
            off = _beside(corners[n], corners[first], corners[last])
            if off > farthest:
                farthest, where = off, n
        if where:
            kept.add(where)
            waiting += [(first, where), (where, last)]
    return [corners[n] for n in sorted(kept)]


def _beside(point: Corner, start: Corner, end: Corner) -> float:
    """Distance from a piece of a line."""
    along = (end[0] - start[0], end[1] - start[1])
    length = along[0] ** 2 + along[1] ** 2
    off = (point[0] - start[0], point[1] - start[1])
    share = (off[0] * along[0] + off[1] * along[1]) / length if length else 0.0
    share = min(1.0, max(0.0, share))
    first, second = off[0] - share * along[0], off[1] - share * along[1]
    return float((first**2 + second**2) ** 0.5)


def joined_rings(ways: Sequence[Sequence[Corner]]) -> list[list[Corner]]:
    """Ways end to end into closed rings; what does not close is left out."""
    open_ways = [list(way) for way in ways if len(way) > 1]
    rings: list[list[Corner]] = []
    while open_ways:
        ring = open_ways.pop()
        while ring[0] != ring[-1]:
            for n, way in enumerate(open_ways):
                if way[0] == ring[-1]:
                    ring += way[1:]
                elif way[-1] == ring[-1]:
                    ring += way[-2::-1]
                else:
                    continue
                del open_ways[n]
                break
            else:
                break
        if ring[0] == ring[-1] and len(ring) > 3:
            rings.append(ring)
    return rings
