"""The words every floor shares: what a reading is, what a fault is, where a box stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from itertools import starmap
from typing import NamedTuple

#: Bits of a serial that count readings within one start of the node. 2**36 readings are two
#: years at 1,000 a second; above them 27 bits of boot number, so a serial is a positive int64.
COUNTER_BITS = 36

_BOX_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,29}[a-z0-9])?")
_SENSOR_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


def is_box_id(text: str) -> bool:
    """Lower-case letters, digits, inner hyphens, at most 31: safe in topics, URLs, host names."""
    return _BOX_ID.fullmatch(text) is not None


def is_sensor_name(text: str) -> bool:
    """Lower-case letters, digits, underscores, at most 31, a letter first: safe in SenML names."""
    return _SENSOR_NAME.fullmatch(text) is not None


class Quantity(Enum):
    """What can be measured. The name carries the unit; ``units.SENML`` has the unit on the wire."""

    TEMPERATURE_C = "temperature_c"
    HUMIDITY_PERCENT = "humidity_percent"
    PRESSURE_HPA = "pressure_hpa"
    PM1_UG_M3 = "pm1_ug_m3"
    PM2_5_UG_M3 = "pm2_5_ug_m3"
    PM4_UG_M3 = "pm4_ug_m3"
    PM10_UG_M3 = "pm10_ug_m3"
    NO2_UG_M3 = "no2_ug_m3"
    O3_UG_M3 = "o3_ug_m3"
    CO2_PPM = "co2_ppm"
    #: Of a heated metal oxide: falls where there is more to burn in the air. No index.
    GAS_RESISTANCE_OHM = "gas_resistance_ohm"
    #: Sensirion's: 100 (VOC) and 1 (NOx) are this place's own last day.
    VOC_INDEX = "voc_index"
    NOX_INDEX = "nox_index"
    #: A-weighted, energy mean over the time since the last reading. Never anything of the sound.
    LAEQ_DB = "laeq_db"
    ILLUMINANCE_LX = "illuminance_lx"
    #: Since the last reading.
    RAIN_MM = "rain_mm"
    WATER_LEVEL_M = "water_level_m"
    #: Of wood or plaster: water by dry mass.
    MOISTURE_PERCENT = "moisture_percent"
    VOLTAGE_V = "voltage_v"
    CURRENT_A = "current_a"
    POWER_W = "power_w"
    #: Since midnight of the device that counts it.
    ENERGY_WH = "energy_wh"
    CHARGE_PERCENT = "charge_percent"
    SATELLITES = "satellites"


class Flag(IntEnum):
    """How far a stored value may be believed. A missing value is no row at all, but a fault."""

    GOOD = 0
    SUSPECT = 1
    BAD = 2


class Measurement(NamedTuple):
    """What a driver returns for one quantity.

    ``raw`` is what the sensor said, in the same unit, where ``value`` was corrected or where
    the flag is not GOOD; None means "the same as value".
    """

    quantity: Quantity
    value: float
    raw: float | None = None
    flag: Flag = Flag.GOOD
    reason: str = ""


class Series(NamedTuple):
    """One sensor's one quantity: ``roof/temperature_c``."""

    sensor: str
    quantity: str

    def __str__(self) -> str:
        return f"{self.sensor}/{self.quantity}"


class Reading(NamedTuple):
    """One value, as stored. The columns of the table ``readings``, in its order.

    ``serial`` = boot << COUNTER_BITS | counter is unique and rising on one box and never taken
    from the wall clock; with the box's name it is the reading's id everywhere.
    ``taken_ms`` is Unix milliseconds by the box's clock of that moment, ``monotonic_ms`` counts
    since the machine's start; ``clock_trusted`` says whether the first can be believed as it is.
    """

    serial: int
    series: int
    taken_ms: int
    monotonic_ms: int
    value: float
    raw: float | None = None
    flag: int = 0
    reason: str = ""
    clock_trusted: int = 1

    @property
    def boot(self) -> int:
        return self.serial >> COUNTER_BITS

    @property
    def counter(self) -> int:
        return self.serial & ((1 << COUNTER_BITS) - 1)

    @property
    def taken_at(self) -> float:
        """Unix seconds, UTC."""
        return self.taken_ms / 1000


def serial_of(boot: int, counter: int) -> int:
    """The serial of a boot's n-th reading."""
    return boot << COUNTER_BITS | counter


#: A reading as it comes from the store: all fields, or those up to ``value``.
Row = (
    tuple[int, int, int, int, float] | tuple[int, int, int, int, float, float | None, int, str, int]
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings on their way out, oldest first, with the names of their series.

    ``readings`` may hold plain tuples in the order of ``Reading``'s fields (the hot path takes
    SQLite's rows as they come); iterating gives ``Reading`` objects either way. A row may stop
    after ``value``: then the rest is at ``Reading``'s defaults and ``monotonic_ms`` 0, and so it
    is in every row before.
    """

    box: str
    series: Mapping[int, Series]
    readings: Sequence[Row]

    def __len__(self) -> int:
        return len(self.readings)

    def __iter__(self) -> Iterator[Reading]:
        return starmap(Reading, self.readings)


class Cursor(NamedTuple):
    """How far one publisher has come, in serials.

    Two lanes, so that a live reading never waits behind a week of backlog: everything up to
    ``backlog`` is confirmed, and everything after ``live_from`` up to ``live``. When the
    backlog reaches ``live_from`` the lanes become one. Within a lane the order is the serial's.
    """

    name: str
    backlog: int = 0
    live_from: int = 0
    live: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: WGS84 degrees, and how far off that may be."""

    latitude: float
    longitude: float
    accuracy_m: float = 10.0


class Fault(NamedTuple):
    """Something is wrong, said once, until it is right again. Times are Unix seconds."""

    source: str
    kind: str
    message: str
    hint: str
    opened_at: float
    closed_at: float | None
    times: int
