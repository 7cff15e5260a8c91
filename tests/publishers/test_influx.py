"""Readings in InfluxDB: the format by its documentation, the answers by its documentation, and a
real InfluxDB 1 where there is one.
"""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from broker import LIMIT_S, answers, free_port, wait_for
from contracts.receivers._influx import Point, parse_line, points
from contracts.test_publishers import SERIES, batch
from hypothesis import given
from hypothesis import strategies as some
from publishers.debian import program
from publishers.web import Asked, Said, WebServer

from kiezbox.clock import ManualClock
from kiezbox.errors import Refused, Rejected, SettingsError, Unreachable
from kiezbox.model import Batch, Flag, Reading, Series, serial_of
from kiezbox.publishers import influx
from kiezbox.settings import BoxSettings, parse


def open_influx(url: str, **settings: Any) -> influx.Influx:
    wanted = parse(influx.Settings, {"url": url, "bucket": "kiez"} | settings)
    box = parse(BoxSettings, {"id": "kb-1"})
    return influx.open(wanted, box, ManualClock(), threading.Event().set)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def served(stack: ExitStack, answer: Callable[[Asked], Said]) -> WebServer:
    web = WebServer(answer)
    stack.callback(web.close)
    return web


# --- the format --------------------------------------------------------------------------

#: InfluxData, "Line protocol reference" (InfluxDB v2), "Examples of special characters", "Data
#: types and format", "Duplicate points"; each with what it is made of.
VECTORS = [
    (r'my\ Measurement fieldKey="string value"', "my Measurement", [],
     [("fieldKey", "string value")]),
    (r'myMeasurement fieldKey="\"string\" within a string"', "myMeasurement", [],
     [("fieldKey", '"string" within a string')]),
    (r"myMeasurement,tag\ Key1=tag\ Value1,tag\ Key2=tag\ Value2 fieldKey=100.0", "myMeasurement",
     [("tag Key1", "tag Value1"), ("tag Key2", "tag Value2")], [("fieldKey", 100.0)]),
    ('myMeasurement,tagKey=🍭 fieldKey="Launch 🚀"', "myMeasurement", [("tagKey", "🍭")],
     [("fieldKey", "Launch 🚀")]),
    ("myMeasurement fieldKey=-1.234456e+78", "myMeasurement", [], [("fieldKey", -1.234456e78)]),
    ("myMeasurement fieldKey=12485903i", "myMeasurement", [], [("fieldKey", 12485903)]),
    ("myMeasurement fieldKey=-12485903i", "myMeasurement", [], [("fieldKey", -12485903)]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "measurement", "tags", "fields"), VECTORS)
def test_the_documentations_examples_are_written_as_there(
    line: str, measurement: str, tags: list[Any], fields: list[Any]
) -> None:
    assert f"{influx.point(measurement, tags)} {influx.fields_of(fields)}" == line
    assert parse_line(line) == Point(measurement, dict(tags), dict(fields), None)


NAMES = some.text(some.characters(blacklist_characters="\\\n", blacklist_categories=["Cs", "Cc"]),
                  min_size=1).filter(lambda name: name[0] not in "_#")  # fmt: skip
TEXTS = some.text(some.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]))
VALUES = some.one_of(
    some.floats(allow_nan=False, allow_infinity=False), some.integers(-(2**63), 2**63 - 1), TEXTS
)


@given(NAMES, some.dictionaries(NAMES, NAMES), some.dictionaries(NAMES, VALUES, min_size=1))
def test_whatever_is_in_a_name_or_a_text_a_reader_of_the_documentation_finds_it(
    measurement: str, tags: dict[str, str], fields: dict[str, Any]
) -> None:
    line = f"{influx.point(measurement, [*tags.items()])} {influx.fields_of([*fields.items()])}"

    assert parse_line(line) == Point(measurement, tags, fields, None)


def reading(**changed: Any) -> Reading:
    return Reading(serial_of(3, 7), 1, 1_780_000_000_123, 60_000, 21.5)._replace(**changed)


def packed(*rows: Reading) -> list[Point]:
    return points(influx.pack(Batch("kb-1", SERIES, rows)))


def test_a_reading_is_a_point_with_its_own_time_and_its_serial() -> None:
    line = influx.pack(Batch("kb-1", SERIES, [reading()]))

    assert line == (
        b"temperature_c,box=kb-1,sensor=roof value=21.5,serial=206158430215i 1780000000123\n"
    )


