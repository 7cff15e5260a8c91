"""The situation picture: what a box knows, as features with a place, a time and a source.

``understand`` reads now.json (docs/architecture.md) as material of unknown quality: half-written,
from another release, hostile. Each field is judged by itself; what cannot be used becomes None and
its path is named in ``unreadable``, so that one bad field never takes the rest with it.
``features.collection`` folds that and the bulletins into GeoJSON (RFC 7946).

Pure, and cheap to import: the portal has to be on a phone's screen before anything heavy is
loaded, so ``typing`` (2.5 ms) is for the type checker only.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Reader = Callable[[Any, str, list[str]], Any]


__all__ = ["LATEST_MOMENT", "STALE_AFTER_S", "Facts", "is_exercise", "plain_text", "understand"]

#: Facts older than this (times the clock's speed) come from a node that does not run.
STALE_AFTER_S = 30.0

#: So far in the future a time may lie before it says that one of two clocks is wrong.
CLOCK_SLACK_S = 30.0

#: What ``understand`` returns: all of now.json's fields, and four more.
Facts = dict[str, "Any"]

#: Unix seconds a field may hold: 1970 to 2096. What lies outside is no time.
LATEST_MOMENT = 4e9

# C0 and C1 controls, line and paragraph separators; marks that turn the direction of what follows
# (Unicode UAX #9, section 2) and other invisible ones; noncharacters, which HTML does not allow.
# Joiners (U+200C, U+200D) stay: Persian and emoji need them.
_INVISIBLE = "\u061c \u200b \u200e-\u200f \u202a-\u202e \u2060-\u206f \ufdd0-\ufdef \ufeff".split()
_NOT_TEXT: dict[int, int | str | None] = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " "),
    **dict.fromkeys(n for each in _INVISIBLE for n in range(ord(each[0]), ord(each[-1]) + 1)),
    **dict.fromkeys(plane << 16 | n for plane in range(17) for n in (0xFFFE, 0xFFFF)),
}
_NOT_LINES = {**_NOT_TEXT, 0x0A: "\n", 0x0D: None}


def plain_text(text: str, most: int = 1000, *, lines: bool = False) -> str:
    """The text without controls and direction marks, cut to ``most`` characters.

    >>> plain_text("a\\u202eb\\x07c")
    'ab c'
    """
    table = _NOT_LINES if lines else _NOT_TEXT
    text = text[:most].translate(table).strip()
    return text.encode("utf-8", "replace").decode("utf-8")


# --- reading one field: value, its path, the list of what could not be used ---------------------


def _scalar(take: Callable[[Any], Any]) -> Reader:
    """``take`` returns what can be used of the value, or None."""

    def read(value: Any, path: str, unreadable: list[str]) -> Any:
        taken = None if value is None else take(value)
        if taken is None and value is not None:
            unreadable.append(path)
        return taken

    return read


def _number(least: float, most: float) -> Reader:
    def take(value: Any) -> float | None:
        # The comparison is False for NaN, and exact for whole numbers no float can hold.
        is_number = type(value) in (int, float) and least <= value <= most
        return float(value) if is_number else None

    return _scalar(take)


def _text(most: int) -> Reader:
    return _scalar(lambda value: plain_text(value, most) if isinstance(value, str) else None)


def _is_word(value: Any) -> bool:
    """A name out of a small set: letters, digits and - _ . only."""
    if not isinstance(value, str) or len(value) > 64 or not value.isascii():
        return False
    return value.translate(dict.fromkeys(map(ord, "-_."))).isalnum()


_word = _scalar(lambda value: value if _is_word(value) else None)
_truth = _scalar(lambda value: value if type(value) is bool else None)
_count = _scalar(lambda value: value if type(value) is int and 0 <= value < 2**63 else None)


def _table(fields: Mapping[str, Reader], *, always: bool = False) -> Reader:
    """``always``: a table of Nones instead of None, where there is always such a thing."""

    def read(value: Any, path: str, unreadable: list[str]) -> dict[str, Any] | None:
        if isinstance(value, dict):
            found: dict[str, Any] = {}
            for name, field in fields.items():
                below = f"{path}.{name}" if path else name
                if name not in value:
                    unreadable.append(below)
                found[name] = field(value.get(name), below, unreadable)
            return found
        if value is not None:
            unreadable.append(path)
        return {name: field(None, name, []) for name, field in fields.items()} if always else None

    return read


def _each(item: Reader, most: int) -> Reader:
    """A list; what cannot be used of it is left out and named."""

    def read(value: Any, path: str, unreadable: list[str]) -> list[Any]:
        value = _entries(value, list, most, path, unreadable)
        entries = (item(entry, f"{path}[{n}]", unreadable) for n, entry in enumerate(value))
        return [entry for entry in entries if entry is not None]

    return read


def _named(item: Reader, most: int) -> Reader:
    """A table whose keys are names; a key that is no name is left out."""

    def read(value: Any, path: str, unreadable: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in _entries(value, dict, most, path, unreadable):
            if not _is_word(key.replace("/", "", 1)):
                unreadable.append(path)
                continue
            entry = item(value[key], f"{path}.{key}", unreadable)
            if entry is not None:
                found[key] = entry
        return found

    return read


def _entries(value: Any, kind: Any, most: int, path: str, unreadable: list[str]) -> list[Any]:
    """The first ``most`` entries of a list, or keys of a table (``kind``); else none."""
    if not isinstance(value, kind):
        if value is not None:
            unreadable.append(path)
        return []
    entries: list[Any] = list(value)
    if len(entries) > most:
        unreadable.append(f"{path}[{most}:]")
    return entries[:most]


_moment = _number(0, LATEST_MOMENT)
_amount = _number(-1e12, 1e12)
_band = _number(0, 1e6)
_percent = _number(0, 100)

_FACTS = _table(
    {
        "version": _count,
        "box": _table(
            {
                "id": _word,
                "name": _text(80),
                "latitude": _number(-90, 90),
                "longitude": _number(-180, 180),
                "accuracy_m": _number(0, 1e7),
                "country": _word,
                "poison_phone": _text(30),
            },
            always=True,
        ),
        "operator": _table(
            {"controller": _text(300), "contact": _text(300), "privacy_basis": _text(400)},
            always=True,
        ),
        "written_at": _moment,
        "boot": _count,
        "clock_trusted": _truth,
        "mode": _table(
            {
                "name": _word,
                "since": _moment,
                "causes": _each(
                    _table({"cause": _word, "since": _moment, "detail": _text(200)}), 16
                ),
                "wanted": _word,
                "wanted_in_s": _amount,
                "order": _table({"mode": _word, "until": _moment}),
                "is_exercise": _truth,
            },
            always=True,
        ),
        "grid": _table(
            {"state": _word, "since": _moment, "is_sensed": _truth, "sources": _named(_word, 16)},
            always=True,
        ),
        "battery": _table(
            {
                "stage": _word,
                "charge_percent_low": _percent,
                "charge_percent_high": _percent,
                "hours_left_low": _band,
                "hours_left_high": _band,
                "hours_open_low": _band,
                "hours_open_high": _band,
                "voltage_v": _amount,
                "current_a": _amount,
            }
        ),
        "latest": _named(
            _table({"value": _amount, "flag": _count, "reason": _text(200), "taken_at": _moment}),
            64,
        ),
        "steps": _each(
            _table(
                {
                    "sensor": _word,
                    "quantity": _word,
                    "room": _text(80),
                    "step": _word,
                    "since": _moment,
                    "value": _amount,
                    "taken_at": _moment,
                    "is_stale": _truth,
                    "datum": _word,
                    "marks": _named(_amount, 8),
                }
            ),
            64,
        ),
        "store": _table(
            {"state": _word, "newest_serial": _count, "stored_serial": _count, "buffered": _count},
            always=True,
        ),
        "publishers": _named(
            _table(
                {"link": _word, "backlog": _count, "delivered": _count, "confirmed_at": _moment}
            ),
            32,
        ),
        "faults": _each(
            _table(
                {
                    "source": _text(80),
                    "kind": _word,
                    "message": _text(300),
                    "hint": _text(300),
                    "opened_at": _moment,
                    "times": _count,
                }
            ),
            64,
        ),
        "network": _table(
            {
                "wanted": _word,
                "since": _moment,
                "access_point": _word,
                "ssid": _text(32),
                "name": _word,
                "address": _word,
                "https_name": _word,
                "is_on_air": _truth,
                "slice": _table({"is_open": _truth, "changes_at": _moment}),
                "guests": _count,
                "uplink": _word,
                "guest_uplink": _word,
                "stay_s": _number(1, 1e7),
                "mesh": _table({"interface": _word, "neighbours": _count}),
            },
            always=True,
        ),
    },
    always=True,
)


def understand(
    document: Any, *, now: float, speed: float = 1.0, source: str | None = "node"
) -> Facts:
    """now.json's fields, each of its type or None, and how far they can be believed.

    ``source`` is who said so: "node" (now.json), "store" (the last the database knows, after the
    node has gone) or None (nobody). Added to the fields are ``source``, ``now`` (Unix seconds),
    ``state`` ("active": written within 30 s; "stale": longer ago; "unknown": at no time that can
    be right) and ``unreadable``, the paths of all that could not be used.
    """
    unreadable: list[str] = []
    facts: Facts = _FACTS(document, "", unreadable)
    if not isinstance(document, dict) and document is not None:
        unreadable = ["now.json"]
    facts["source"] = source
    facts["now"] = now
    facts["unreadable"] = [plain_text(path, 120) for path in unreadable[:64]]
    facts["state"] = _state(facts["written_at"], now, speed)
    return facts


def _state(written_at: float | None, now: float, speed: float) -> str:
    if written_at is None or written_at > now + CLOCK_SLACK_S * speed:
        return "unknown"
    return "active" if now - written_at <= STALE_AFTER_S * speed else "stale"


def is_exercise(facts: Facts) -> bool:
    """A drill, and nothing real beside it: a real cause is never called an exercise."""
    mode = facts["mode"]
    is_drill = mode["is_exercise"] is True or mode["name"] == "exercise"
    return is_drill and not mode["causes"] and facts["grid"]["state"] != "lost"
