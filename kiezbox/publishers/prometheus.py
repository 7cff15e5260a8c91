"""Prometheus: the box's present values as text, on a port of its own, for whoever asks.

``GET /metrics`` answers in the text format 0.0.4, which every Prometheus, VictoriaMetrics and
Grafana Agent reads. Only good values; none that is older than 2.5 intervals of its sensor, so that
a dead sensor's series ends instead of standing still. Samples carry no time stamps of their own:
with them Prometheus could not see that a series has ended ("Staleness"); when a value was measured
is in ``kiezbox_reading_timestamp_seconds``.

Sources: Prometheus, "Exposition formats" (text format details), "Metric and label naming" (base
units), "Querying basics" (staleness). docs/publishers.md lists the names.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from kiezbox.clock import Clock
from kiezbox.errors import PublishError, Unreachable
from kiezbox.model import Batch, Quantity, Series
from kiezbox.publishers._listener import Listener, Page
from kiezbox.publishers._newest import Newest, Value
from kiezbox.settings import BoxSettings, PublisherSettings, setting

__all__ = ["NAMES", "Prometheus", "Settings", "open"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: See ``kiezbox.publishers``.
CARRIES_PAST = False

#: A value lives so many intervals of its sensor.
INTERVALS = 2.5

#: Seconds between two looks at the store, and after which it is tried again to listen.
PACE_S = 1.0
RETRY_S = 0.25


class Name(NamedTuple):
    """How a quantity is called there: in base units, hence the factor, a quotient of two whole
    numbers.
    """

    metric: str
    words: str
    times: int = 1
    by: int = 1
    kind: str = "gauge"


_UG = (1, 1_000_000)

NAMES: dict[Quantity, Name] = {
    Quantity.TEMPERATURE_C: Name("temperature_celsius", "Temperature."),
    Quantity.HUMIDITY_PERCENT: Name("humidity_ratio", "Relative humidity, 0 to 1.", 1, 100),
    Quantity.PRESSURE_HPA: Name("pressure_pascals", "Air pressure where the box is.", 100),
    Quantity.PM1_UG_M3: Name("pm1_grams_per_cubic_meter", "Particles below 1 um.", *_UG),
    Quantity.PM2_5_UG_M3: Name("pm2_5_grams_per_cubic_meter", "Particles below 2.5 um.", *_UG),
    Quantity.PM4_UG_M3: Name("pm4_grams_per_cubic_meter", "Particles below 4 um.", *_UG),
    Quantity.PM10_UG_M3: Name("pm10_grams_per_cubic_meter", "Particles below 10 um.", *_UG),
    Quantity.NO2_UG_M3: Name("no2_grams_per_cubic_meter", "Nitrogen dioxide.", *_UG),
    Quantity.O3_UG_M3: Name("o3_grams_per_cubic_meter", "Ozone.", *_UG),
    Quantity.CO2_PPM: Name("co2_ratio", "Carbon dioxide, parts of one.", 1, 1_000_000),
    Quantity.GAS_RESISTANCE_OHM: Name("gas_resistance_ohms", "Of a heated metal oxide."),
    Quantity.VOC_INDEX: Name("voc_index", "Volatile compounds; 100 is the last day's mean."),
    Quantity.NOX_INDEX: Name("nox_index", "Nitrogen oxides; 1 is the last day's mean."),
    Quantity.LAEQ_DB: Name("laeq_decibels", "A-weighted mean level since the last reading."),
    Quantity.ILLUMINANCE_LX: Name("illuminance_lux", "Illuminance."),
    Quantity.RAIN_MM: Name("rain_meters_total", "Rain since the box's start.", 1, 1000, "counter"),
    Quantity.WATER_LEVEL_M: Name("water_level_meters", "Water level."),
    Quantity.MOISTURE_PERCENT: Name("moisture_ratio", "Water by dry mass.", 1, 100),
    Quantity.VOLTAGE_V: Name("voltage_volts", "Voltage."),
    Quantity.CURRENT_A: Name("current_amperes", "Current."),
    Quantity.POWER_W: Name("power_watts", "Power."),
    Quantity.ENERGY_WH: Name("energy_today_joules", "Energy since the device's midnight.", 3600),
    Quantity.CHARGE_PERCENT: Name("charge_ratio", "Charge of the battery, 0 to 1.", 1, 100),
    Quantity.SATELLITES: Name("satellites", "Satellites in use."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PublisherSettings):
    listen: str = setting(
        "127.0.0.1",
        help="The box's own address on which it is to be asked: 127.0.0.1 for this machine alone,\n"
        "its address in the home network for that network.",
    )
    port: int = setting(9480, help="The port.", least=1, most=65535)
    silent_s: float = setting(
        300.0,
        help="After so long without anybody asking the link counts as lost.",
        unit="s",
        least=0.1,
        most=86400,
    )


def open(
    settings: Settings, box: BoxSettings, clock: Clock, wake: Callable[[], None]
) -> Prometheus:
    """The publisher; it listens from now on, or as soon as the port is free."""
    return Prometheus(settings, box.id, clock, wake)


class Prometheus:
    """See ``kiezbox.publishers.Latest``. What was handed over is kept until it is too old: whoever
    asks twice within a sensor's interval gets the same twice.
    """

    window = 1000
    proves_uplink = False
    waits_to_be_asked = True

    def __init__(
        self, settings: Settings, box: str, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self.sent = 0
        self._settings = settings
        self._box = box
        self._clock = clock
        self._wake = wake
        self._newest = Newest(clock, INTERVALS)
        self._values: dict[Series, Value] = {}
        self._lock = threading.Lock()
        self._is_closed = False
        self._problem: PublishError | None = None
        self._listener: Listener | None = None
        # As if somebody had just asked: whoever does it every minute is not silent yet.
        self._due_at_s = self._asked_at_s = clock.monotonic()
        self._listen()

    def publish(self, batch: Batch) -> None:
        """Keep the newest good value of each series for whoever asks.

        Raises:
            Unreachable: the port is taken, or nobody has asked for ``silent_s``. As soon as
                somebody does, the worker is woken.
        """
        if self.due_in_s() > 0:
            return
        self._due_at_s = self._clock.monotonic() + RETRY_S
        self._listen()
        if self._listener is None:
            raise self._why()
        with self._lock:
            taken = self._newest.take(batch)
        if not taken:
            self._due_at_s = self._clock.monotonic()
            return
        if self._is_silent():
            raise Unreachable(
                f"nobody asks for readings at {self._where()}",
                hint=f"Prometheus needs a job with the target {self._where()}"
                " (docs/publishers.md).",
            )
        with self._lock:
            self._values |= taken
        self.sent += len(taken)
        self._due_at_s = self._clock.monotonic() + PACE_S

    def due_in_s(self) -> float:
        """See ``publishers.Latest``."""
        return self._due_at_s - self._clock.monotonic()

    def announce(self, kind: str, document: Mapping[str, Any]) -> None:
        """Which sensors there are, and which may no longer be shown; it has no place for more."""
        with self._lock:
            self._newest.announced(kind, document)

    def link(self) -> str:
        """ "connected" while somebody asks."""
        return "waiting" if self._listener is None or self._is_silent() else "connected"

    def close(self) -> None:
        self._is_closed = True
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    # --- the page ------------------------------------------------------------------------

    def page(self) -> bytes:
        """What is true now, as text."""
        samples: defaultdict[Name, list[tuple[str, float]]] = defaultdict(list)
        times: list[tuple[str, float]] = []
        with self._lock:
            self._values = {
                series: value
                for series, value in self._values.items()
                if self._newest.is_told(series) and self._newest.is_fresh(series, value)
            }
            values = sorted(self._values.items())
        for series, value in values:
            name = _name_of(series.quantity)
            if name is None:
                continue
            labels = f'box="{_escaped(self._box)}",sensor="{_escaped(series.sensor)}"'
            samples[name].append((labels, value.value * name.times / name.by))
            times.append((f'{labels},quantity="{_escaped(series.quantity)}"', value.taken_at))
        lines: list[str] = []
        for name in sorted(samples):
            lines += _family(f"kiezbox_{name.metric}", name.words, name.kind, samples[name])
        if times:
            lines += _family(
                "kiezbox_reading_timestamp_seconds", "When it was measured.", "gauge", times
            )
        return "".join(lines).encode()

    def _answer(self, target: str) -> Page:
        path = target.partition("?")[0]
        if path != "/metrics":
            return Page(404, "text/plain; charset=utf-8", b"The readings are at /metrics\n")
        was_silent = self._is_silent()
        self._asked_at_s = self._clock.monotonic()
        if was_silent:
            self._due_at_s = self._asked_at_s
            self._wake()
        return Page(200, CONTENT_TYPE, self.page())

    def _is_silent(self) -> bool:
        return self._clock.monotonic() - self._asked_at_s > self._settings.silent_s

    # --- the port ------------------------------------------------------------------------

    def _listen(self) -> None:
        if self._listener is not None or self._is_closed:
            return
        try:
            self._listener = Listener(self._settings.listen, self._settings.port, self._answer)
        except OSError as error:
            self._problem = Unreachable(
                f"cannot listen at {self._where()}: {error.strerror or error}",
                hint="Does the box have that address, and is the port free?",
            )

    def _where(self) -> str:
        host = self._settings.listen
        return f"[{host}]:{self._settings.port}" if ":" in host else f"{host}:{self._settings.port}"

    def _why(self) -> PublishError:
        error = self._problem or Unreachable("the publisher was closed")
        return type(error)(str(error), hint=error.hint)


def _name_of(quantity: str) -> Name | None:
    try:
        return NAMES[Quantity(quantity)]
    except (ValueError, KeyError):
        return None


def _family(metric: str, words: str, kind: str, samples: list[tuple[str, float]]) -> list[str]:
    """One metric's lines; all of them must stand together."""
    head = [f"# HELP {metric} {words}\n", f"# TYPE {metric} {kind}\n"]
    # 15 digits are what a float holds for sure: 100799.9, not 100799.90000000001.
    return head + [f"{metric}{{{labels}}} {value:.15g}\n" for labels, value in samples]


def _escaped(text: str) -> str:
    r"""A label's value ("Text format details").

    >>> print(_escaped('C:\\DIR "x"'))
    C:\\DIR \"x\"
    """
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
