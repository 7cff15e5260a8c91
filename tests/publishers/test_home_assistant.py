"""The box in Home Assistant: on a real Mosquitto, by the rules of Home Assistant's documentation,
and in a real Home Assistant where one is installed (see ``home_assistant_python``).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from broker import LIMIT_S, Amqtt, Listener, Mosquitto, wait_for

from kiezbox.clock import ManualClock
from kiezbox.errors import SettingsError, Unreachable
from kiezbox.mode import Mode
from kiezbox.model import Batch, Flag, Quantity, Reading, Series, serial_of
from kiezbox.publishers import _home_assistant as words
from kiezbox.publishers import home_assistant
from kiezbox.settings import BoxSettings, parse

CONFIG = "homeassistant/device/kiezbox-kb-1/config"
BASE = "kiezbox/1/kb-1/home-assistant"
NUMBER = {quantity: number for number, quantity in enumerate(Quantity, 1)}
TOLD = {"sensors": {"roof": {"interval_s": 60.0, "quantities": None}}}
STATE = {"mode": {"name": "emergency"}, "grid": {"state": "lost"}}
NO_FAULTS: dict[str, Any] = {"faults": []}
FAULT = {"faults": [{"source": "sensors.roof", "kind": "missing", "message": "nothing at 0x76"}]}


class Rig:
    """A broker, publishers on it, and whoever listens."""

    def __init__(self, folder: Path, stack: ExitStack, more: str = "allow_anonymous true") -> None:
        self.folder = folder
        self._stack = stack
        self.clock = ManualClock()
        self.broker = Mosquitto(folder, more)
        stack.callback(self.broker.close)
        self._counter = 0
        self.woken = threading.Event()

    def open(self, *, up: bool = True, told: Any = TOLD, **more: Any) -> Any:
        wanted = {"host": "127.0.0.1", "port": self.broker.port, "tls": False,
                  "retry_least_s": 0.1, "retry_most_s": 0.5} | more  # fmt: skip
        box = parse(BoxSettings, {"id": "kb-1", "name": "Späti"})
        publisher = home_assistant.open(
            parse(home_assistant.Settings, wanted), box, self.clock, self.woken.set
        )
        self._stack.callback(publisher.close)
        if told is not None:
            publisher.announce("sensors", told)
        if up:
            wait_for(lambda: publisher.link() == "connected", "it is connected")
        return publisher

    def listen(self, topic: str) -> Listener:
        listener = Listener(self.broker.port, topic)
        self._stack.callback(listener.close)
        return listener

    def reading(self, quantity: Quantity, value: float, **changed: Any) -> Reading:
        self._counter += 1
        row = Reading(
            serial_of(3, self._counter), NUMBER[quantity], int(self.clock.now() * 1000), 0, value
        )
        return row._replace(**changed)

    def say(self, publisher: Any, *rows: Reading, sensor: str = "roof") -> None:
        """Hand it over until it went through."""
        series = {NUMBER[quantity]: Series(sensor, quantity.value) for quantity in Quantity}
        before = publisher.sent

        def is_said() -> bool:
            self.clock.advance(max(0.0, publisher.due_in_s()))
            try:
                publisher.publish(Batch("kb-1", series, rows))
            except Unreachable:
                return False
            return publisher.sent > before

        wait_for(is_said, "the values are said")

    def config(self) -> dict[str, Any]:
        """The description as the broker keeps it."""
        listener = self.listen(CONFIG)
        wait_for(lambda: listener.heard, "the description")
        heard = listener.heard[0]
        assert heard.is_retained
        return dict(heard.json())


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def rig(tmp_path: Path, stack: ExitStack) -> Rig:
    return Rig(tmp_path, stack)


def last(listener: Listener, topic: str) -> Any:
    said = [heard for heard in listener.heard if heard.topic == topic]
    return said[-1] if said else None


def last_said(listener: Listener, topic: str) -> Any:
    heard = last(listener, topic)
    return None if heard is None else heard.json()


# --- on a real broker --------------------------------------------------------------------


def test_the_box_is_described_in_one_retained_message_and_its_values_are_not_kept(
    rig: Rig,
) -> None:
    states = rig.listen(f"{BASE}/+/+")
    publisher = rig.open()

    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))

    config = rig.config()
    component = config["components"]["roof-temperature_c"]
    assert config["device"]["name"] == "Späti"
    assert component["state_topic"] == f"{BASE}/roof/temperature_c"
    wait_for(lambda: states.heard, "the state")
    assert states.heard[0].topic == component["state_topic"]
    assert states.heard[0].json()["value"] == 21.5
    late = rig.listen(f"{BASE}/+/+")
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 22.5))
    wait_for(lambda: late.heard, "the next state")
    assert [heard.json()["value"] for heard in late.heard] == [22.5]
    assert not late.heard[0].is_retained


def test_a_box_that_is_gone_is_offline_by_its_last_will_and_online_when_it_is_back(
    rig: Rig,
) -> None:
    online = rig.listen(f"{BASE}/online")
    publisher = rig.open()
    wait_for(lambda: [heard.payload for heard in online.heard] == [b"online"], "online")

    publisher._connection._client.socket().shutdown(2)

    wait_for(lambda: len(online.heard) >= 3, "offline, and online again")
    assert [heard.payload for heard in online.heard] == [b"online", b"offline", b"online"]
    publisher.close()
    wait_for(lambda: online.heard[-1].payload == b"offline", "it says goodbye")
    late = rig.listen(f"{BASE}/online")
    wait_for(lambda: late.heard, "what is kept")
    assert (late.heard[0].payload, late.heard[0].is_retained) == (b"offline", True)


def test_a_state_expires_after_three_intervals_of_its_sensor(rig: Rig) -> None:
    told = {"sensors": {"roof": {"interval_s": 12.5, "quantities": None}}}
    publisher = rig.open(told=told)
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))

    # 37.5 s; Home Assistant takes whole seconds ("expire_after", integer).
    assert rig.config()["components"]["roof-temperature_c"]["expire_after"] == 38


@pytest.mark.parametrize("mode", ["saving", "dark"])
def test_in_a_mode_that_saves_a_state_lives_as_long_as_its_sensor_rests(
    rig: Rig, mode: str
) -> None:
    roof = {"interval_s": 60.0, "saving_interval_s": 600.0, "quantities": None}
    publisher = rig.open(told={"sensors": {"roof": roof}})
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))
    configs = rig.listen(CONFIG)

    def expires_after() -> int:
        return int(configs.heard[-1].json()["components"]["roof-temperature_c"]["expire_after"])

    wait_for(lambda: configs.heard and expires_after() == 180, "three intervals")
    publisher.announce("state", {"mode": {"name": mode}})
    wait_for(lambda: expires_after() == 1800, "three longer ones")
    publisher.announce("state", {"mode": {"name": "normal"}})
    wait_for(lambda: expires_after() == 180, "three intervals again")


def asked_for_again(rig: Rig, publisher: Any) -> list[bool]:
    """After each of the moments that Home Assistant has to heed a description, and once more."""
    found = []
    for _ in range(len(home_assistant.HEED_S) + 1):
        rig.clock.advance(max(home_assistant.HEED_S))
        found.append(publisher.wants_again())
    return found


def test_what_is_described_for_the_first_time_is_wanted_again(rig: Rig) -> None:
    publisher = rig.open()
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))
    first, second, _ = home_assistant.HEED_S

    assert publisher.due_in_s() == pytest.approx(first)
    assert not publisher.wants_again()
    rig.clock.advance(first)
    assert (publisher.wants_again(), publisher.wants_again()) == (True, False)
    assert publisher.due_in_s() <= 0, "not a second after the last time"
    rig.clock.advance(second - first)
    assert (publisher.wants_again(), publisher.wants_again()) == (True, False)
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.6))
    assert asked_for_again(rig, publisher) == [True, False, False, False]
    rig.say(publisher, rig.reading(Quantity.HUMIDITY_PERCENT, 55.0))
    assert asked_for_again(rig, publisher)[0]


@pytest.mark.parametrize("mode", ["saving", "dark"])
def test_what_was_said_is_wanted_again_when_its_sensor_begins_to_rest_and_when_it_ends(
    rig: Rig, mode: str
) -> None:
    """Home Assistant forgets the state of an entity that expires otherwise from now on."""
    publisher = rig.open()
    publisher.announce("state", {"mode": {"name": "normal"}})
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))
    asked_for_again(rig, publisher)

    for name, is_wanted in ((mode, True), ("dark", False), ("normal", True), ("exercise", False)):
        publisher.announce("state", {"mode": {"name": name}})
        assert asked_for_again(rig, publisher)[0] == is_wanted


@pytest.mark.parametrize("flag", [Flag.SUSPECT, Flag.BAD])
def test_what_is_not_believed_is_no_state_but_an_attribute_without_the_value(
    rig: Rig, flag: Flag
) -> None:
    heard = rig.listen(f"{BASE}/#")
    publisher = rig.open()
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))

    rig.say(
        publisher,
        rig.reading(Quantity.TEMPERATURE_C, 99.25, flag=flag, reason="step"),
        rig.reading(Quantity.HUMIDITY_PERCENT, 55.0),
    )

    quality = f"{BASE}/roof/temperature_c/quality"
    wait_for(
        lambda: last_said(heard, quality) == {"quality": flag.name.lower(), "reason": "step"},
        "the attributes",
    )
    assert not any(b"99.25" in each.payload for each in heard.heard)
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.6))
    wait_for(lambda: last_said(heard, quality) == {"quality": "good"}, "good again")


def test_a_sensor_that_is_private_now_is_taken_out_and_says_nothing_more(rig: Rig) -> None:
    told = {"sensors": {**TOLD["sensors"], "flat": {"interval_s": 60.0, "quantities": None}}}
    publisher = rig.open(told=told)
    configs = rig.listen(CONFIG)
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 19.0), sensor="flat")
    wait_for(
        lambda: configs.heard and "flat-temperature_c" in configs.heard[-1].json()["components"],
        "it is in",
    )

    publisher.announce("sensors", TOLD)

    wait_for(
        lambda: (
            configs.heard[-1].json()["components"]["flat-temperature_c"] == {"platform": "sensor"}
        ),
        "it is taken out",
    )
    sent = publisher.sent
    rig.clock.advance(2)
    flat = {1: Series("flat", "temperature_c")}
    publisher.publish(Batch("kb-1", flat, [rig.reading(Quantity.TEMPERATURE_C, 19.5, series=1)]))
    assert publisher.sent == sent


def test_what_was_described_before_a_restart_is_taken_out_after_it(rig: Rig) -> None:
    first = rig.open(told={"sensors": {name: {"interval_s": 60.0} for name in ("roof", "yard")}})
    rig.say(first, rig.reading(Quantity.TEMPERATURE_C, 21.5))
    rig.say(first, rig.reading(Quantity.TEMPERATURE_C, 21.5), sensor="yard")
    first.close()

    second = rig.open(told={"sensors": {"roof": {"interval_s": 30.0}}})

    def gone() -> bool:
        components = rig.config()["components"]
        return (
            components["yard-temperature_c"] == {"platform": "sensor"}
            and components["roof-temperature_c"].get("expire_after") == 90
        )

    wait_for(gone, "the yard is taken out, the roof is as it is now")
    second.close()
    rig.open(told={"sensors": {"roof": {"interval_s": 30.0}}})
    wait_for(lambda: "yard-temperature_c" not in rig.config()["components"], "and forgotten")


def test_a_restart_never_takes_out_even_for_a_moment_what_stays(rig: Rig) -> None:
    """Home Assistant would forget how people there have called it."""
    first = rig.open()
    rig.say(first, rig.reading(Quantity.TEMPERATURE_C, 21.5))
    first.close()
    configs = rig.listen(CONFIG)

    second = rig.open(told=None)
    wait_for(lambda: second._described is not None, "described before it was told of sensors")
    second.announce("sensors", TOLD)
    rig.say(second, rig.reading(Quantity.HUMIDITY_PERCENT, 55.0))

    wait_for(
        lambda: configs.heard and "roof-humidity_percent" in configs.heard[-1].json()["components"],
        "both",
    )
    for heard in configs.heard:
        assert len(heard.json()["components"]["roof-temperature_c"]) > 1


RUBBISH = [
    b"", b"{", b"[]", b'{"components":{"a":1}}', b"\xff", b'"x"', b"[" * 50_000,
    b'{"components":{"a":{"platform":["sensor"],"b":1}}}', b'{"components":[]}',
]  # fmt: skip


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_rubbish_on_the_topic_of_our_description_is_written_over(rig: Rig, rubbish: bytes) -> None:
    other = rig.listen("nothing")
    other._client.publish(CONFIG, rubbish, qos=1, retain=True).wait_for_publish(LIMIT_S)

    publisher = rig.open()
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))

    assert "roof-temperature_c" in rig.config()["components"]


def test_home_assistant_that_starts_again_is_told_everything_again(rig: Rig) -> None:
    publisher = rig.open()
    publisher.announce("state", STATE)
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))
    heard = rig.listen(f"{BASE}/#")
    configs = rig.listen(CONFIG)
    wait_for(lambda: configs.heard and last(heard, f"{BASE}/state"), "description and state")

    heard._client.publish("homeassistant/status", b"online", qos=1)

    wait_for(lambda: len(configs.heard) >= 2, "the description again")
    wait_for(lambda: not last(heard, f"{BASE}/state").is_retained, "the state again")
    rig.clock.advance(1)
    wait_for(lambda: publisher.due_in_s() <= 0, "it is due")
    assert publisher.wants_again()


def test_a_broker_that_does_not_let_us_listen_does_not_hinder_us(
    tmp_path: Path, stack: ExitStack
) -> None:
    acl = tmp_path / "acl"
    acl.write_text(
        "topic write kiezbox/1/kb-1/#\ntopic write homeassistant/device/kiezbox-kb-1/config\n"
    )
    rig = Rig(tmp_path, stack, f"allow_anonymous true\nacl_file {acl}")

    publisher = rig.open()
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))

    assert publisher.sent == 1


def test_a_broker_that_speaks_only_mqtt_3_will_do(rig: Rig, stack: ExitStack) -> None:
    amqtt = Amqtt()
    stack.callback(amqtt.close)
    states = Listener(amqtt.port, f"{BASE}/+/+", version=4)
    stack.callback(states.close)
    publisher = rig.open(port=amqtt.port)

    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))

    wait_for(lambda: [heard.json()["value"] for heard in states.heard] == [21.5], "the state")


def test_whoever_calls_online_again_and_again_costs_no_thread_each(rig: Rig) -> None:
    publisher = rig.open()
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))
    other = rig.listen(CONFIG)

    for _ in range(200):
        other._client.publish("homeassistant/status", b"online", qos=1)
    other._client.publish(CONFIG + "/end", b"end", qos=1).wait_for_publish(LIMIT_S)

    assert sum(thread.name == "home-assistant" for thread in threading.enumerate()) <= 1
    rig.say(publisher, rig.reading(Quantity.HUMIDITY_PERCENT, 55.0))
    assert "roof-humidity_percent" in rig.config()["components"]


def test_mode_grid_and_faults_are_entities_of_their_own(rig: Rig) -> None:
    heard = rig.listen(f"{BASE}/#")
    publisher = rig.open()
    publisher.announce("state", STATE)
    publisher.announce("faults", FAULT)

    wait_for(lambda: last(heard, f"{BASE}/state") and last(heard, f"{BASE}/faults"), "both")
    assert last_said(heard, f"{BASE}/state") == {"mode": "emergency", "state": "lost"}
    assert last_said(heard, f"{BASE}/faults") == {"open": "ON", "faults": ["nothing at 0x76"]}
    assert {"mode", "grid", "faults"} <= set(rig.config()["components"])
    late = rig.listen(f"{BASE}/state")
    wait_for(lambda: late.heard, "whoever comes later hears it too")


def test_beside_the_publisher_mqtt_it_has_a_client_id_of_its_own(rig: Rig) -> None:
    assert rig.open(up=False)._client_id() != "kb-1"


@pytest.mark.parametrize("prefix", ["", "/ha", "ha/", "a/#", "a+b", "a b"])
def test_a_prefix_that_is_no_topic_is_told_at_once(prefix: str) -> None:
    with pytest.raises(SettingsError):
        parse(home_assistant.Settings, {"host": "h", "prefix": prefix})


# --- by the documentation ----------------------------------------------------------------

#: Home Assistant's documentation, "Sensor", "Device class": the units each class takes, as far as
#: we use them; and developers' "Sensor entity", "Available state classes" per class.
UNITS = {
    "temperature": {"°C", "°F", "K"}, "humidity": {"%"}, "moisture": {"%"}, "battery": {"%"},
    "atmospheric_pressure": {"cbar", "bar", "hPa", "mmHg", "inHg", "kPa", "mbar", "Pa", "psi"},
    "pm1": {"µg/m³"}, "pm25": {"µg/m³"}, "pm10": {"µg/m³"}, "nitrogen_dioxide": {"µg/m³"},
    "ozone": {"µg/m³"}, "carbon_dioxide": {"ppm"}, "sound_pressure": {"dB", "dBA"},
    "illuminance": {"lx"}, "precipitation": {"cm", "in", "mm"},
    "distance": {"km", "m", "cm", "mm", "mi", "nmi", "yd", "in", "ft"},
    "voltage": {"V", "mV", "µV", "kV", "MV"}, "current": {"A", "mA"},
    "power": {"mW", "W", "kW", "MW", "GW", "TW"},
    "energy": {"J", "kJ", "MJ", "GJ", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh", "cal", "kcal"},
}  # fmt: skip
#: "energy" may only be total or total_increasing; "precipitation" any; the others measurement.
TOTALS = {"energy", "precipitation"}
PLACE = words.Place("kb-1", "Späti", "homeassistant")


def full_config() -> dict[str, Any]:
    components = words.of_the_box(PLACE)
    for quantity in Quantity:
        series = Series("roof", quantity.value)
        components[words.component_id(series)] = words.of_series(PLACE, series, 180)
    return words.description(PLACE, components, {"yard-co2_ppm": "sensor"})


@pytest.mark.parametrize("quantity", list(Quantity))
def test_each_quantitys_class_unit_and_state_class_go_together_by_the_documentation(
    quantity: Quantity,
) -> None:
    kind = words.CLASSES[quantity]

    if kind.device_class is not None:
        assert kind.unit in UNITS[kind.device_class]
    is_total = kind.device_class in TOTALS
    assert kind.state_class == ("total_increasing" if is_total else "measurement")


def test_the_description_has_what_the_documentation_requires() -> None:
    config = full_config()

    # "Device discovery payload": device and origin at the root, a platform for each component, a
    # unique_id for each entity; topics of [a-zA-Z0-9_-] ("Discovery topic").
    assert config["device"]["identifiers"] and config["origin"]["name"]
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", PLACE.config)
    whole = [each for each in config["components"].values() if len(each) > 1]
    assert all(each["platform"] in ("sensor", "binary_sensor") for each in whole)
    assert len({each["unique_id"] for each in whole}) == len(whole) == len(Quantity) + 3
    assert config["components"]["yard-co2_ppm"] == {"platform": "sensor"}
    # "options" of an enum go with no unit and no state class.
    mode = config["components"]["mode"]
    assert set(mode["options"]) == {each.value for each in Mode}
    assert not {"unit_of_measurement", "state_class"} & set(mode)


def test_the_description_of_a_large_box_fits_into_what_is_taken() -> None:
    components = words.of_the_box(PLACE)
    for number in range(20):
        for quantity in Quantity:
            series = Series(f"a_sensor_with_a_long_name_{number}", quantity.value)
            components[words.component_id(series)] = words.of_series(PLACE, series, 180)

    from kiezbox.publishers._connection import MOST_HEARD

    said = json.dumps(words.description(PLACE, components, {}), ensure_ascii=False)
    assert len(said.encode()) < 1.2 * MOST_HEARD


# --- in a real Home Assistant ------------------------------------------------------------


def home_assistant_python() -> str:
    """A Python (3.13 or later) with the packages homeassistant and paho-mqtt; 400 MB, so nobody
    gets it without asking: ``python3.13 -m venv .venv/home-assistant``, and in there ``pip install
    homeassistant paho-mqtt``.
    """
    own = Path(sys.prefix) / "home-assistant" / "bin" / "python"
    found = os.environ.get("KIEZBOX_TEST_HOME_ASSISTANT") or str(own)
    if not Path(found).exists():
        pytest.skip(
            "no Home Assistant here: python3.13 -m venv .venv/home-assistant;"
            " .venv/home-assistant/bin/pip install homeassistant paho-mqtt"
        )
    return found


class RealHomeAssistant:
    """Home Assistant's core with its MQTT integration, in a process of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "configuration.yaml").touch()
        script = Path(__file__).with_name("inside_home_assistant.py")
        self._process = subprocess.Popen(
            [home_assistant_python(), str(script), str(folder), str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        # It is stopped when it says nothing for a minute.
        self._watch = threading.Timer(60.0, self._process.kill)
        self._watch.start()
        assert self._line() == "ready"

    def _line(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "Home Assistant ended"
        return json.loads(line)

    def ask(self, what: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        return self._line()

    def state(self, entity: str) -> str | None:
        found = self.ask("states").get(entity)
        return None if found is None else str(found["state"])

    def close(self) -> None:
        self._watch.cancel()
        self._process.kill()
        self._process.wait(LIMIT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.mark.broker
def test_a_real_home_assistant_takes_all_of_it_without_a_warning_and_loses_what_is_gone(
    rig: Rig, tmp_path: Path, stack: ExitStack
) -> None:
    real = RealHomeAssistant(tmp_path / "ha", rig.broker.port)
    stack.callback(real.close)
    publisher = rig.open()
    publisher.announce("state", STATE)
    publisher.announce("faults", NO_FAULTS)
    rig.say(publisher, *(rig.reading(quantity, 20.0) for quantity in Quantity))

    # Every quantity is an entity of one device, with the value that was said.
    wait_for(lambda: len(real.ask("states")) >= len(Quantity) + 3, "all entities")
    ids = real.ask("registry")["entities"]
    entities = {quantity: ids[f"kiezbox_kb-1_roof-{quantity.value}"] for quantity in Quantity}

    def are_there() -> bool:
        # Nothing is kept on the broker, so each must be said while Home Assistant listens.
        rig.say(publisher, *(rig.reading(quantity, 42.5) for quantity in Quantity))
        states = real.ask("states")
        shown = {quantity: states[entity]["state"] for quantity, entity in entities.items()}
        rain = shown.pop(Quantity.RAIN_MM)
        return set(shown.values()) == {"42.5"} and float(rain or 0) > 42.5

    wait_for(are_there, "all states")
    assert [each["name"] for each in real.ask("registry")["devices"]] == ["Späti"]
    wait_for(lambda: real.state(ids["kiezbox_kb-1_mode"]) == "emergency", "the mode")
    assert real.state(ids["kiezbox_kb-1_grid"]) == "off"
    assert real.state(ids["kiezbox_kb-1_faults"]) == "off"

    # What is not believed changes no state, and says so.
    temperature = ids["kiezbox_kb-1_roof-temperature_c"]
    rig.say(
        publisher,
        rig.reading(Quantity.TEMPERATURE_C, 99.0, flag=Flag.SUSPECT, reason="step"),
        rig.reading(Quantity.HUMIDITY_PERCENT, 43.0),
    )
    wait_for(
        lambda: real.ask("states")[temperature]["attributes"].get("quality") == "suspect",
        "the attribute",
    )
    assert real.state(temperature) == "42.5"

    # The grid is waited for: neither on nor off. A fault is a problem.
    publisher.announce("state", {"mode": {"name": "normal"}, "grid": {"state": "bridging"}})
    publisher.announce("faults", FAULT)
    wait_for(lambda: real.state(ids["kiezbox_kb-1_grid"]) == "unknown", "the grid is unknown")
    wait_for(lambda: real.state(ids["kiezbox_kb-1_faults"]) == "on", "there is a fault")

    # Now private but for its pressure: the others leave Home Assistant's registry.
    publisher.announce(
        "sensors", {"sensors": {"roof": {"interval_s": 60.0, "quantities": ["pressure_hpa"]}}}
    )
    left = {"kiezbox_kb-1_roof-pressure_hpa"} | {
        f"kiezbox_kb-1_{name}" for name in ("mode", "grid", "faults")
    }
    wait_for(lambda: set(real.ask("registry")["entities"]) == left, "they are gone")

    # Unavailable when the box is.
    pressure = ids["kiezbox_kb-1_roof-pressure_hpa"]
    publisher.close()
    wait_for(lambda: real.state(pressure) == "unavailable", "the box is offline")
    # Of what was said to it; what it says of its own parts' order is not about us.
    ours = [line for line in real.ask("log") if "components." in line or "kiezbox" in line]
    assert ours == []


@pytest.mark.broker
def test_a_real_home_assistant_lets_a_state_expire_when_its_sensor_is_silent(
    rig: Rig, tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_assistant, "HEED_S", (0.2, 0.4))
    real = RealHomeAssistant(tmp_path / "ha", rig.broker.port)
    stack.callback(real.close)
    publisher = rig.open(told={"sensors": {"roof": {"interval_s": 0.9, "quantities": None}}})
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5))
    entity = "kiezbox_kb-1_roof-temperature_c"
    wait_for(lambda: entity in real.ask("registry")["entities"], "the entity")
    name = real.ask("registry")["entities"][entity]

    def is_there() -> bool:
        rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 22.5))
        return real.state(name) == "22.5"

    wait_for(is_there, "the state")

    wait_for(lambda: real.state(name) == "unavailable", "the state expires after three seconds")


@pytest.mark.broker
def test_a_real_home_assistant_keeps_the_state_of_a_sensor_that_begins_to_rest(
    rig: Rig, tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_assistant, "HEED_S", (0.2, 0.4))
    real = RealHomeAssistant(tmp_path / "ha", rig.broker.port)
    stack.callback(real.close)
    quick: dict[str, Any] = {"interval_s": 1.0, "quantities": None}
    told = {"sensors": {"roof": quick | {"saving_interval_s": 600.0}, "yard": quick}}
    publisher = rig.open(told=told)
    publisher.announce("state", {"mode": {"name": "normal"}})

    def states() -> set[str | None]:
        ids = real.ask("registry")["entities"]
        named = [ids.get(f"kiezbox_kb-1_{name}-temperature_c") for name in ("roof", "yard")]
        return {real.state(name) if name else None for name in named}

    def are_there() -> bool:
        for sensor in ("roof", "yard"):
            rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5), sensor=sensor)
        return states() == {"21.5"}

    wait_for(are_there, "both states")
    last_read = rig.reading(Quantity.TEMPERATURE_C, 21.5)
    configs = rig.listen(CONFIG)

    publisher.announce("state", {"mode": {"name": "saving"}})
    wait_for(lambda: len(configs.heard) >= 2, "the new description")
    rig.clock.advance(1)
    assert publisher.wants_again()
    # Until Home Assistant has heeded the description: three seconds of the yard's.
    wait_for(lambda: states() >= {"unavailable"}, "the yard's has expired")
    rig.say(publisher, last_read, sensor="roof")
    rig.say(publisher, rig.reading(Quantity.TEMPERATURE_C, 21.5), sensor="yard")
    wait_for(lambda: states() == {"21.5"}, "both again")

    wait_for(lambda: "unavailable" in states(), "the yard's has expired again")
    assert states() == {"21.5", "unavailable"}
