"""sensor.community (formerly luftdaten.info): the latest good values, a request per sensor.

The other side knows no time stamps: what arrives was measured just now. So nothing that is older
than five minutes is ever sent, and no backlog. What their map takes for a sensor is a *pin* of
their own firmware; a value's name must be one that the firmware has for that pin::

    POST /v1/push-sensor-data/    X-Sensor: raspi-0123456789abcdef    X-Pin: 11
    {"software_version":"Kiezbox-1.0","sensordatavalues":[{"value_type":"temperature","value":"21.54"},…]}

Source: opendata-stuttgart/sensors-software, airrohr-firmware: ext_def.h (pins), sendSensorCommunity
in airrohr-firmware.ino (names without the sensor's prefix, values as text with two decimals,
pressure in Pa, every 145 s); opendata-stuttgart/meta, wiki page "EN-APIs".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

from kiezbox import __version__
from kiezbox.clock import Clock
from kiezbox.errors import PublishError, Refused, Rejected, SettingsError
from kiezbox.model import Batch, Flag, Quantity
from kiezbox.publishers._http import Client, Verdict, wrong_url
from kiezbox.quality import SUFFIX
from kiezbox.settings import BoxSettings, PublisherSettings, setting, tables

__all__ = ["PINS", "SensorCommunity", "Settings", "open"]

#: See ``kiezbox.publishers``.
CARRIES_PAST = False

#: With its slash at the end: without it they answer with another address.
TARGET = "/v1/push-sensor-data/"

#: What is older was not measured "just now".
OLDEST_S = 300.0

#: After a failure, in seconds: whoever runs this for the public is not to be hammered.
RETRY_S, REFUSED_RETRY_S = 30.0, 300.0

_ID = re.compile(r"[a-z0-9]{2,16}-[A-Za-z0-9]{4,32}")


class Named(NamedTuple):
    """The name of a quantity there, and by what our value is multiplied."""

    name: str
    factor: float = 1.0


_TEMPERATURE, _HUMIDITY = Named("temperature"), Named("humidity")
_PRESSURE = Named("pressure", 100.0)

#: By pin: what a sensor there is, and what it may say.
PINS: dict[int, tuple[str, dict[str, Named]]] = {
    1: (
        "particulate matter (SDS011, PMS, SPS30)",
        {
            Quantity.PM10_UG_M3.value: Named("P1"),
            Quantity.PM2_5_UG_M3.value: Named("P2"),
            Quantity.PM1_UG_M3.value: Named("P0"),
            Quantity.PM4_UG_M3.value: Named("P4"),
        },
    ),
    3: (
        "BMP180, BMP280",
        {Quantity.TEMPERATURE_C.value: _TEMPERATURE, Quantity.PRESSURE_HPA.value: _PRESSURE},
    ),
    7: (
        "DHT22, SHT3x",
        {Quantity.TEMPERATURE_C.value: _TEMPERATURE, Quantity.HUMIDITY_PERCENT.value: _HUMIDITY},
    ),
    11: (
        "BME280",
        {
            Quantity.TEMPERATURE_C.value: _TEMPERATURE,
            Quantity.HUMIDITY_PERCENT.value: _HUMIDITY,
            Quantity.PRESSURE_HPA.value: _PRESSURE,
        },
    ),
    13: ("DS18B20", {Quantity.TEMPERATURE_C.value: _TEMPERATURE}),
    15: ("noise (DNMS)", {Quantity.LAEQ_DB.value: Named("noise_LAeq")}),
    17: (
        "SCD30",
        {
            Quantity.TEMPERATURE_C.value: _TEMPERATURE,
            Quantity.HUMIDITY_PERCENT.value: _HUMIDITY,
            Quantity.CO2_PPM.value: Named("co2_ppm"),
        },
    ),
}


def _check_id(value: str) -> str:
    return (
        "" if _ID.fullmatch(value) else "must be as registered there, like raspi-0123456789abcdef"
    )


def _check_pin(value: int) -> str:
    known = ", ".join(f"{pin} {what}" for pin, (what, _) in PINS.items())
    return "" if value in PINS else f"is no pin that is known here: {known}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinSettings:
    """``[publishers.NAME.sensors.SENSOR]``"""

    pin: int = setting(
        help="1 particulates, 3 BMP280, 7 DHT22 or SHT3x, 11 BME280, 13 DS18B20, 15 DNMS,\n"
        "17 SCD30: as the sensor was registered there.",
        example=11,
        check=_check_pin,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PublisherSettings):
    sensor_id: str = setting(
        help="The name under which the box is registered at https://devices.sensor.community\n"
        "(X-Sensor). For a Raspberry Pi: raspi- and the serial number from /proc/cpuinfo.",
        check=_check_id,
        example="raspi-0123456789abcdef",
    )
    sensors: Mapping[str, PinSettings] = tables(
        help="Which of the box's sensors are which pin there.", of=PinSettings
    )
    interval_s: float = setting(
        145.0, help="Theirs; more often is no better.", unit="s", least=145, most=3600
    )
    url: str = setting("https://api.sensor.community", help="Theirs.", check=wrong_url)
    ca_file: str = setting("", help="PEM file of an authority. Empty: the system's authorities.")

    def __post_init__(self) -> None:
        pins = [each.pin for each in self.sensors.values()]
        if not pins:
            raise SettingsError("sensors is empty", hint="Write [publishers.NAME.sensors.SENSOR].")
        if len(set(pins)) < len(pins):
            raise SettingsError(
                "two sensors have one pin",
                hint="There, a box has one sensor for each pin; a second one needs another"
                " sensor_id, and with it a publisher of its own.",
            )


#: Where they mean something of their own.
_VERDICTS = {
    401: Verdict(Refused, "Register sensor_id at https://devices.sensor.community."),
    403: Verdict(Refused, "Register sensor_id at https://devices.sensor.community, with this pin."),
    400: Verdict(Rejected, "Is the sensor registered there as what pin says?"),
}


def open(
    settings: Settings, box: BoxSettings, clock: Clock, wake: Callable[[], None]
) -> SensorCommunity:
    """The publisher; each request has a connection of its own."""
    return SensorCommunity(settings, clock)


class SensorCommunity:
    """See ``kiezbox.publishers.Latest``."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.window = settings.batch
        self.sent = 0
        self._settings, self._clock = settings, clock
        self._client = Client(settings.url, clock, ca_file=settings.ca_file, verdicts=_VERDICTS)
        self._not_before_s = 0.0
        #: Sent in the round that a failure has interrupted.
        self._done: set[str] = set()

    def due_in_s(self) -> float:
        """Seconds until the next round."""
        return self._not_before_s - self._clock.monotonic()

    def publish(self, batch: Batch) -> None:
        """Send each sensor's newest good values, if it is time; pass over the rest."""
        if self.due_in_s() > 0:
            return
        values = self._values(batch)
        began_s = self._clock.monotonic()
        rejected: Rejected | None = None
        for sensor, pin in self._settings.sensors.items():
            if sensor in self._done or sensor not in values:
                continue
            try:
                self._post(pin.pin, values[sensor])
            except Rejected as error:
                rejected = error
            except PublishError as error:
                pause_s = REFUSED_RETRY_S if isinstance(error, Refused) else RETRY_S
                self._not_before_s = self._clock.monotonic() + pause_s
                raise
            else:
                self.sent += len(values[sensor])
            self._done.add(sensor)
        if self._done:
            self._done.clear()
            self._not_before_s = began_s + self._settings.interval_s
        if rejected is not None:
            raise rejected

    def _values(self, batch: Batch) -> dict[str, dict[str, str]]:
        """By sensor: names there, and the newest good value of each as text. What is corrected
        goes in place of what its box has warmed: there, a pin has one temperature.
        """
        now = self._clock.now()
        found: dict[str, dict[str, str]] = {}
        corrected: set[tuple[str, str]] = set()
        for reading in batch:
            series = batch.series[reading.series]
            sensor = series.sensor.removesuffix(SUFFIX)
            pin = self._settings.sensors.get(sensor)
            named = PINS[pin.pin][1].get(series.quantity) if pin else None
            if named is None:
                continue
            values, key = found.setdefault(sensor, {}), (sensor, named.name)
            if sensor == series.sensor and key in corrected:
                continue
            if sensor != series.sensor and key not in corrected:
                corrected.add(key)
                values.pop(named.name, None)
            is_good = reading.flag == Flag.GOOD and isfinite(reading.value)
            if is_good and abs(now - reading.taken_at) <= OLDEST_S:
                values[named.name] = f"{reading.value * named.factor:.2f}"
        return {sensor: values for sensor, values in found.items() if values}

    def _post(self, pin: int, values: Mapping[str, str]) -> None:
        body = {
            "software_version": f"Kiezbox-{__version__}",
            "sensordatavalues": [
                {"value_type": name, "value": text} for name, text in values.items()
            ],
        }
        headers = {
            "Content-Type": "application/json",
            "X-Sensor": self._settings.sensor_id,
            "X-Pin": str(pin),
        }
        self._client.post(TARGET, json.dumps(body, separators=(",", ":")).encode(), headers)

    def announce(self, kind: str, document: Mapping[str, Any]) -> None:
        """There is no place for the box's state."""

    def link(self) -> str:
        return self._client.link

    def interrupt(self) -> None:
        """Wait for an answer no more. From any thread; idempotent."""
        self._client.interrupt()

    close = interrupt