def test_what_is_flagged_stands_under_another_name_with_its_reason() -> None:
    good, suspect, bad = packed(
        reading(), reading(flag=Flag.SUSPECT, reason='a "jump",\nso'), reading(flag=Flag.BAD)
    )

    assert [point.measurement for point in (good, suspect, bad)] == [
        "temperature_c", "temperature_c_suspect", "temperature_c_bad",
    ]  # fmt: skip
    assert "reason" not in good.fields
    assert suspect.fields["reason"] == 'a "jump", so'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_a_bad_reading_without_a_value(value: float) -> None:
    (point,) = packed(reading(value=value, raw=value))

    assert point.measurement == "temperature_c_bad"
    assert point.fields == {
        "text": str(value), "serial": serial_of(3, 7), "reason": "not a number",
    }  # fmt: skip


def test_a_whole_number_is_still_a_float_or_the_column_would_be_of_another_kind() -> None:
    (point,) = packed(reading(value=20))

    assert (
        influx.pack(Batch("kb-1", SERIES, [reading(value=20)]))
        .split()[1]
        .startswith(b"value=20.0,")
    )
    assert isinstance(point.fields["value"], float)


def test_what_an_unset_clock_stamped_says_so() -> None:
    (point,) = packed(reading(clock_trusted=0, raw=20.5))

    assert point.fields["clock"] == "untrusted"
    assert (point.fields["up_ms"], point.fields["raw"]) == (60_000, 20.5)


# --- the requests ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "target", "login"),
    [
        ({"org": "mein kiez", "token_file": True},
         "/api/v2/write?org=mein+kiez&bucket=kiez&precision=ms", "Token secret"),
        ({"api": "v1"}, "/write?db=kiez&precision=ms", None),
        ({"api": "v1", "bucket": "kiez/year", "username": "kb-1", "token_file": True},
         "/write?db=kiez&rp=year&precision=ms",
         "Basic " + base64.b64encode(b"kb-1:secret").decode()),
    ],
    ids=["v2", "v1", "v1 with login"],
)  # fmt: skip
def test_each_api_is_asked_as_its_reference_says(
    stack: ExitStack, tmp_path: Path, settings: dict[str, Any], target: str, login: str | None
) -> None:
    web = served(stack, lambda asked: Said(204))
    (tmp_path / "token").write_text("secret\n")
    if settings.get("token_file"):
        settings = settings | {"token_file": str(tmp_path / "token")}

    open_influx(web.url, **settings).publish(batch(1, 3))

    (asked,) = web.asked
    assert (asked.target, asked.headers.get("authorization")) == (target, login)
    assert asked.headers["content-encoding"] == "gzip"
    assert len(points(asked.body)) == 3


@pytest.mark.parametrize(
    "wrong",
    [{"url": "influx.example.org"}, {"url": "https://u:p@h"}, {"url": "https://h/?db=x"},
     {"api": "v3"}, {"username": "me"}, {"api": "v1", "username": "me"}],
)  # fmt: skip
def test_settings_that_cannot_work_are_told_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        open_influx("https://influx.example.org", **wrong) if "url" not in wrong else open_influx(
            **wrong
        )


def test_a_missing_token_is_refused_before_anything_is_sent(stack: ExitStack) -> None:
    web = served(stack, lambda asked: Said(204))
    publisher = open_influx(web.url, token_file="/no/such/token")

    with pytest.raises(Refused, match="token_file"):
        publisher.publish(batch(1, 1))

    assert web.asked == []


#: Bodies as InfluxDB words them: 1.8 (services/httpd, tsdb/store), 2.7 (kit/platform/errors).
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"code": "unauthorized", "message": "unauthorized access"}, Refused),
        (403, {"error": "\"kb-1\" user is not authorized to write to database \"kiez\""}, Refused),
        (404, {"error": "database not found: \"kiez\""}, Refused),
        (404, {"code": "not found", "message": "bucket \"kiez\" not found"}, Refused),
        (429, {"code": "too many requests", "message": "rate limit exceeded"}, Unreachable),
        (500, {"error": "timeout"}, Unreachable),
        (503, {"code": "unavailable", "message": "service unavailable"}, Unreachable),
    ],
)  # fmt: skip
def test_an_answer_about_us_or_the_server_leaves_all_readings_waiting(
    stack: ExitStack, status: int, body: dict[str, str], error: type[Exception]
) -> None:
    web = served(stack, lambda asked: Said(status, json.dumps(body).encode()))

    with pytest.raises(error) as caught:
        open_influx(web.url).publish(batch(1, 10))

    assert type(caught.value) is error
    assert caught.value.confirmed == 0 and caught.value.hint  # type: ignore[attr-defined]
    assert len(web.asked) == 1


