"""The LoRaWAN publisher over a pseudo-terminal: both dialects, and everything that can go wrong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from publishers.lora_side import APP_KEY, Radio, decoded

from kiezbox.clock import ManualClock
from kiezbox.errors import PublishError, Refused, Rejected, SettingsError, Unreachable
from kiezbox.hardware.simulated.serial_line import Garbage, Silence, Unplug
from kiezbox.model import Batch, Flag, Quantity, Reading, Series, serial_of
from kiezbox.publishers import _lora_modem, lorawan
from kiezbox.publishers._lora_air import EU868, frame_airtime_s
from kiezbox.publishers.lorawan import LoRaWan
from kiezbox.settings import BoxSettings, parse

TEMPERATURE, RAIN = Quantity.TEMPERATURE_C, Quantity.RAIN_MM


class Rig:
    """A modem, the publisher, and a clock that the test moves."""

    def __init__(self, folder: Path, modem: str) -> None:
        self.radio = Radio(folder, modem)
        self.network, self.modem = self.radio.network, self.radio.modem
        self.modem.rate = 5
        self.clock = ManualClock()
        self._opened: list[LoRaWan] = []

    def open(self, **more: Any) -> LoRaWan:
        settings = parse(lorawan.Settings, self.radio.settings(**more))
        box = BoxSettings(id="kb-1")
        publisher = lorawan.open(settings, box, self.clock, lambda: None)
        self._opened.append(publisher)
        return publisher

    def batch(self, *rows: tuple[str, Quantity, float], flag: int = 0, age_s: float = 0) -> Batch:
        series, readings = {}, []
        taken_ms = int((self.clock.now() - age_s) * 1000)
        for number, (sensor, quantity, value) in enumerate(rows):
            series[number] = Series(sensor, quantity.value)
            serial = serial_of(3, number + 1)
            readings.append(Reading(serial, number, taken_ms, 0, value, None, flag, "", 1))
        return Batch("kb-1", series, readings)

    def warm(self, value: float = 21.5) -> Batch:
        return self.batch(("roof", TEMPERATURE, value))

    def wait(self, publisher: LoRaWan) -> None:
        """Until it is due."""
        self.clock.advance(max(0.0, publisher.due_in_s()))

    def heard(self) -> list[dict[str, Any]]:
        return [decoded(u.payload, u.port)["data"] for u in self.network.uplinks]

    def close(self) -> None:
        for publisher in self._opened:
            publisher.close()
        self.radio.close()


@pytest.fixture(params=["rak3172", "e5"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, request.param)
    yield made
    made.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a modem that says nothing waits less."""
    for name, dialect in _lora_modem.DIALECTS.items():
        asks = {
            field: value._replace(wait_s=0.3)
            for field, value in dialect._asdict().items()
            if isinstance(value, _lora_modem.Ask)
        }
        monkeypatch.setitem(_lora_modem.DIALECTS, name, dialect._replace(**asks))


# --- when all is well -----------------------------------------------------------------------------


def test_it_sets_the_modem_up_joins_and_sends(rig: Rig) -> None:
    publisher = rig.open()

    publisher.publish(rig.warm())

    assert rig.heard() == [{"version": 1, "is_all": True, "sensor_0": {"temperature_c": 21.5}}]
    assert (publisher.sent, publisher.link()) == (1, "connected")
    assert len(rig.network.nonces) == 1
    assert publisher.due_in_s() == 900


def test_the_next_uplink_needs_no_join_and_no_setting_up(rig: Rig) -> None:
    publisher = rig.open()
    publisher.publish(rig.warm())
    before = len(rig.modem.commands)
    rig.wait(publisher)

    publisher.publish(rig.warm(22.0))

    assert len(rig.network.nonces) == 1
    asked = [command.partition("=")[0] for command in rig.modem.commands[before:]]
    assert asked in (["DR", "CFM", "SEND"], ["DR", "PORT", "MSGHEX"])


def test_a_node_that_starts_again_finds_its_modem_in_the_network(rig: Rig) -> None:
    first = rig.open()
    first.publish(rig.warm())
    first.close()
    rig.clock.advance(900)

    rig.open().publish(rig.warm(22.0))

    assert len(rig.network.uplinks) == 2 and len(rig.network.nonces) == 1


