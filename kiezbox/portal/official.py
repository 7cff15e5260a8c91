"""Official warnings as residents see them: which hold, how old the copy is, who says so, in which
language there are words.

For the first page: ``warnings_of`` and ``card``. What makes a warning *official* here: this very
box fetched it, and its own key says so (``trust.FETCHED_HERE``); a copy of another box is shown as
unverified, and never replaces or ends one of ours.
"""

from __future__ import annotations

from kiezbox.portal.bulletins import rows_of as bulletin_rows
from kiezbox.portal.shown import KINDS
from kiezbox.portal.words import age, clock_time, escape, shortened
from kiezbox.situation.warnings import ACTIVE, ALL_CLEAR, cause_of, standing
from kiezbox.vouched import beside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from typing import Any

    from kiezbox.portal.shown import Shown
    from kiezbox.portal.sight import Sight

__all__ = [
    "CLEAR_S", "OLD_S", "Official", "asked", "card", "cause_of", "fetched_line", "now_matters",
    "row", "severity_words", "stands_on", "valid_line", "warnings_of",
]  # fmt: skip

#: Messages that are looked at; those of this box first, then the newest.
MOST = 80

#: A copy is called old from this age on.
OLD_S = 6 * 3600

#: An all-clear stands on the first page for so long.
CLEAR_S = 24 * 3600

#: Bytes of the instruction on a card, and of a headline wherever there are several.
CARD_BYTES, HEADLINE_BYTES = 400, 140


class Official:
    """One message. Times are Unix seconds or None; texts are not yet escaped.

    ``state`` is "active", "all_clear", "cancelled", "ended" or "gone" (``situation.warnings``).
    ``copy_at``: when this box last saw it at its source. ``language`` is that of ``headline``,
    ``instruction`` and ``description`` (a CAP language such as "de"; "" if there are no words).
    """

    def __init__(self, row: Sequence[Any], wanted: str) -> None:
        from kiezbox.portal.sight import parse_json

        origin, sequence, written_at, self.source, self._json, vouched, data = row
        self.id = f"{origin}.{sequence}"
        self.order = (float(written_at), int(sequence))
        self.is_official = bool(vouched)
        self.data: dict[str, Any] = parse_json(data.encode())
        self._wanted = wanted
        self._texts: dict[str, dict[str, str]] | None = None
        self.state = ACTIVE
        self.identifier = str(self.data["identifier"])
        self.issuer = str(self.data.get("issuer", ""))
        self.severity = str(self.data.get("severity", ""))
        self.is_exercise = bool(self.data.get("is_exercise"))
        self.areas = str(self.data.get("areas", "")).split("\n") if self.data.get("areas") else []
        self.fetched_from = str(self.data.get("fetched_from", ""))
        self.copy_at = float(self.data.get("fetched_at") or written_at)
        self.sent_at: float | None = self.data.get("sent_at") or None
        self.starts_at: float | None = self.data.get("starts_at")
        self.ends_at: float | None = self.data.get("ends_at")

    @property
    def is_active(self) -> bool:
        """It holds, and it is meant: no drill, no all-clear, nothing that is over."""
        return self.state == ACTIVE and not self.is_exercise

    @property
    def is_all_clear(self) -> bool:
        return self.state == ALL_CLEAR

    @property
    def cause(self) -> str:
        """What it is about: one of ``situation.warnings.CAUSES``."""
        said = str(self.data.get("event", ""))
        codes, category = str(self.data.get("event_codes", "")), str(self.data.get("category", ""))
        found = cause_of(said, category, codes)
        return found if found != "other" else cause_of(self._any("headline"), category, codes)

    @property
    def texts(self) -> dict[str, dict[str, str]]:
        """By CAP language; only what the message has."""
        if self._texts is None:
            from kiezbox.portal.sight import parse_json

            try:
                found = parse_json(self._json.encode())
            except (ValueError, RecursionError):
                found = {}
            self._texts = {
                str(name): each for name, each in found.items() if isinstance(each, dict)
            } if isinstance(found, dict) else {}  # fmt: skip
        return self._texts

    @property
    def language(self) -> str:
        """The visitor's if there are words in it, else English, German, any."""
        own = self._wanted.partition("_")[0]
        for name in (own, "en", "de", *self.texts):
            if name in self.texts:
                return name
        return ""

    def _said(self, name: str) -> str:
        return str(self.texts.get(self.language, {}).get(name, ""))

    def _any(self, name: str) -> str:
        return " ".join(str(each.get(name, "")) for each in self.texts.values())

    @property
    def headline(self) -> str:
        return self._said("headline") or str(self.data.get("event", "")) or self.identifier

    @property
    def event(self) -> str:
        return self._said("event") or str(self.data.get("event", ""))

    @property
    def instruction(self) -> str:
        return self._said("instruction")

    @property
    def description(self) -> str:
        return self._said("description")

    @property
    def contact(self) -> str:
        return self._said("contact")