class Choosy:
    """A server that takes everything but the readings with these values."""

    def __init__(self, *bad: float, said: Said) -> None:
        self.bad, self.said = set(bad), said
        self.kept: dict[int, float] = {}

    def __call__(self, asked: Asked) -> Said:
        came = {point.fields["serial"]: point.fields["value"] for point in points(asked.body)}
        # As 1.x and clustered 3 do: a partial write keeps what is good.
        self.kept |= {serial: value for serial, value in came.items() if value not in self.bad}
        return self.said if self.bad & set(came.values()) else Said(204)


CONFLICT = (
    b'{"error":"partial write: field type conflict: input field \\"value\\" on measurement'
    b' \\"temperature_c\\" is type float, already exists as type integer dropped=1"}'
)


@pytest.mark.parametrize("status", [400, 422])
def test_one_reading_that_is_not_taken_is_found_and_named_and_the_others_are_there(
    stack: ExitStack, status: int
) -> None:
    server = Choosy(25.0, said=Said(status, CONFLICT))
    web = served(stack, server)
    publisher = open_influx(web.url)
    sent = batch(1, 16)

    with pytest.raises(Rejected) as caught:
        publisher.publish(sent)
    assert caught.value.confirmed == 5, "20.0 is the first, 25.0 the sixth"
    assert "field type conflict" in str(caught.value)
    publisher.publish(Batch(sent.box, sent.series, sent.readings[6:]))

    assert sorted(server.kept.values()) == [20.0 + n for n in range(16) if n != 5]
    assert len(web.asked) < 16, "in halves, not one by one"
    assert publisher.link() == "connected"


def test_a_batch_that_is_too_large_goes_in_halves_and_the_next_is_smaller(
    stack: ExitStack,
) -> None:
    kept: list[Point] = []

    def answer(asked: Asked) -> Said:
        came = points(asked.body)
        if len(came) > 300:
            return Said(413, b'{"error":"Request Entity Too Large"}')
        kept.extend(came)
        return Said(204)

    publisher = open_influx(served(stack, answer).url)

    publisher.publish(batch(1, 1000))

    assert [point.fields["serial"] for point in kept] == [serial_of(3, n) for n in range(1, 1001)]
    assert publisher.window <= 300


def test_a_link_that_breaks_in_the_middle_tells_how_far_it_came(stack: ExitStack) -> None:
    calls = []

    def answer(asked: Asked) -> Said:
        calls.append(len(points(asked.body)))
        return [Said(413), Said(204), Said(503)][len(calls) - 1]

    publisher = open_influx(served(stack, answer).url)

    with pytest.raises(Unreachable) as caught:
        publisher.publish(batch(1, 10))

    assert (calls, caught.value.confirmed) == ([10, 5, 5], 5)


@pytest.mark.parametrize(
    "body",
    [b'{"error":"partial write: points beyond retention policy dropped=3"}',
     b'{"code":"unprocessable entity","message":"failure writing points to database: partial write:'
     b' points beyond retention policy dropped=3"}'],
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 422])
def test_what_is_older_than_the_bucket_keeps_does_not_hold_up_the_rest(
    stack: ExitStack, status: int, body: bytes
) -> None:
    publisher = open_influx(served(stack, lambda asked: Said(status, body)).url)

    publisher.publish(batch(1, 3))


# --- a real one --------------------------------------------------------------------------


