"""What may stand where upsd should answer."""

from __future__ import annotations

from kiezbox.errors import KiezboxError
from kiezbox.node.grid_nut import MOST_LINE, Nut, vote_of

SEEDS = [
    b'VAR ups ups.status "OL CHRG"\n',
    b'VAR ups ups.status "OB DISCHRG LB"\n',
    b"ERR DATA-STALE\n",
    b'VAR ups ups.status "OL \\"quoted\\""\n',
]


class _Connection:
    """Gives the bytes in pieces, then hangs up."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def recv(self, most: int) -> bytes:
        piece, self._data = self._data[: min(most, 7)], self._data[min(most, 7) :]
        return piece


def one(data: bytes) -> None:
    """A vote or an error; a vote only from a whole line that names this UPS."""
    nut = Nut("ups@localhost")
    try:
        line = nut._line(_Connection(data))  # type: ignore[arg-type]
        vote = vote_of(nut._understood(line))
    except (KiezboxError, OSError) as error:
        assert str(error)
        return
    assert vote in ("present", "lost", "silent")
    assert data.startswith(b'VAR ups ups.status "') and len(line) <= MOST_LINE + 7
