"""What ``[sensors.NAME]`` says of quality, held against what the sensor is."""

from __future__ import annotations

from collections.abc import Container, Iterator

from kiezbox.model import Quantity, is_sensor_name
from kiezbox.quality.corrections import SUFFIX
from kiezbox.quality.limits import DUST, Limits, limits_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kiezbox.settings import SensorSettings

__all__ = ["rows_of", "wrong_wishes"]


def rows_of(settings: SensorSettings) -> dict[Quantity, Limits]:
    """The rows in which this sensor differs from the table."""
    return {
        Quantity(name): limits_of(Quantity(name), settings.quality) for name in settings.quality
    }


def wrong_wishes(
    name: str,
    settings: SensorSettings,
    quantities: Container[Quantity],
    sensors: Container[str],
) -> Iterator[str]:
    """What cannot be meant. ``quantities``: what the driver measures; ``sensors``: all names."""
    where = f"sensors.{name}"
    if name.endswith(SUFFIX):
        yield f"{where}: names that end in {SUFFIX} are kept for corrected series; rename it"
    if settings.temperature_offset_k:
        if Quantity.TEMPERATURE_C not in quantities:
            yield f"{where}.temperature_offset_k: this sensor measures no temperature"
        if not is_sensor_name(name + SUFFIX):
            yield f"{where}.temperature_offset_k: {name}{SUFFIX} would be too long; rename it"
    for quantity, limits in rows_of(settings).items():
        path, said = f"{where}.quality.{quantity.value}", settings.quality[quantity.value]
        if quantity not in quantities:
            yield f"{path}: this sensor does not measure it"
        if (said.humid_percent is not None or said.humidity_sensor) and quantity not in DUST:
            yield f"{path}: humid_percent and humidity_sensor are for particulates"
        if said.humidity_sensor and said.humidity_sensor not in sensors:
            yield f"{path}.humidity_sensor: there is no [sensors.{said.humidity_sensor}]"
        if limits.plausible[0] >= limits.plausible[1]:
            least, most = limits_of(quantity).plausible
            yield f"{path}: least and most leave nothing between (by default {least:g}, {most:g})"
    yield from _wrong_steps(where, settings, quantities)


def _wrong_steps(
    where: str, settings: SensorSettings, quantities: Container[Quantity]
) -> Iterator[str]:
    """Steps that nothing can ever reach."""
    for name, steps in settings.steps.items():
        path, quantity = f"{where}.steps.{name}", Quantity(name)
        if quantity not in quantities:
            yield f"{path}: this sensor does not measure it"
        if steps.datum != "none" and quantity is not Quantity.WATER_LEVEL_M:
            yield f"{path}.datum is for water levels"
        most = limits_of(quantity, settings.quality).plausible[1]
        for step, value in steps.marks.items():
            if value > most:
                yield (
                    f"{path}.{step} = {value:g}: from {most:g} on a value is doubted, and what is"
                    f" doubted reaches no step; see {where}.quality.{name}.most"
                )
