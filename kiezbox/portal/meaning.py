"""What the facts mean for somebody on the street: which situation it is, and its headline.

The box says only what is true: not to know is another thing than an ordinary day.
"""

from __future__ import annotations

from kiezbox.portal.measured import at_step
from kiezbox.portal.words import shortened
from kiezbox.situation import is_exercise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.situation import Facts

__all__ = [
    "MEASURED_TOPICS", "Danger", "causes_of", "grid_sentence", "headline_of", "is_emergency",
    "is_ordinary", "is_returning", "is_unsure", "look_of", "measured_of", "since_of", "topic_of",
    "warned",
]  # fmt: skip

WARNING, MEASURED = "official_warning", "sensor_threshold"

#: Modes that have words.
MODES = ("normal", "emergency", "saving", "dark", "exercise", "maintenance")

#: Causes that say something of their own: which warning, how high the water. How many such details
#: are told, and in how many bytes: others wrote them.
TELLING_CAUSES = (WARNING, MEASURED)
DETAILS_MOST, DETAIL_BYTES = 2, 200

#: What a cause is about, and what a sensor at its alarm step is about, as the first steps are
#: sorted (``portal.topics``).
_TOPICS = {"grid_lost": "power", "uplink_lost": "network"}
MEASURED_TOPICS = {
    "water_level_m": "flood", "temperature_c": "heat", "pm2_5_ug_m3": "smoke",
    "pm10_ug_m3": "smoke",
}  # fmt: skip


class Danger:
    """What the gravest of the official words is about: ``topic`` is one of ``portal.topics`` that
    the room ``now`` has a headline for, or ""; ``since``: when it was said.
    """

    __slots__ = ("since", "topic")

    def __init__(self, topic: str, since: float | None) -> None:
        self.topic = topic
        self.since = since


def warned(facts: Facts, danger: Danger | None) -> Facts:
    """The same facts with what an authority warns of among the causes, in front of all but a power
    cut; the node may know of the warning itself and not of what it says.
    """
    if danger is None or is_exercise(facts):
        return facts
    others = [cause for cause in causes_of(facts) if cause["cause"] != WARNING]
    cause = {"cause": WARNING, "since": danger.since, "detail": None, "topic": danger.topic}
    place = 1 if others and others[0]["cause"] == "grid_lost" else 0
    others.insert(place, cause)
    return {**facts, "mode": {**facts["mode"], "causes": others}}


def topic_of(facts: Facts) -> str:
    """What the first steps are about: a topic of ``portal.topics``, "" for none."""
    for cause in causes_of(facts):
        if topic := _TOPICS.get(cause["cause"]) or _danger_of(cause):
            return topic
    return "power" if is_exercise(facts) else ""


def _danger_of(cause: dict[str, Any]) -> str:
    """A topic that has a headline of its own, or ""."""
    if topic := cause.get("topic"):
        return str(topic)
    if cause["cause"] != MEASURED:
        return ""
    return MEASURED_TOPICS.get(_series_of(cause).partition("/")[2], "")


def _series_of(cause: dict[str, Any]) -> str:
    """Which sensor is at its alarm step, from ``brook/water_level_m ≥ 1.50 m``."""
    return str(cause["detail"] or "").partition(" ")[0]


def grid_sentence(facts: Facts, text: dict[str, Any]) -> str:
    if facts["grid"]["is_sensed"] is False:
        return str(text["not_sensed"])
    return str(text["grid"].get(facts["grid"]["state"], text["grid"]["unknown"]))


def mode_of(facts: Facts) -> str:
    """The mode, if it is one that has words."""
    name = "exercise" if is_exercise(facts) else facts["mode"]["name"]
    return name if name in MODES else "unknown"


def is_emergency(facts: Facts) -> bool:
    return mode_of(facts) == "emergency" or bool(causes_of(facts))


def is_ordinary(facts: Facts) -> bool:
    """The box knows that nothing has happened; not to know is another thing."""
    is_known = mode_of(facts) in ("normal", "maintenance", "saving", "dark")
    return facts["state"] == "active" and is_known and not causes_of(facts)


def is_unsure(facts: Facts) -> bool:
    """No emergency, but whether there is electricity the box does not know."""
    is_calm = mode_of(facts) == "normal" and not causes_of(facts)
    return is_calm and facts["grid"]["state"] != "present"