def test_rain_is_the_sum_of_what_fell_since_the_last_time(rig: Rig) -> None:
    rain = rig.batch(("roof", RAIN, 0.28), ("roof", RAIN, 0.0), ("roof", RAIN, 0.56))

    rig.open().publish(Batch("kb-1", {0: Series("roof", "rain_mm")}, [
        Reading(*row)._replace(series=0) for row in rain.readings
    ]))  # fmt: skip

    assert rig.heard()[0]["sensor_0"] == {"rain_mm": 0.84}


def test_what_is_not_believed_is_named_as_such_and_has_no_value(rig: Rig) -> None:
    good, bad = rig.warm(), rig.batch(("flat", TEMPERATURE, 26.46), flag=Flag.SUSPECT)
    both = Batch("kb-1", {0: good.series[0], 1: bad.series[0]}, [
        good.readings[0], Reading(*bad.readings[0])._replace(series=1)
    ])  # fmt: skip

    rig.open().publish(both)

    said = decoded(rig.network.uplinks[0].payload, 2)
    assert said["data"]["sensor_1"] == {}
    assert said["warnings"] == ["sensor_1/temperature_c: suspect"]


def test_what_no_setting_names_stays_at_home(rig: Rig) -> None:
    rig.open().publish(rig.batch(("cellar", TEMPERATURE, 12.0)))

    assert rig.network.uplinks == [] and rig.modem.commands == []


def test_a_slow_data_rate_carries_less_and_the_rest_comes_next(rig: Rig) -> None:
    rig.modem.rate = 2  # 51 bytes
    publisher = rig.open(airtime_s_per_day=0, sensors=["roof", "dust", "yard", "door"])
    rows = [
        (sensor, quantity, 5.0)
        for sensor in ("roof", "dust", "yard", "door")
        for quantity in list(Quantity)[3:9]
    ]
    publisher.publish(rig.batch(*rows))
    first = rig.heard()[0]
    assert not first["is_all"] and len(rig.network.uplinks[0].payload) <= 51

    for _ in range(2):
        rig.wait(publisher)
        publisher.publish(rig.batch(*rows))

    told = {
        (name, quantity)
        for data in rig.heard()
        for name, values in data.items()
        if name.startswith("sensor_")
        for quantity in values
    }
    assert len(told) == len(rows)


def test_adr_may_change_the_rate_and_with_it_what_fits(rig: Rig) -> None:
    rig.network.rate = 0
    publisher = rig.open(airtime_s_per_day=0)
    publisher.publish(rig.warm())
    rig.wait(publisher)

    publisher.publish(rig.warm())

    assert [uplink.rate for uplink in rig.network.uplinks] == [5, 0]


def test_a_fixed_rate_is_the_modems(rig: Rig) -> None:
    rig.open(data_rate="3").publish(rig.warm())

    assert rig.network.uplinks[0].rate == 3 and not rig.modem.is_adaptive


def test_cayenne_goes_to_the_port_where_networks_expect_it(rig: Rig) -> None:
    rig.open(payload="cayenne").publish(rig.warm())

    # Cayenne LPP 1.0: channel 1, type 103, 215 tenths of a degree.
    assert [(u.port, u.payload.hex()) for u in rig.network.uplinks] == [(1, "016700d7")]


def test_confirmed_uplinks_are_confirmed_by_the_network(rig: Rig) -> None:
    publisher = rig.open(confirmed=True, interval_s=8640)
    publisher.publish(rig.warm())
    rig.wait(publisher)
    rig.network.is_in_reach = False

    with pytest.raises(Unreachable, match="no gateway has confirmed"):
        publisher.publish(rig.warm())

    assert [uplink.is_confirmed for uplink in rig.network.uplinks] == [True]
    assert publisher.sent == 1


def test_more_answers_than_the_fair_use_allows_cannot_be_asked_for(tmp_path: Path) -> None:
    table = {"port": "/dev/ttyUSB0", "sensors": ["roof"], "confirmed": True}

    with pytest.raises(SettingsError, match="8640"):
        parse(lorawan.Settings, table)
    parse(lorawan.Settings, table | {"airtime_s_per_day": 0.0})


# --- airtime --------------------------------------------------------------------------------------


def test_at_a_slow_rate_uplinks_come_as_seldom_as_the_day_allows(rig: Rig) -> None:
    rig.modem.rate = 0
    publisher = rig.open(interval_s=60)
    until, seen = rig.clock.now() + 86_400, 0
    while rig.clock.now() < until:
        rig.wait(publisher)
        try:
            publisher.publish(rig.warm())
        except Unreachable as error:
            assert "airtime" in str(error)
        seen += 1
        assert seen < 200
    cost_s = frame_airtime_s(len(rig.network.uplinks[0].payload), EU868[0])
    # The last one may be on the second day's first second.
    assert len(rig.network.uplinks) <= 30 / cost_s + 1
    assert len(rig.network.uplinks) >= 0.8 * 30 / cost_s


