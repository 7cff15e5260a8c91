"""The box's present values for Prometheus: judged by its own Python parser, by promtool, and by a
real Prometheus that asks for them.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from broker import LIMIT_S, answers, free_port, wait_for
from prometheus_client.parser import text_string_to_metric_families
from publishers.debian import program

from kiezbox.clock import ManualClock
from kiezbox.errors import Unreachable
from kiezbox.model import Batch, Flag, Quantity, Reading, Series, serial_of
from kiezbox.publishers import _listener, prometheus
from kiezbox.settings import BoxSettings, parse

#: A value of each quantity, and what it is in Prometheus' base units ("Metric and label naming",
#: "Base units": celsius, metres, grams, joules, volts, amperes, ratios of 0 to 1), by hand.
WORLD = {
    Quantity.TEMPERATURE_C: (-3.25, "kiezbox_temperature_celsius", -3.25),
    Quantity.HUMIDITY_PERCENT: (57.5, "kiezbox_humidity_ratio", 0.575),
    Quantity.PRESSURE_HPA: (1013.25, "kiezbox_pressure_pascals", 101325),
    Quantity.PM1_UG_M3: (4.0, "kiezbox_pm1_grams_per_cubic_meter", 4e-6),
    Quantity.PM2_5_UG_M3: (12.5, "kiezbox_pm2_5_grams_per_cubic_meter", 1.25e-5),
    Quantity.PM4_UG_M3: (13.0, "kiezbox_pm4_grams_per_cubic_meter", 1.3e-5),
    Quantity.PM10_UG_M3: (20.0, "kiezbox_pm10_grams_per_cubic_meter", 2e-5),
    Quantity.NO2_UG_M3: (40.0, "kiezbox_no2_grams_per_cubic_meter", 4e-5),
    Quantity.O3_UG_M3: (120.0, "kiezbox_o3_grams_per_cubic_meter", 1.2e-4),
    Quantity.CO2_PPM: (421.0, "kiezbox_co2_ratio", 4.21e-4),
    Quantity.GAS_RESISTANCE_OHM: (51000.0, "kiezbox_gas_resistance_ohms", 51000),
    Quantity.VOC_INDEX: (100.0, "kiezbox_voc_index", 100),
    Quantity.NOX_INDEX: (1.0, "kiezbox_nox_index", 1),
    Quantity.LAEQ_DB: (54.3, "kiezbox_laeq_decibels", 54.3),
    Quantity.ILLUMINANCE_LX: (1200.0, "kiezbox_illuminance_lux", 1200),
    Quantity.RAIN_MM: (0.2, "kiezbox_rain_meters_total", 2e-4),
    Quantity.WATER_LEVEL_M: (1.75, "kiezbox_water_level_meters", 1.75),
    Quantity.MOISTURE_PERCENT: (14.0, "kiezbox_moisture_ratio", 0.14),
    Quantity.VOLTAGE_V: (12.6, "kiezbox_voltage_volts", 12.6),
    Quantity.CURRENT_A: (-0.5, "kiezbox_current_amperes", -0.5),
    Quantity.POWER_W: (6.3, "kiezbox_power_watts", 6.3),
    Quantity.ENERGY_WH: (2.0, "kiezbox_energy_today_joules", 7200),
    Quantity.CHARGE_PERCENT: (80.0, "kiezbox_charge_ratio", 0.8),
    Quantity.SATELLITES: (9.0, "kiezbox_satellites", 9),
}
NUMBER = {quantity: number for number, quantity in enumerate(Quantity, 1)}
SERIES = {NUMBER[quantity]: Series("roof", quantity.value) for quantity in Quantity}


class Bench:
    def __init__(self, stack: ExitStack, **settings: Any) -> None:
        self.clock = ManualClock()
        self.woken = threading.Event()
        self.port = free_port()
        self._counter = 0
        wanted = parse(prometheus.Settings, {"port": self.port} | settings)
        box = parse(BoxSettings, {"id": "kb-1"})
        self.publisher = prometheus.open(wanted, box, self.clock, self.woken.set)
        stack.callback(self.publisher.close)

    def reading(self, quantity: Quantity, value: float, **changed: Any) -> Reading:
        self._counter += 1
        taken_ms = int(self.clock.now() * 1000)
        row = Reading(
            serial_of(3, self._counter), NUMBER[quantity], taken_ms, 0, value, None, 0, "", 1
        )
        return row._replace(**changed)

    def hand_over(self, *rows: Reading) -> None:
        self.clock.advance(max(0.0, self.publisher.due_in_s()))
        self.publisher.publish(Batch("kb-1", SERIES, rows))

    def text(self) -> str:
        status, _, body = self.get("/metrics")
        assert status == 200
        return body.decode()

    def get(self, target: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        try:
            connection.request(method, target)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def samples(self) -> dict[str, float]:
        """Per metric, the value of the only sample; the times left out."""
        found = {}
        for family in text_string_to_metric_families(self.text()):
            if family.name != "kiezbox_reading_timestamp_seconds":
                (sample,) = family.samples
                found[sample.name] = sample.value
        return found


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def bench(stack: ExitStack) -> Bench:
    return Bench(stack)


def everything(bench: Bench) -> list[Reading]:
    return [bench.reading(quantity, value) for quantity, (value, _, _) in WORLD.items()]


def test_every_quantity_has_a_name_and_its_value_in_base_units(bench: Bench) -> None:
    assert set(WORLD) == set(Quantity) == set(prometheus.NAMES)

    bench.hand_over(*everything(bench))

    wanted = {metric: value for _, metric, value in WORLD.values()}
    assert bench.samples() == pytest.approx(wanted)


def test_labels_say_box_and_sensor_and_the_time_is_a_value_of_its_own(bench: Bench) -> None:
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))

    lines = bench.text().splitlines()
    assert 'kiezbox_temperature_celsius{box="kb-1",sensor="roof"} 21.5' in lines
    assert (
        'kiezbox_reading_timestamp_seconds{box="kb-1",sensor="roof",quantity="temperature_c"}'
        " 1780000000" in lines
    )


def test_a_value_is_shown_with_the_digits_it_has(bench: Bench) -> None:
    bench.hand_over(bench.reading(Quantity.PRESSURE_HPA, 1007.999))

    assert (
        'kiezbox_pressure_pascals{box="kb-1",sensor="roof"} 100799.9' in bench.text().splitlines()
    )


def test_promtool_has_nothing_to_say_against_it(bench: Bench) -> None:
    promtool = program("promtool", "prometheus")
    bench.hand_over(*everything(bench))

    done = subprocess.run(
        [promtool, "check", "metrics"], input=bench.text(), capture_output=True, text=True,
        timeout=LIMIT_S,
    )  # fmt: skip

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("flag", [Flag.SUSPECT, Flag.BAD])
def test_what_is_not_believed_is_not_shown_and_the_good_one_before_stays(
    bench: Bench, flag: Flag
) -> None:
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 26.5, flag=flag, reason="reset"))
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, float("nan")))

    assert bench.samples() == {"kiezbox_temperature_celsius": 21.5}


def test_a_value_lives_for_two_and_a_half_intervals_of_its_sensor(bench: Bench) -> None:
    bench.publisher.announce("sensors", {"sensors": {"roof": {"interval_s": 20.0}}})
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))

    bench.clock.advance(49)
    assert bench.samples() == {"kiezbox_temperature_celsius": 21.5}
    bench.clock.advance(2)
    assert bench.text() == ""


def test_in_mode_saving_a_value_lives_as_long_as_its_sensor_rests(bench: Bench) -> None:
    roof = {"interval_s": 60.0, "saving_interval_s": 600.0, "quantities": None}
    bench.publisher.announce("sensors", {"sensors": {"roof": roof}})
    bench.publisher.announce("state", {"mode": {"name": "saving"}})
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))

    bench.clock.advance(1499)
    assert bench.samples() == {"kiezbox_temperature_celsius": 21.5}
    bench.publisher.announce("state", {"mode": {"name": "normal"}})
    assert bench.text() == ""


def test_a_clock_that_is_set_while_a_value_is_shown_makes_it_neither_old_nor_young(
    bench: Bench,
) -> None:
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))

    bench.clock._now += 86_400
    assert bench.samples() == {"kiezbox_temperature_celsius": 21.5}
    bench.clock._now -= 2 * 86_400
    bench.clock.advance(151)

    assert bench.text() == ""


def test_a_sensor_that_became_private_is_gone_with_the_next_question(bench: Bench) -> None:
    told = {"roof": {"interval_s": 60.0}}
    bench.publisher.announce("sensors", {"sensors": told})
    bench.hand_over(*everything(bench))
    assert len(bench.samples()) == len(WORLD)

    bench.publisher.announce(
        "sensors", {"sensors": {"roof": {"interval_s": 60.0, "quantities": ["pressure_hpa"]}}}
    )
    assert list(bench.samples()) == ["kiezbox_pressure_pascals"]
    bench.publisher.announce("sensors", {"sensors": {}})

    assert bench.text() == ""


def test_rain_is_a_counter_that_counts_each_reading_once(bench: Bench) -> None:
    first, second = bench.reading(Quantity.RAIN_MM, 0.25), bench.reading(Quantity.RAIN_MM, 0.5)
    wet = bench.reading(Quantity.RAIN_MM, 9.0, flag=Flag.SUSPECT, reason="step")

    bench.hand_over(first)
    bench.hand_over(first, second, wet)
    bench.hand_over(second)

    assert bench.samples() == {"kiezbox_rain_meters_total": 0.75e-3}


def test_only_the_page_with_the_readings_is_there_and_only_to_be_read(bench: Bench) -> None:
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))

    status, headers, body = bench.get("/metrics?name[]=x")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert body
    assert bench.get("/")[0] == 404
    assert bench.get("/metrics", "POST")[0] == 405
    head = bench.get("/metrics", "HEAD")
    assert (head[0], head[1]["Content-Length"], head[2]) == (200, str(len(body)), b"")


# --- the port ----------------------------------------------------------------------------


def test_a_port_that_is_taken_is_unreachable_until_it_is_free(stack: ExitStack) -> None:
    other = socket.create_server(("127.0.0.1", 0))
    stack.callback(other.close)
    bench = Bench(stack, port=other.getsockname()[1])
    bench.port = other.getsockname()[1]

    with pytest.raises(Unreachable, match="in use") as caught:
        bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))
    assert caught.value.hint and bench.publisher.link() == "waiting"
    other.close()
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))

    assert bench.samples() == {"kiezbox_temperature_celsius": 21.5}


def test_by_itself_it_listens_on_this_machine_alone(bench: Bench) -> None:
    listening = bench.publisher._listener
    assert listening is not None
    assert listening._socket.getsockname() == ("127.0.0.1", bench.port)


def test_nobody_who_asks_is_a_lost_link_and_whoever_asks_wakes_the_worker(bench: Bench) -> None:
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))
    bench.clock.advance(301)

    with pytest.raises(Unreachable, match="nobody asks"):
        bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))
    assert bench.publisher.link() == "waiting" and not bench.woken.is_set()
    bench.text()

    assert bench.woken.is_set()
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 22.5))
    assert bench.publisher.link() == "connected"
    assert bench.samples() == {"kiezbox_temperature_celsius": 22.5}


def test_clients_that_send_nothing_or_drip_do_not_keep_the_page_from_others(
    stack: ExitStack, bench: Bench
) -> None:
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))
    silent = [socket.create_connection(("127.0.0.1", bench.port), 5) for _ in range(40)]
    for one in silent:
        stack.callback(one.close)
        one.sendall(b"GET /metrics HT")

    assert bench.samples() == {"kiezbox_temperature_celsius": 21.5}
    listening = bench.publisher._listener
    assert listening is not None
    wait_for(lambda: len(listening._open) <= _listener.MOST, "the oldest had to go")


@pytest.mark.parametrize(
    "said", [b"\r\n\r\n", b"GET /metrics\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n", b"A" * 20_000]
)
def test_what_is_no_request_is_answered_or_cut_and_never_a_surprise(
    bench: Bench, said: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", bench.port), 5) as one:
        one.settimeout(LIMIT_S)
        one.sendall(said)
        try:
            answer = one.recv(4096)
        except ConnectionResetError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert bench.get("/metrics")[0] == 200


def test_closing_frees_the_port_and_leaves_no_thread(stack: ExitStack) -> None:
    before = set(threading.enumerate())
    bench = Bench(stack)
    held = socket.create_connection(("127.0.0.1", bench.port), 5)
    stack.callback(held.close)

    bench.publisher.close()

    socket.create_server(("127.0.0.1", bench.port)).close()
    wait_for(lambda: set(threading.enumerate()) <= before, "the threads are gone")


# --- a real one --------------------------------------------------------------------------


class Server:
    """A real Prometheus (Debian's package) that asks every half second."""

    def __init__(self, folder: Path, target: int) -> None:
        binary = program("prometheus", "prometheus")
        self.port = free_port()
        (folder / "prometheus.yml").write_text(
            "scrape_configs:\n- job_name: kiezbox\n  scrape_interval: 500ms\n"
            f"  scrape_timeout: 500ms\n  static_configs:\n  - targets: ['127.0.0.1:{target}']\n"
        )
        self._process = subprocess.Popen(
            [binary, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
        wait_for(lambda: answers(self.port), "Prometheus answers")

    def value(self, query: str) -> float | None:
        asked = urllib.parse.urlencode({"query": query})
        url = f"http://127.0.0.1:{self.port}/api/v1/query?{asked}"
        try:
            with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError:
            return None
        return float(result[0]["value"][1]) if result else None

    def close(self) -> None:
        self._process.kill()
        self._process.wait(LIMIT_S)


def test_a_real_prometheus_takes_it_and_sees_at_once_when_a_series_has_ended(
    stack: ExitStack, tmp_path: Path, bench: Bench
) -> None:
    bench.hand_over(bench.reading(Quantity.TEMPERATURE_C, 21.5))
    server = Server(tmp_path, bench.port)
    stack.callback(server.close)
    metric = 'kiezbox_temperature_celsius{box="kb-1",sensor="roof",job="kiezbox"}'
    wait_for(lambda: server.value(metric) == 21.5, "Prometheus has the value")
    assert server.value("up") == 1

    bench.clock.advance(151)
    began = time.monotonic()
    wait_for(lambda: server.value(metric) is None, "Prometheus sees that it has ended")

    # Without a staleness marker it would go on for five minutes.
    assert time.monotonic() - began < LIMIT_S
    assert server.value("up") == 1