def rows_of(shown: Shown, now: float) -> list[tuple[Any, ...]] | None:
    """What ``Official`` is made of, of the messages that are kept; None: the log cannot be read."""
    # A warning that this box fetched is not hidden because neighbours dislike it.
    return shown.rows(
        "SELECT origin, sequence, written_at, topic, text, issuer, data FROM things"
        " WHERE kind = ? AND expires_at > ? AND (issuer <> '' OR NOT is_hidden)"
        " ORDER BY issuer = '', written_at DESC, sequence DESC LIMIT ?",
        (KINDS["warning"], now, MOST),
    )


def stands_on(sight: Sight) -> Hashable:
    """What the first page stands on, where no neighbour's word is: another one as soon as now.json,
    the store, a bulletin or a warning is another. None: the log cannot be read.
    """
    bulletins, warnings = bulletin_rows(sight.shown), rows_of(sight.shown, sight.now())
    if bulletins is None or warnings is None:
        return None
    return sight.version()[:3], tuple(bulletins), tuple(warnings)


def warnings_of(
    shown: Shown, now: float, language: str, *, is_clock_sure: bool = True
) -> list[Official]:
    """All messages that are neither replaced nor taken back, what holds first, the gravest of it
    in front; [] as well where the log cannot be read. By a clock that nobody has set nothing ends.
    """
    messages = []
    for row in rows_of(shown, now) or ():
        try:
            messages.append(Official(row, language))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    found = []
    looks: dict[str, dict[str, Any]] = {}
    for message, state in standing(messages, now, is_clock_sure=is_clock_sure):
        message.state = state
        if message.is_official:
            look = looks.get(message.source)
            if look is None:
                look = looks[message.source] = _look(shown, message.source)
            checked_at = look.get("checked_at")
            if message.identifier in look.get("listed", ()) and type(checked_at) is float:
                message.copy_at = max(message.copy_at, min(checked_at, now))
        found.append(message)
    return found


def now_matters(warnings: Sequence[Official], now: float) -> list[Official]:
    """Those for the first page: what holds and was fetched by this box, and all-clears of the last
    day. Drills, and what others say, are on the page of all warnings.
    """
    return [
        each
        for each in warnings
        if each.is_official
        and not each.is_exercise
        and (each.state == ACTIVE or (each.is_all_clear and now - (each.sent_at or 0) < CLEAR_S))
    ]


def asked(shown: Shown) -> list[tuple[str, str, float]]:
    """(name, host, when) of every source that was ever asked with success, the latest in front."""
    import os

    found = []
    try:
        names = os.listdir(beside(shown.path, ""))
    except OSError:
        return []
    for name in names:
        if name.startswith("source-") and name.endswith(".json"):
            look = _look(shown, name[7:-5])
            host, checked_at = look.get("host"), look.get("checked_at")
            if isinstance(host, str) and type(checked_at) is float:
                found.append((name[7:-5], host[:80], checked_at))
    return sorted(found, key=lambda each: -each[2])[:16]


def _look(shown: Shown, source: str) -> dict[str, Any]:
    """What ``node.fetching`` noted of its last look; {} if it noted nothing."""
    from kiezbox.portal.sight import parse_json

    if not source.isidentifier() or not source.isascii():
        return {}
    try:
        with open(beside(shown.path, f"source-{source}.json"), "rb") as file:
            found = parse_json(file.read(200_000))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("listed"), list) else {}


# --- as HTML -------------------------------------------------------------------------------------