def test_an_uplink_that_a_day_has_no_airtime_for_calls_a_person(rig: Rig) -> None:
    rig.modem.rate = 0
    publisher = rig.open(airtime_s_per_day=0.5, data_rate="0")

    with pytest.raises(PublishError):
        publisher.publish(rig.warm())

    assert rig.network.uplinks == []


# --- what can go wrong ----------------------------------------------------------------------------


def test_where_no_network_lets_it_in_it_tries_ever_more_seldom(rig: Rig) -> None:
    rig.network.is_in_reach = False
    publisher = rig.open(airtime_s_per_day=0)
    pauses = []
    for _ in range(9):
        with pytest.raises(Unreachable, match="lets the modem in"):
            publisher.publish(rig.warm())
        pauses.append(publisher.due_in_s())
        rig.wait(publisher)

    for number, pause_s in enumerate(pauses):
        assert 0.8 <= pause_s / min(3600, 60 * 2**number) <= 1.2
    rig.network.is_in_reach = True
    publisher.publish(rig.warm())
    assert len(set(rig.network.nonces)) == len(rig.network.nonces) == 10


def test_joins_of_a_day_fit_into_its_airtime(rig: Rig) -> None:
    """Also where the node is started anew each time."""
    rig.network.is_in_reach = False
    for _ in range(60):
        with pytest.raises(Unreachable):
            rig.open().publish(rig.warm())
        rig.clock.advance(60)

    assert len(rig.network.nonces) * 1.48 <= 30


def test_keys_that_are_put_right_work_without_a_restart(rig: Rig) -> None:
    rig.radio.write_keys(app_key="1" * 32)
    publisher = rig.open()
    with pytest.raises(Unreachable):
        publisher.publish(rig.warm())

    rig.radio.write_keys()
    rig.wait(publisher)
    publisher.publish(rig.warm())

    assert len(rig.network.uplinks) == 1


def test_a_modem_whose_supply_was_away_joins_again(rig: Rig) -> None:
    publisher = rig.open()
    publisher.publish(rig.warm())
    rig.modem.power_cycle()
    rig.wait(publisher)

    with pytest.raises(Unreachable, match="lost its network"):
        publisher.publish(rig.warm(22.0))
    rig.wait(publisher)
    publisher.publish(rig.warm(23.0))

    assert [data["sensor_0"]["temperature_c"] for data in rig.heard()] == [21.5, 23.0]


@pytest.mark.parametrize(
    ("fault", "message"), [("busy", "the modem is busy"), ("no_channel", "no channel is free")]
)
def test_what_passes_is_waited_for(rig: Rig, fault: str, message: str) -> None:
    publisher = rig.open()
    publisher.publish(rig.warm())
    rig.wait(publisher)
    rig.modem.fault = fault

    with pytest.raises(Unreachable, match=message):
        publisher.publish(rig.warm())
    assert 10 <= publisher.due_in_s() <= 20
    rig.modem.fault = None
    rig.wait(publisher)
    publisher.publish(rig.warm())

    assert len(rig.network.uplinks) == 2 and len(rig.network.nonces) == 1


def test_a_modem_that_is_unplugged_and_plugged_in_is_found_again(rig: Rig) -> None:
    publisher = rig.open()
    publisher.publish(rig.warm())
    rig.radio.line.fault(Unplug())
    rig.wait(publisher)
    with pytest.raises(Unreachable, match="gone"):
        publisher.publish(rig.warm())
    rig.wait(publisher)
    with pytest.raises(Unreachable, match="no such port"):
        publisher.publish(rig.warm())

    rig.radio.line.fault(None)
    rig.wait(publisher)
    publisher.publish(rig.warm())

    assert len(rig.network.uplinks) == 2


@pytest.mark.parametrize("fault", [Silence(), Garbage()], ids=["silence", "garbage"])
@pytest.mark.usefixtures("hasty")
def test_silence_and_noise_are_said_and_pass(rig: Rig, fault: Any) -> None:
    publisher = rig.open()
    rig.radio.line.fault(fault)

    with pytest.raises(Unreachable, match="the modem at .* (does not answer|says nothing)"):
        publisher.publish(rig.warm())
    rig.radio.line.fault(None)
    rig.wait(publisher)
    publisher.publish(rig.warm())

    assert len(rig.network.uplinks) == 1


