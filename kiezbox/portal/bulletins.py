"""Bulletins as residents see them: which there are, and who vouches for each.

The log's folds say who signed (``issuer``, as the node or the command line judged it); here it is
decided what that is worth at this moment. ``standing`` is one word:

- "official": signed, believed, and not over by a clock that is set;
- "signed": the same, but the box's clock is not set, so that nobody knows whether it is over;
- "operator": unsigned, of this box;
- "box": unsigned, of another one.

What is signed and not vouched for is not shown at all: it claims to be what it is not.
"""

from __future__ import annotations

from kiezbox.portal.shown import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kiezbox.portal.shown import Shown

    #: A row of ``things`` with its data read; and whose log they are from.
    Row = tuple[Any, ...]
    Looked = tuple[str, list[Row]]

__all__ = ["MOST", "OFFICIAL", "Bulletin", "bulletins_of", "looked", "rows_of"]

#: So many of one kind are looked at; the newest ones.
MOST = 200

#: Standings above all others.
OFFICIAL = ("official", "signed")

#: What a code is about, where that is a danger: a topic of ``portal.topics``.
_TOPICS = {
    "boil_water": "supplies", "water_unsafe": "supplies", "stay_inside": "smoke",
    "flood_rising": "flood", "fire_nearby": "fire", "heat": "heat", "storm": "storm",
}  # fmt: skip

_ORDER = ("official", "signed", "operator", "box")


class Bulletin:
    """One that is up. Times are Unix seconds; ``severity`` counts from 0 to 4."""

    __slots__ = (
        "code", "expires_at", "headline", "is_all_clear", "is_exercise", "issuer", "language",
        "origin", "parameters", "sequence", "severity", "standing", "text", "written_at",
    )  # fmt: skip

    def __init__(
        self,
        origin: str,
        sequence: int,
        written_at: float,
        expires_at: float,
        text: str,
        *,
        language: str = "",
        issuer: str = "",
        standing: str = "operator",
        data: dict[str, Any] | None = None,
    ) -> None:
        data = data or {}
        self.origin = origin
        self.sequence = sequence
        self.written_at = written_at
        self.expires_at = expires_at
        self.text = text[:4000]
        self.language = language
        self.issuer = issuer
        self.standing = standing
        self.code: str = data.get("code", "")
        self.parameters: dict[str, str] = data.get("parameters", {})
        self.headline: str = data.get("headline", "")
        self.severity: int = data.get("severity", 0)
        self.is_all_clear = bool(data.get("is_all_clear"))
        self.is_exercise = bool(data.get("is_exercise"))

    @property
    def is_official(self) -> bool:
        """Signed by somebody whom this box believes."""
        return self.standing in OFFICIAL

    @property
    def topic(self) -> str:
        """What danger it is about; "" for none that its code names."""
        return _TOPICS.get(self.code, "")


def rows_of(shown: Shown) -> list[Row] | None:
    """What the log has of bulletins, with their data as it is stored; None: it cannot be read."""
    return shown.rows(
        "SELECT origin, sequence, written_at, expires_at, text, language, issuer, state, data"
        " FROM things WHERE kind = ? AND NOT is_hidden ORDER BY written_at DESC, sequence DESC"
        " LIMIT ?",
        (KINDS["bulletin"], MOST),
    )


def looked(shown: Shown) -> Looked | None:
    """Whose log it is, and what it has of bulletins, newest first; None: it cannot be read."""
    from kiezbox.portal.sight import parse_json

    box, rows = shown.rows("SELECT box FROM meta"), rows_of(shown)
    if not box or rows is None:
        return None
    try:
        return box[0][0], [(*row[:8], parse_json(row[8].encode())) for row in rows]
    except ValueError:
        return None


def bulletins_of(
    box: str, rows: Sequence[Row], *, now: float, is_clock_trusted: bool
) -> list[Bulletin]:
    """Those that are up, the ones to be read first in front: by standing, gravity and age.

    The same words of the same issuer (issuer and serial) under another number are one bulletin, and
    what an issuer replaces or takes back is gone under every number.
    """
    gone: set[tuple[str, Any]] = set()
    for *_, issuer, state, data in rows:
        if issuer and state == "withdrawn":
            gone.add((issuer, data.get("serial")))
        elif issuer and "supersedes" in data:
            gone.add((issuer, data["supersedes"]))
    found: list[Bulletin] = []
    seen: set[tuple[str, Any]] = set()
    for origin, sequence, written_at, expires_at, text, language, issuer, state, data in rows:
        if state != "up" or expires_at <= now:
            continue
        standing = "operator" if origin == box else "box"
        if data.get("is_signed"):
            name = (issuer, data.get("serial"))
            if not issuer or name in gone or name in seen:
                continue
            standing = "official" if is_clock_trusted else "signed"
            if is_clock_trusted and not data["issued_at"] - 300 <= now < data["until"]:
                continue
            seen.add(name)
            # Not when a box took it in, but when its issuer said it.
            written_at = min(data["issued_at"], now) if is_clock_trusted else written_at
        found.append(
            Bulletin(
                origin,
                sequence,
                written_at,
                expires_at,
                text,
                language=language,
                issuer=issuer,
                standing=standing,
                data=data,
            )  # fmt: skip
        )
    return sorted(
        found, key=lambda b: (_ORDER.index(b.standing), -b.severity * b.is_official, -b.written_at)
    )