def card(
    warning: Official,
    text: dict[str, Any],
    now_text: dict[str, Any],
    now: float,
    path: str,
    *,
    most: int = CARD_BYTES,
    heading: str = "h3",
) -> str:
    """A warning that holds, or an all-clear, in short; what to do in front of everything else.
    ``text``: the room "warnings", ``now_text``: the room "now"; ``path``: of the page of all
    warnings. ``most``: bytes of the instruction; ``heading``: the element of its headline.
    """
    marks = _marks(warning, text)
    kind = "official" if warning.is_official else "neighbours"
    kind += " clear" if warning.is_all_clear else ""
    words = _in_words(warning)
    # Colour and shield do not speak alone: a voice reads neither.
    word = f" <small>{now_text['official']}</small>" if warning.is_official else ""
    said = shortened(warning.instruction, most) if most else ""
    label = f"<b>{text['first']}</b> " if warning.state == ACTIVE else ""
    do_first = f"<p>{label}<span{words}>{escape(said)}</span></p>" if said else ""
    facts = valid_line(warning, text, now_text, now)
    if warning.is_active:
        facts = " · ".join(filter(None, (severity_words(warning, text), facts)))
    line = f"{facts}<br>" if facts else ""
    return (
        f'<article class="{kind}"><p>{" · ".join([*marks, _issuer(warning, text)])}{word}</p>'
        f"<{heading}{words}>{escape(shortened(warning.headline, HEADLINE_BYTES))}</{heading}>"
        f"{do_first}"
        f"<p><small>{line}{fetched_line(warning, text, now_text, now)}</small></p>"
        f'<p><a href="{path}/{escape(warning.id)}">{text["more"]}</a></p></article>'
    )


def row(
    warning: Official, text: dict[str, Any], now_text: dict[str, Any], now: float, path: str
) -> str:
    """One that is over, a drill or another box's, as an ``li``: nothing in it says what to do."""
    headline = escape(shortened(warning.headline, HEADLINE_BYTES))
    told = [*_marks(warning, text), f"<bdi>{escape(warning.issuer)}</bdi>"]
    told.append(age(warning.sent_at or warning.copy_at, now, now_text))
    return (
        f'<li><a href="{path}/{escape(warning.id)}"{_in_words(warning)}>{headline}</a>'
        f"<br><small>{' · '.join(filter(None, told))}</small></li>"
    )


def _marks(warning: Official, text: dict[str, Any]) -> list[str]:
    """What must be known of it before it is read."""
    marks = [f"<b>{text['exercise']}</b>"] if warning.is_exercise else []
    if warning.state != ACTIVE:
        marks.append(f"<b>{text['states'][warning.state]}</b>")
    if not warning.is_official:
        marks.append(text["unverified"])
    return marks


def _issuer(warning: Official, text: dict[str, Any]) -> str:
    shield = " class=official" if warning.is_official else ""
    return f"<b{shield}><bdi>{escape(warning.issuer) or text['issuer_unknown']}</bdi></b>"


def _in_words(warning: Official) -> str:
    """Attributes of words that are the authority's."""
    language = f' lang="{escape(warning.language)}"' if warning.language else ""
    return f"{language} dir=auto"


def severity_words(warning: Official, text: dict[str, Any]) -> str:
    """The sender's own word, with what it means beside it; "" for none."""
    word = warning.severity
    meaning = text["severities"].get(word.lower())
    return str(meaning) if meaning else escape(word)


def valid_line(
    warning: Official, text: dict[str, Any], now_text: dict[str, Any], now: float
) -> str:
    """From when until when, as its sender says."""
    if warning.state not in (ACTIVE, "ended"):
        return ""
    end = warning.ends_at
    if end is None:
        return str(text["valid_open"])
    until = clock_time(end, now, now_text)
    if warning.starts_at and warning.starts_at > now:
        begins = clock_time(warning.starts_at, now, now_text)
        return str(text["valid_from"].format(begin=begins, end=until))
    return str(text["valid_until"].format(end=until))


def fetched_line(
    warning: Official, text: dict[str, Any], now_text: dict[str, Any], now: float
) -> str:
    """From where this copy is, and how old; a word of caution beside an old one."""
    if not warning.is_official:
        return str(text["not_fetched"])
    host = f"<bdi>{escape(warning.fetched_from)}</bdi>"
    line = str(text["fetched"].format(host=host, age=age(warning.copy_at, now, now_text)))
    if now - warning.copy_at >= OLD_S and warning.state == ACTIVE:
        line += f" <b>{text['old']}</b>"
    return line