def is_returning(facts: Facts) -> bool:
    """The power is back and may go again; the emergency goes on until it has held."""
    has_grid_cause = any(cause["cause"] == "grid_lost" for cause in facts["mode"]["causes"])
    is_back = facts["grid"]["state"] == "returning" and facts["state"] == "active"
    return is_back and has_grid_cause and len(facts["mode"]["causes"]) == 1


def causes_of(facts: Facts) -> list[dict[str, Any]]:
    """What the emergency is about, the one to tell first in front (now.json's order).

    A lost grid is one even where an order keeps the mode normal, and so is a sensor at its alarm
    step where that opens no WLAN: the page says what is true.
    """
    causes: list[dict[str, Any]] = facts["mode"]["causes"]
    if not causes and facts["grid"]["state"] == "lost":
        causes = [{"cause": "grid_lost", "since": facts["grid"]["since"], "detail": None}]
    if any(cause["cause"] == MEASURED for cause in causes):
        return causes
    return causes + [
        {
            "cause": MEASURED,
            "since": each["since"],
            "detail": f"{each['sensor']}/{each['quantity']}",
        }
        for each in facts["steps"]
        if each["step"] == "alarm" and each["is_stale"] is False
    ]


def since_of(facts: Facts) -> float | None:
    causes = causes_of(facts)
    if is_returning(facts):
        since = facts["grid"]["since"]
    else:
        since = causes[0]["since"] or facts["mode"]["since"] if causes else None
    return since if since is None else float(since)


def headline_of(facts: Facts, text: dict[str, Any]) -> tuple[str, list[str]]:
    """What has happened, in two words and in sentences. Not yet escaped: a detail is not ours."""
    causes = [_words_of(cause, text) for cause in causes_of(facts)]
    if is_returning(facts):
        causes = [text["returning"]]
    elif is_unsure(facts):
        causes = [(text["unsure"], grid_sentence(facts, text))]
    headline, sentence = causes[0] if causes else text["modes"][mode_of(facts)]
    if facts["state"] != "active" and facts["written_at"] is not None:
        headline = text["last_known"].format(headline=headline)
    told = [_told(c, facts, text) for c in causes_of(facts) if c["cause"] in TELLING_CAUSES]
    details = [shortened(detail, DETAIL_BYTES) for detail in [*filter(None, told)][:DETAILS_MOST]]
    details += _below_alarm(facts, text)[:DETAILS_MOST]
    # Each sentence once, the first one in front.
    return headline, list(dict.fromkeys([sentence, *(more for _, more in causes), *details]))


def _below_alarm(facts: Facts, text: dict[str, Any]) -> list[str]:
    """What has reached a step that is no danger yet: ``Warning. Water level: 1.2 m (now)``."""
    return [
        f"{text['step_names'][each['step']]}. {at_step(each, facts['now'], text)}"
        for each in facts["steps"]
        if each["step"] in ("attention", "warning") and each["is_stale"] is False
    ]


def _words_of(cause: dict[str, Any], text: dict[str, Any]) -> tuple[str, str]:
    headline, sentence = text["causes"].get(cause["cause"], text["modes"]["emergency"])
    return text["dangers"].get(_danger_of(cause), headline), sentence


def _told(cause: dict[str, Any], facts: Facts, text: dict[str, Any]) -> str:
    """What a cause says of its own: in the reader's words where it is a measured value."""
    series = _series_of(cause)
    for each in facts["steps"]:
        if f"{each['sensor']}/{each['quantity']}" == series:
            return at_step(each, facts["now"], text)
    return str(cause["detail"] or "")


def measured_of(facts: Facts, text: dict[str, Any]) -> str:
    """What the box itself measured that is the first cause, with its age, or "". Not escaped.
    Short, for the head: from where it counts stands in the sentence.
    """
    first = next(iter(causes_of(facts)), None)
    steps = [{**each, "datum": None} for each in facts["steps"]]
    is_measured = first is not None and first["cause"] == MEASURED
    return _told(first, {**facts, "steps": steps}, text) if first and is_measured else ""


def look_of(facts: Facts) -> str:
    """The class that gives the head its colour: e emergency, n ordinary, u neither."""
    if is_emergency(facts):
        return "u" if is_returning(facts) else "e"
    is_calm = mode_of(facts) in ("normal", "maintenance") and not is_unsure(facts)
    return "n" if is_ordinary(facts) and is_calm else "u"
