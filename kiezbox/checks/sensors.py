"""Whether every sensor in kiezbox.toml has said something lately."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level


def run(box: Examined) -> Iterator[Finding]:
    if not box.settings.sensors:
        yield Finding(
            Level.NOTE, "this box measures nothing", "Add a [sensors.NAME] table for each sensor."
        )
    silent = [name for name, table in box.settings.sensors.items() if "where" not in table]
    if silent:
        yield Finding(
            Level.WARNING,
            f"nobody has said where {', '.join(silent)} hangs: what it measures stays in the box",
            'Set where = "outdoor" (or "indoor", or "box") in its [sensors.NAME] table;'
            " docs/privacy.md.",
        )
    for name, self_heating_k in box.corrected_twice.items():
        offset_k = box.settings.sensors[name]["temperature_offset_k"]
        yield Finding(
            Level.WARNING,
            f"{name}: its own warmth is taken off twice: self_heating_k = {self_heating_k:g} in the"
            f" sensor, temperature_offset_k = {offset_k:g} in the box",
            f"Use one: leave temperature_offset_k out and set self_heating_k ="
            f" {max(0.0, self_heating_k - offset_k):g} if the sum is meant (docs/quality.md).",
        )
    if box.facts is None:
        return
    latest = box.facts.get("latest") or {}
    # What is the matter with these says the node, and what to do about it.
    faulty = {str(fault.get("source")) for fault in box.facts.get("faults") or []}
    is_dark = (box.facts.get("mode") or {}).get("name") == "dark"
    for name, table in box.settings.sensors.items():
        taken = [
            reading.get("taken_at", 0.0)
            for series, reading in latest.items()
            if series.startswith(f"{name}/")
        ]
        if not taken and f"sensors.{name}" in faulty:
            continue
        if not taken and is_dark:
            yield Finding(
                Level.NOTE,
                f"{name} ({table.get('driver')}) has no current reading",
                "The battery is nearly empty, and what has a fan, a lamp or a heater rests until"
                " the box is charged again (docs/power.md).",
            )
            continue
        if not taken:
            yield Finding(
                Level.WARNING,
                f"{name} ({table.get('driver')}) has no current reading",
                f"Ask it alone, with the node stopped: kiezbox read {name}",
            )
            continue
        age_s = max(0.0, box.clock.now() - max(taken))
        yield Finding(Level.FINE, f"{name}: {len(taken)} values, {age_s:.0f} s old")