class InfluxDb:
    """InfluxDB 1 (Debian's package influxdb), on loopback."""

    def __init__(self, folder: Path, *, login: bool = False) -> None:
        self.port = free_port()
        settings = folder / "influxdb.conf"
        settings.write_text(
            f"""reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{self.port}"
auth-enabled = {str(login).lower()}
log-enabled = false
max-body-size = 3000
"""
        )
        self._process = subprocess.Popen(
            [program("influxd", "influxdb"), "run", "-config", str(settings)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
        self.login = ""
        wait_for(lambda: answers(self.port), "InfluxDB answers")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str) -> list[list[Any]]:
        body = urllib.parse.urlencode({"db": "kiez", "epoch": "ms", "q": query}).encode()
        request = urllib.request.Request(f"{self.url}/query", data=body)
        if self.login:
            request.add_header("Authorization", f"Basic {self.login}")
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            (result,) = json.load(answer)["results"]
        assert "error" not in result, result
        return [row for series in result.get("series", []) for row in series["values"]]

    def close(self) -> None:
        self._process.kill()
        self._process.wait(LIMIT_S)


@pytest.fixture
def database(stack: ExitStack, tmp_path: Path) -> InfluxDb:
    one = InfluxDb(tmp_path)
    stack.callback(one.close)
    one.ask("CREATE DATABASE kiez")
    return one


def v1(database: InfluxDb, **settings: Any) -> influx.Influx:
    return open_influx(database.url, api="v1", **settings)


def test_a_real_influxdb_has_each_reading_once_at_its_own_time(database: InfluxDb) -> None:
    publisher, sent = v1(database), batch(1, 100)

    publisher.publish(sent)
    publisher.publish(sent)

    rows = database.ask(
        "SELECT value, serial FROM temperature_c WHERE box='kb-1' AND sensor='roof'"
    )
    assert rows == [[row[2], row[4], row[0]] for row in sent.readings]


def test_a_real_influxdb_tells_good_from_flagged(database: InfluxDb) -> None:
    publisher = v1(database)
    rows = [reading(), reading(serial=serial_of(3, 8), flag=Flag.SUSPECT, reason='a "jump", so'),
            reading(serial=serial_of(3, 9), value=float("nan"))]  # fmt: skip

    publisher.publish(Batch("kb-1", SERIES, rows))

    assert database.ask("SELECT count(value) FROM temperature_c") == [[0, 1]]
    assert database.ask("SELECT value, reason FROM temperature_c_suspect") == [
        [1_780_000_000_123, 21.5, 'a "jump", so']
    ]
    assert database.ask("SELECT text FROM temperature_c_bad") == [[1_780_000_000_123, "nan"]]


def test_a_real_influxdb_that_takes_only_little_at_once_gets_all(database: InfluxDb) -> None:
    publisher = v1(database)

    publisher.publish(batch(1, 1000))

    assert database.ask("SELECT count(value) FROM temperature_c") == [[0, 1000]]
    assert publisher.window < 1000


def test_a_real_influxdb_without_the_database_refuses_until_it_is_made(database: InfluxDb) -> None:
    publisher = v1(database, bucket="later")
    with pytest.raises(Refused, match="database not found"):
        publisher.publish(batch(1, 1))
    assert publisher.link() == "refused"

    database.ask("CREATE DATABASE later")
    publisher.publish(batch(1, 1))

    assert publisher.link() == "connected"


def test_a_real_influxdb_where_a_column_is_of_another_kind_takes_the_other_columns(
    database: InfluxDb,
) -> None:
    foreign = urllib.request.Request(
        f"{database.url}/write?db=kiez", data=b"humidity_percent value=1i 1780000000000000000"
    )
    urllib.request.urlopen(foreign, timeout=LIMIT_S).close()
    series = {1: Series("roof", "temperature_c"), 2: Series("roof", "humidity_percent")}
    rows = [reading(serial=serial_of(3, n), series=1 + n % 2, taken_ms=1_780_000_000_000 + n)
            for n in range(8)]  # fmt: skip

    with pytest.raises(Rejected, match="field type conflict") as caught:
        v1(database).publish(Batch("kb-1", series, rows))

    assert caught.value.confirmed == 1
    assert database.ask("SELECT count(value) FROM temperature_c")[0][1] >= 1


def test_a_real_influxdb_drops_what_is_too_old_and_takes_the_rest(database: InfluxDb) -> None:
    database.ask("CREATE RETENTION POLICY hour ON kiez DURATION 1h REPLICATION 1 DEFAULT")
    now_ms = int(time.time() * 1000)
    rows = [reading(serial=serial_of(3, 1), taken_ms=now_ms - 86_400_000),
            reading(serial=serial_of(3, 2), taken_ms=now_ms)]  # fmt: skip

    v1(database).publish(Batch("kb-1", SERIES, rows))

    assert [row[0] for row in database.ask("SELECT value FROM temperature_c")] == [now_ms]


def test_a_real_influxdb_with_users_wants_the_right_password(
    stack: ExitStack, tmp_path: Path
) -> None:
    database = InfluxDb(tmp_path, login=True)
    stack.callback(database.close)
    database.ask("CREATE USER root WITH PASSWORD 'root' WITH ALL PRIVILEGES")
    database.login = base64.b64encode(b"root:root").decode()
    database.ask("CREATE DATABASE kiez")
    database.ask("CREATE USER box WITH PASSWORD 'right'")
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    publisher = v1(database, username="box", token_file=str(secret))

    with pytest.raises(Refused, match="401"):
        publisher.publish(batch(1, 1))
    secret.write_text("right\n")
    with pytest.raises(Refused, match="403"):
        publisher.publish(batch(1, 1))
    database.ask("GRANT WRITE ON kiez TO box")
    publisher.publish(batch(1, 1))

    assert publisher.link() == "connected"
