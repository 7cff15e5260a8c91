"""Why a value is doubted: one word in the store, a sentence for whoever looks after the box."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["REASONS", "Reason"]


class Reason(NamedTuple):
    """What is the matter, what to do, and whether it is so by weather or by nature: no fault."""

    what: str
    hint: str
    is_expected: bool = False


REASONS: dict[str, Reason] = {
    "raw-sentinel": Reason(
        "the chip sent a code that is no measurement",
        "It was reset, or its supply dips: look at the cable, then exchange it.",
    ),
    "range": Reason(
        "the value is beyond what can be here",
        "If it is true, give this place its own limits: [sensors.NAME.quality.QUANTITY].",
    ),
    "overflow": Reason(
        "more than the chip can measure as it is wired",
        "Another shunt, or another range in its settings.",
    ),
    "cross": Reason(
        "it contradicts another value of the same moment",
        "Look at that one's reason; more PM2.5 than PM10 means exchanged fields or a dirty lens.",
    ),
    "step": Reason(
        "it jumped faster than the air does",
        "Nothing, if it comes back. A sensor that was moved is believed again after an hour"
        " (particulates) or three.",
    ),
    "stuck": Reason(
        "it has stood at one value for too long",
        "Cut the sensor's supply once; if it stays so, exchange it.",
    ),
    "saturated": Reason(
        "the sensor is at the end of its scale and says: at least that",
        "Fog passes. A sensor that stays there for days is wet or worn out.",
        is_expected=True,
    ),
    "warm-up": Reason(
        "the sensor had just been switched on",
        "Nothing; if it comes often, its supply fails again and again.",
        is_expected=True,
    ),
    "rh-high": Reason(
        "so humid that a particulate sensor counts droplets",
        "Nothing. A sensor that dries its air may say so: humid_percent.",
        is_expected=True,
    ),
    "status": Reason(
        "the sensor itself says that it is not well",
        "Cut its supply once; if it stays so, clean or exchange it.",
    ),
    "no-echo": Reason(
        "nothing came back from the water",
        "It is nearer than 3 cm or farther than 4.5 m, or the eye is dirty, frozen or tilted.",
    ),
    "echo": Reason(
        "what came back jumped from ping to ping",
        "Look for a web, grass, a pipe or foam within its cone; heavy rain passes.",
    ),
    "model": Reason(
        "the chip reckons with another kind of battery",
        "Nothing: its voltage counts. An INA226 and [power.battery] know this kind better.",
        is_expected=True,
    ),
    "indicative": Reason(
        "an electrochemical cell that was never compared with a reference station",
        "Compare it for two weeks, then say where and when: `colocated`.",
        is_expected=True,
    ),
    "clock-unsure": Reason(
        "nobody knows when it was measured",
        "A clock chip (DS3231) or GPS keeps the time through a blackout.",
    ),
    "shaken": Reason(
        "the bucket tipped faster than any rain can fill it",
        "Wind: brace the mast. If it comes on calm days, look for a loose or wet cable.",
        is_expected=True,
    ),
    "open-circuit": Reason(
        "nothing is connected, or the cable is broken", "Look at the probe's cable and its clamps."
    ),
    "short-circuit": Reason(
        "the probe's two wires touch", "Look at the probe's cable; dry wet clamps."
    ),
}
