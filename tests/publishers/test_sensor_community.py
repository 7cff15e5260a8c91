"""What sensor.community is sent: names and pins of its own firmware, only what is true now, at its
own pace.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts.receivers.sensor_community import ID, Receiver
from publishers.web import Asked, Said

from kiezbox.clock import ManualClock
from kiezbox.errors import Refused, Rejected, SettingsError, Unreachable
from kiezbox.model import Batch, Reading, Series, serial_of
from kiezbox.publishers import sensor_community
from kiezbox.publishers.sensor_community import PINS, SensorCommunity
from kiezbox.settings import BoxSettings, parse


class Rig:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.side = Receiver(folder)
        self._publisher: SensorCommunity | None = None

    def open(self, **more: Any) -> SensorCommunity:
        table = self.side.settings() | {"sensors": {"air": {"pin": 11}, "dust": {"pin": 1}}} | more
        settings = parse(sensor_community.Settings, table)
        box = BoxSettings(id="kb-1")
        self._publisher = sensor_community.open(settings, box, self.clock, lambda: None)
        return self._publisher

    def batch(self, *rows: tuple[str, str, float], age_s: float = 0, flag: int = 0) -> Batch:
        taken_ms = int((self.clock.now() - age_s) * 1000)
        series = {number: Series(sensor, name) for number, (sensor, name, _) in enumerate(rows)}
        return Batch("kb-1", series, [
            Reading(serial_of(3, number + 1), number, taken_ms, 0, value, None, flag, "", 1)
            for number, (_, _, value) in enumerate(rows)
        ])  # fmt: skip

    def both(self) -> Batch:
        return self.batch(
            ("air", "temperature_c", 21.54),
            ("air", "humidity_percent", 55.3),
            ("air", "pressure_hpa", 1008.42),
            ("dust", "pm2_5_ug_m3", 12.3),
            ("dust", "pm10_ug_m3", 28.7),
        )

    def bodies(self) -> list[tuple[str, dict[str, str]]]:
        """Pin and values of each request."""
        return [
            (
                asked.headers["x-pin"],
                {v["value_type"]: v["value"] for v in json.loads(asked.body)["sensordatavalues"]},
            )
            for asked in self.side.server.asked
        ]

    def close(self) -> None:
        if self._publisher is not None:
            self._publisher.close()
        self.side.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()


def test_a_bme280_and_an_sds011_are_sent_as_the_firmware_sends_them(rig: Rig) -> None:
    publisher = rig.open()

    publisher.publish(rig.both())

    # airrohr-firmware: pressure in Pa, P1 is PM10, P2 is PM2.5, text with two decimals.
    assert rig.bodies() == [
        ("11", {"temperature": "21.54", "humidity": "55.30", "pressure": "100842.00"}),
        ("1", {"P2": "12.30", "P1": "28.70"}),
    ]
    headers = rig.side.server.asked[0].headers
    assert headers["x-sensor"] == ID
    assert headers["user-agent"].startswith("Kiezbox/")
    assert publisher.sent == 5


@pytest.mark.parametrize(
    ("pin", "quantity", "name"),
    # ext_def.h (pins) and the names after a prefix as in SDS_P1, BMP280_pressure, SHT3X_humidity,
    # DS18B20_temperature, DNMS_noise_LAeq, SCD30_co2_ppm.
    [
        (1, "pm1_ug_m3", "P0"), (1, "pm4_ug_m3", "P4"), (3, "pressure_hpa", "pressure"),
        (7, "humidity_percent", "humidity"), (13, "temperature_c", "temperature"),
        (15, "laeq_db", "noise_LAeq"), (17, "co2_ppm", "co2_ppm"),
    ],
)  # fmt: skip
def test_every_pin_has_the_names_of_the_firmware(pin: int, quantity: str, name: str) -> None:
    assert PINS[pin][1][quantity].name == name


def test_what_a_pin_does_not_have_is_not_sent(rig: Rig) -> None:
    rig.open().publish(
        rig.batch(("air", "gas_resistance_ohm", 5e4), ("air", "temperature_c", 20.0))
    )

    assert rig.bodies() == [("11", {"temperature": "20.00"})]


@pytest.mark.parametrize("is_first", [True, False])
def test_of_a_sensor_that_its_box_warms_the_corrected_values_are_sent(
    rig: Rig, is_first: bool
) -> None:
    warm = [("air", "temperature_c", 24.0), ("air", "humidity_percent", 40.0)]
    right = [("air_corrected", "temperature_c", 20.0), ("air_corrected", "humidity_percent", 51.0)]
    pressure = [("air", "pressure_hpa", 1008.42)]

    rig.open().publish(rig.batch(*(right + warm if is_first else warm + right), *pressure))

    assert rig.bodies() == [
        ("11", {"temperature": "20.00", "humidity": "51.00", "pressure": "100842.00"})
    ]


def test_what_is_too_warm_is_not_sent_because_its_correction_is_doubted(rig: Rig) -> None:
    warm = rig.batch(("air", "temperature_c", 24.0), ("air_corrected", "temperature_c", 20.0))
    rows = [Reading(*row) for row in warm.readings]
    rows[1] = rows[1]._replace(flag=1, reason="step")

    rig.open().publish(Batch("kb-1", warm.series, rows))

    assert rig.bodies() == []


def test_a_round_is_every_145_seconds(rig: Rig) -> None:
    publisher = rig.open()
    publisher.publish(rig.both())

    assert publisher.due_in_s() == 145
    with pytest.raises(SettingsError):
        rig.open(interval_s=60)


@pytest.mark.parametrize("age_s", [301.0, 86_400.0, -301.0])
def test_what_was_not_measured_just_now_is_never_sent(rig: Rig, age_s: float) -> None:
    publisher = rig.open()

    publisher.publish(rig.batch(("air", "temperature_c", 20.0), age_s=age_s))

    assert rig.side.server.asked == [] and publisher.due_in_s() <= 0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_never_sent(rig: Rig, value: float) -> None:
    rig.open().publish(rig.batch(("air", "temperature_c", value)))

    assert rig.side.server.asked == []


def test_a_round_that_broke_off_goes_on_where_it_was(rig: Rig) -> None:
    publisher = rig.open()
    answers = iter([Said(201), Said(503), Said(201)])
    rig.side.server.answer = lambda asked: next(answers)
    with pytest.raises(Unreachable):
        publisher.publish(rig.both())
    assert publisher.due_in_s() == 30

    rig.clock.advance(30)
    publisher.publish(rig.both())

    assert [pin for pin, _ in rig.bodies()] == ["11", "1", "1"]
    assert publisher.due_in_s() == 145


def test_a_box_that_is_not_registered_calls_a_person_and_does_not_hammer(rig: Rig) -> None:
    publisher = rig.open(sensor_id="raspi-0000000000000000")

    with pytest.raises(Refused, match="Node not found") as caught:
        publisher.publish(rig.both())

    assert "https://devices.sensor.community" in caught.value.hint
    assert publisher.due_in_s() == 300 and publisher.link() == "refused"


def test_a_sensor_that_is_rejected_keeps_no_other_back(rig: Rig) -> None:
    publisher = rig.open()

    def answer(asked: Asked) -> Said:
        return Said(400 if asked.headers["x-pin"] == "11" else 201)

    rig.side.server.answer = answer
    with pytest.raises(Rejected):
        publisher.publish(rig.both())

    assert [pin for pin, _ in rig.bodies()] == ["11", "1"]
    assert (publisher.sent, publisher.due_in_s()) == (2, 145)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"sensor_id": "my box"}, "raspi-"),
        ({"sensors": {}}, "sensors is empty"),
        ({"sensors": {"roof": {"pin": 2}}}, "no pin that is known"),
        ({"sensors": {"roof": {"pin": 7}, "yard": {"pin": 7}}}, "two sensors have one pin"),
        ({"url": "ftp://x"}, "https://"),
    ],
)
def test_wrong_settings_are_said_with_what_is_right(table: dict[str, Any], words: str) -> None:
    right = {"sensor_id": ID, "sensors": {"roof": {"pin": 11}}}

    with pytest.raises(SettingsError, match=words):
        parse(sensor_community.Settings, right | table)