@pytest.mark.usefixtures("hasty")
def test_half_lines_are_no_answers(rig: Rig) -> None:
    rig.modem.fault = "half_line"

    with pytest.raises(Unreachable):
        rig.open().publish(rig.warm())

    assert rig.network.uplinks == []


def test_an_echo_and_downlinks_in_between_are_passed_over(rig: Rig) -> None:
    rig.modem.is_echoing = True
    rig.network.downlink = (2, b"OK")
    publisher = rig.open()

    publisher.publish(rig.warm())
    rig.wait(publisher)
    publisher.publish(rig.warm())

    assert len(rig.network.uplinks) == 2


def test_a_modem_that_takes_no_setting_calls_a_person(rig: Rig) -> None:
    rig.modem.fault = "error"

    with pytest.raises(Refused, match="does not take AT") as caught:
        rig.open().publish(rig.warm())

    assert "firmware" in caught.value.hint


@pytest.mark.usefixtures("hasty")
def test_the_other_modems_words_are_no_answers(tmp_path: Path) -> None:
    rig = Rig(tmp_path, "e5")
    try:
        with pytest.raises(Unreachable, match="says nothing that is an answer") as caught:
            rig.open(modem="rak3172").publish(rig.warm())
    finally:
        rig.close()
    assert "modem that stands in kiezbox.toml" in caught.value.hint


def test_a_value_that_fits_nowhere_is_rejected_and_no_airtime_is_spent(tmp_path: Path) -> None:
    rig = Rig(tmp_path, "e5")
    publisher = rig.open(payload="cayenne")
    try:
        with pytest.raises(Rejected, match="not one value fits"):
            publisher.publish(rig.batch(("roof", Quantity.CO2_PPM, 1500.0)))
        assert publisher.due_in_s() == 900 and rig.network.uplinks == []
    finally:
        rig.close()


# --- keys -----------------------------------------------------------------------------------------


def test_keys_that_everybody_may_read_are_not_used(rig: Rig) -> None:
    rig.radio.write_keys(mode=0o644)

    with pytest.raises(Refused, match="everybody on this machine may read") as caught:
        rig.open().publish(rig.warm())

    assert "chmod 600" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["", "dev_eui = ", 'dev_eui = "70B3D57ED0000001"', f'app_key = "{APP_KEY}"\x00'],
)
def test_a_file_without_three_keys_is_said_without_saying_a_key(rig: Rig, text: str) -> None:
    rig.radio.keys.write_text(text)

    with pytest.raises(Refused) as caught:
        rig.open().publish(rig.warm())

    assert APP_KEY not in f"{caught.value}{caught.value.hint}{caught.value.__cause__}"


def test_a_key_of_zeros_is_none(rig: Rig) -> None:
    rig.radio.write_keys(app_key="0" * 32)

    with pytest.raises(Refused, match="all zeros"):
        rig.open().publish(rig.warm())


def test_no_key_is_ever_in_the_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    publisher = rig.open()
    publisher.publish(rig.warm())
    rig.modem.fault = "error"
    rig.modem.power_cycle()
    for _ in range(3):
        rig.wait(publisher)
        with pytest.raises(PublishError) as caught:
            publisher.publish(rig.warm())
        assert APP_KEY not in f"{caught.value}{caught.value.hint}"

    assert APP_KEY not in caplog.text


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sensors", [[], ["a"] * 2, ["Roof"], [f"s{number}" for number in range(9)]]
)
def test_sensors_must_be_one_to_eight_names(sensors: list[str]) -> None:
    with pytest.raises(SettingsError, match="sensors"):
        parse(lorawan.Settings, {"port": "/dev/ttyUSB0", "sensors": sensors})


# --- the node -------------------------------------------------------------------------------------


def test_a_wait_for_the_modem_ends_when_the_node_does(rig: Rig) -> None:
    rig.radio.line.fault(Silence())
    publisher = rig.open()
    waiting = threading.Thread(
        target=lambda: pytest.raises(Unreachable, publisher.publish, rig.warm())
    )
    waiting.start()

    publisher.interrupt()

    waiting.join(1.5)
    assert not waiting.is_alive()


def test_a_gateway_in_reach_is_no_uplink(rig: Rig) -> None:
    publisher = rig.open()
    publisher.publish(rig.warm())

    assert publisher.link() == "connected" and not publisher.proves_uplink
