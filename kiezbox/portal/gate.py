"""The gate through which every form of every room comes, so that no page forgets to look: whether
it is one of ours, given to this guest not long ago, and whether this guest may have something
written just now.

Whoever is turned back finds everything still filled in, and when to try again.
"""

from __future__ import annotations

from kiezbox.portal.asking import Job
from kiezbox.portal.buckets import Buckets, Limits
from kiezbox.portal.words import duration, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from kiezbox.portal.answered import Answer
    from kiezbox.portal.asking import Ask
    from kiezbox.records.wording import Blocked

__all__ = ["ABUSE_FILE", "COSTS", "VITAL", "House", "house_of", "is_from_elsewhere", "let_in"]

#: What a form of each room costs, in points (docs/board.md); 1 where nothing is said.
COSTS = {"board": 3.0, "messages": 3.0, "say": 2.0, "helper": 0.25}

#: Where a life may hang on it: these may have the box's last points.
VITAL = ("help", "safe", "helper")

#: A form that led to nothing being written costs this share.
LOOKED_AT = 0.2

#: What is reckoned first (a key from words, a second on a small box) costs at least this: eight of
#: those wait in all, and two dozen guests kept everybody else from looking for their families.
RECKONED = 4.0

#: Rooms that are asked by programs, which have no form of ours; they change nothing.
WITHOUT_TOKEN = ("api",)

#: Rooms whose forms hold what must not stand in a page.
SECRETIVE = ("helper",)

#: The house rules, in the run directory (``store.house_rules`` writes them): the portal does not
#: see kiezbox.toml. Looked at so often.
ABUSE_FILE = "abuse.json"
LOOK_S = 5.0


class House:
    """The house rules of one process: the buckets, and the words that nobody publishes."""

    def __init__(self, run_dir: str) -> None:
        self._path = f"{run_dir}/{ABUSE_FILE}"
        self.buckets = Buckets()
        self._words: tuple[str, ...] = ()
        self._blocked: Blocked | None = None
        self._look_again_at = 0.0
        self._seen: Any = None

    @property
    def blocked(self) -> Blocked:
        """The block list."""
        if self._blocked is None:
            from kiezbox.records.wording import Blocked

            self._blocked = Blocked(self._words)
        return self._blocked

    def look(self, now: float) -> None:
        """Read the rules if they are others than before. None, or none that can be read: as they
        were.
        """
        if abs(now - self._look_again_at) < LOOK_S:
            return
        self._look_again_at = now
        import os

        try:
            found = os.stat(self._path)
            seen = found.st_mtime_ns, found.st_size, found.st_ino
            if seen == self._seen:
                return
            import json

            with open(self._path, encoding="utf-8") as file:
                rules = json.loads(file.read(1 << 20))
            self.buckets.limits = Limits(**{n: float(v) for n, v in rules["limits"].items()})
            self._words = tuple(map(str, rules["blocked"]))
            self._blocked, self._seen = None, seen
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return


def house_of(ask: Ask) -> House:
    """The rules, as they are now."""
    house: House | None = ask.forms.house
    if house is None:
        house = ask.forms.house = House(ask.sight.run_dir)
    house.look(ask.now)
    return house


def let_in(ask: Ask, room: ModuleType, name: str) -> Answer | Job:
    """What the room says to this form, or why it was not asked. ``name``: the room's file."""
    if name not in WITHOUT_TOKEN and (is_from_elsewhere(ask) or not ask.is_token_good()):
        return _once_more(ask, name, "old", 400)
    buckets, cost = house_of(ask).buckets, COSTS.get(name, 1.0)
    client = ask.request.client
    wait_s = buckets.wait_s(client, cost, is_vital=name in VITAL)
    if wait_s:
        return _once_more(ask, name, "wait", 429, wait_s)
    found: Answer | Job = room.send(ask)
    if not isinstance(found, Job):
        cost *= LOOKED_AT
    else:
        is_reckoned = found.prepare is not None and name not in SECRETIVE
        cost = max(cost, RECKONED if is_reckoned else 0.0, getattr(found, "cost", 0.0))
    buckets.take(client, cost)
    return found


def is_from_elsewhere(ask: Ask) -> bool:
    """Whether a page that is not ours sent this form: whoever looks at that page may not know. Not
    if the browser does not say (plain http, old phones), or says "null": our pages ask it for that.
    """
    headers = ask.request.headers
    if headers.get("sec-fetch-site", "") in ("cross-site", "same-site"):
        return True
    scheme, _, host = headers.get("origin", "").lower().partition("://")
    return bool(scheme and host) and host != headers.get("host", "").lower()


def _once_more(ask: Ask, room: str, why: str, status: int, wait_s: float = 0.0) -> Answer:
    """Everything that was written, and a button to send it again."""
    texts = ask.text("gate")
    text = texts[why]
    when = duration(wait_s + 59, ask.text()) if wait_s else ""
    said = f"<p class=n role=alert>{text['why'].format(duration=when)}</p>"
    action = escape(ask.path(ask.name, *ask.rest))
    # Nor does anybody send what another page has written for him, with one press of a button.
    is_hidden = room in SECRETIVE or is_from_elsewhere(ask)
    fields = "" if is_hidden else _fields(ask.pairs, texts["yours"])
    if fields:
        said += f'<p>{texts["kept"]}</p><form method=post action="{action}">{fields}'
        said += f"{ask.token_field()}<button>{texts['again']}</button></form>"
    said += f'<p><a href="{action}">{texts["back"]}</a></p>'
    answer = ask.page(text["title"], said, status=status)
    if wait_s:
        answer.headers.append(("Retry-After", str(int(wait_s) + 1)))
    return answer


def _fields(pairs: list[tuple[str, str]], label: str) -> str:
    """As they were; a longer text to be read and copied."""
    found = []
    for name, value in pairs:
        shown = f'name="{escape(name)}"'
        if name == "token":
            continue
        if "\n" in value or len(value) > 30:
            area = f'<textarea {shown} aria-label="{label}" rows=4 dir=auto>\n{escape(value)}'
            found.append(f"<p>{area}</textarea></p>")
        else:
            found.append(f'<input type=hidden {shown} value="{escape(value)}">')
    return "".join(found)
