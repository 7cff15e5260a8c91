"""Whether the steps of water, heat and dust can say what their operator wants them to say."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.settings import PUBLIC_PLACES, STEP_NAMES


def run(box: Examined) -> Iterator[Finding]:
    cause = box.settings.mode.causes.sensor_threshold
    opening = [
        name
        for name, table in box.settings.sensors.items()
        if table.get("where", "indoor") in PUBLIC_PLACES
        and any(STEP_NAMES[-1] in steps for steps in (table.get("steps") or {}).values())
    ]
    if cause.enabled and not opening:
        yield Finding(
            Level.WARNING,
            "no sensor can open this box: mode.causes.sensor_threshold is on, and no sensor"
            " outdoors has an alarm step",
            'Set alarm in its [sensors.NAME.steps.QUANTITY], and where = "outdoor" (docs/air.md).',
        )
    for each in (box.facts or {}).get("steps") or []:
        name = f"{each.get('sensor')}/{each.get('quantity')}"
        if each.get("is_stale") is not False:
            yield Finding(
                Level.WARNING,
                f"{name}: no good reading, so nobody knows which step is reached",
                "`kiezbox status` says what the sensor says, `kiezbox readings quality` why it is"
                " not believed.",
            )
        else:
            yield Finding(Level.FINE, f"{name}: step {each.get('step') or 'none'}")
