"""What openSenseMap is sent: every good mapped reading with its time, within their limits."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts.receivers.opensensemap import BOX, SENSORS, TOKEN, Receiver
from publishers.web import Asked, Said

from kiezbox.clock import ManualClock
from kiezbox.errors import PublishError, Refused, Rejected, SettingsError, Unreachable
from kiezbox.model import Batch, Flag, Reading, Series, serial_of
from kiezbox.publishers import opensensemap
from kiezbox.publishers.opensensemap import PACE_S, OpenSenseMap
from kiezbox.settings import BoxSettings, parse

ROOF = SENSORS["roof"]


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.side = Receiver(folder)
        #: When each request came, by our clock.
        self.times: list[float] = []
        self._take = self.side.server.answer
        self.side.server.answer = self._timed
        self._publisher: OpenSenseMap | None = None

    def _timed(self, asked: Asked) -> Said:
        self.times.append(self.clock.monotonic())
        return self._take(asked)

    def answer(self, *answers: Said) -> None:
        """These, and then as usual."""
        left = list(answers)

        def take(asked: Asked) -> Said:
            self.times.append(self.clock.monotonic())
            return left.pop(0) if left else self._take(asked)

        self.side.server.answer = take

    def open(self, **more: Any) -> OpenSenseMap:
        settings = parse(opensensemap.Settings, self.side.settings() | more)
        box = BoxSettings(id="kb-1")
        self._publisher = opensensemap.open(settings, box, self.clock, lambda: None)
        return self._publisher

    def batch(self, count: int, **more: Any) -> Batch:
        """So many of the roof, the last one now."""
        first_ms = int(self.clock.now() * 1000) - 60_000 * (count - 1)
        rows = [
            Reading(
                serial_of(3, number + 1), 1, first_ms + 60_000 * number, 0, 20.0 + number / 8
            )._replace(**more)
            for number in range(count)
        ]
        return Batch("kb-1", {1: Series("roof", "temperature_c")}, rows)

    def close(self) -> None:
        if self._publisher is not None:
            self._publisher.close()
        self.side.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()


def test_a_reading_is_an_object_with_sensor_value_and_time(rig: Rig) -> None:
    rig.open().publish(rig.batch(1))

    (asked,) = rig.side.server.asked
    # 1780000000 is 2026-05-28T20:26:40Z (date -ud @1780000000).
    assert json.loads(asked.body) == [
        {"sensor": ROOF, "value": "20", "createdAt": "2026-05-28T20:26:40.000Z"}
    ]
    assert asked.target == f"/boxes/{BOX}/data"
    assert asked.headers["content-type"] == "application/json"


def test_a_week_without_a_link_is_delivered_with_the_times_of_then(rig: Rig) -> None:
    publisher, week = rig.open(), rig.batch(10_080)

    publisher.publish(week)

    assert [taken_ms for _, taken_ms, _ in rig.side.taken] == [row[2] for row in week.readings]
    assert len(rig.side.server.asked) == 11


def test_requests_keep_well_below_fifteen_a_minute(rig: Rig) -> None:
    """Their issue 187: 15 POST a minute for all behind one address."""
    publisher = rig.open(batch=10)

    publisher.publish(rig.batch(200))

    gaps = [later - sooner for sooner, later in zip(rig.times, rig.times[1:], strict=False)]
    assert len(gaps) == 19 and min(gaps) >= PACE_S
    for at in rig.times:
        assert sum(at <= other < at + 60 for other in rig.times) <= 6


@pytest.mark.parametrize(
    "more",
    [
        {"flag": Flag.SUSPECT},
        {"flag": Flag.BAD},
        {"value": float("nan")},
        {"series": 2},
    ],
    ids=str,
)
def test_what_cannot_be_told_as_what_it_is_is_passed_over(rig: Rig, more: dict[str, Any]) -> None:
    batch = rig.batch(3, **more)
    batch = Batch(batch.box, {**batch.series, 2: Series("roof", "co2_ppm")}, batch.readings)

    rig.open().publish(batch)

    assert rig.side.server.asked == []


def test_what_was_taken_while_nobody_had_set_the_clock_waits_and_gets_its_right_time(
    rig: Rig,
) -> None:
    publisher = rig.open()
    right_ms = int(rig.clock.now() * 1000)
    batch = rig.batch(1, taken_ms=86_400_000, monotonic_ms=100_000, clock_trusted=0)
    rig.clock.trusted = False
    for _ in range(3):
        with pytest.raises(Unreachable, match="set the box's clock"):
            publisher.publish(batch)

    rig.clock.trusted = True
    rig.clock.advance(60)
    # It is the machine's 160th second now, so the 100th was a minute ago.
    publisher.announce("clock", {"boot": 3, "up": 160.0, "at": rig.clock.now()})
    publisher.publish(batch)

    assert rig.side.taken == [(ROOF, right_ms, 20.0)]


def test_what_waits_for_the_clock_keeps_nothing_back_that_came_before_it(rig: Rig) -> None:
    publisher = rig.open()
    batch = rig.batch(5)
    rows = [Reading(*row) for row in batch.readings]
    rows[3] = rows[3]._replace(clock_trusted=0)
    rig.clock.trusted = False

    with pytest.raises(Unreachable) as caught:
        publisher.publish(Batch(batch.box, batch.series, rows))

    assert caught.value.confirmed == 3 and len(rig.side.taken) == 3


def test_what_can_never_get_its_right_time_is_passed_over(rig: Rig) -> None:
    publisher = rig.open()
    publisher.announce("clock", {"boot": 4, "up": 160.0, "at": rig.clock.now()})

    publisher.publish(rig.batch(2, clock_trusted=0))

    assert rig.side.server.asked == []


def test_what_is_in_the_future_does_not_spoil_what_is_not(rig: Rig) -> None:
    batch = rig.batch(3)
    rows = [Reading(*row) for row in batch.readings]
    rows[1] = rows[1]._replace(taken_ms=rows[2].taken_ms + 3_600_000)

    rig.open().publish(Batch(batch.box, batch.series, rows))

    assert [value for _, _, value in rig.side.taken] == [20.0, 20.25]


def test_too_much_is_not_asked_again_for_a_minute(rig: Rig) -> None:
    publisher = rig.open()
    rig.answer(Said(429))
    with pytest.raises(Unreachable):
        publisher.publish(rig.batch(1))

    for _ in range(5):
        rig.clock.advance(4)
        with pytest.raises(Unreachable, match="got too much"):
            publisher.publish(rig.batch(1))
    assert len(rig.times) == 1
    rig.clock.advance(60)
    publisher.publish(rig.batch(1))

    assert len(rig.side.taken) == 1


def test_too_much_again_and_again_is_asked_ever_more_seldom_until_it_is_taken(rig: Rig) -> None:
    publisher = rig.open()
    rig.answer(*[Said(429)] * 6)
    began = rig.clock.monotonic()

    for _ in range(400):
        try:
            publisher.publish(rig.batch(1))
            break
        except Unreachable:
            rig.clock.advance(10)

    waited = [later - sooner for sooner, later in zip(rig.times, rig.times[1:], strict=False)]
    assert waited == [60, 120, 240, 480, 900, 900]
    assert rig.clock.monotonic() - began == sum(waited) and len(rig.side.taken) == 1


def test_too_much_with_a_time_is_waited_for_as_long_as_they_say(rig: Rig) -> None:
    publisher = rig.open()
    rig.answer(Said(429, headers=(("Retry-After", "300"),)))
    with pytest.raises(Unreachable):
        publisher.publish(rig.batch(1))

    rig.clock.advance(200)
    with pytest.raises(Unreachable):
        publisher.publish(rig.batch(1))
    assert len(rig.times) == 1
    rig.clock.advance(101)
    publisher.publish(rig.batch(1))

    assert len(rig.side.taken) == 1


def test_a_request_that_is_not_taken_comes_in_halves_down_to_the_one_that_is_meant(
    rig: Rig,
) -> None:
    publisher = rig.open()
    batch = rig.batch(8)
    bad = str(Reading(*batch.readings[5]).value)

    def take(asked: Asked) -> Said:
        if any(each["value"] == bad for each in json.loads(asked.body)):
            return Said(422, b'{"message":"invalid value"}')
        return rig._take(asked)

    rig.side.server.answer = take
    with pytest.raises(Rejected, match="invalid value") as caught:
        publisher.publish(batch)

    assert caught.value.confirmed == 5
    assert len(rig.side.taken) == 5


def test_after_good_requests_they_grow_again(rig: Rig) -> None:
    publisher = rig.open()
    rig.answer(Said(422), Said(422))
    publisher.publish(rig.batch(8))
    small = publisher.window

    for _ in range(100):
        publisher.publish(rig.batch(1))

    assert small < 8 and publisher.window > small


def test_a_wrong_token_calls_a_person(rig: Rig) -> None:
    (rig.folder / "opensensemap-token").write_text("wrong\n")
    publisher = rig.open()

    with pytest.raises(Refused, match="Box access token not valid") as caught:
        publisher.publish(rig.batch(1))

    assert "access token" in caught.value.hint and publisher.link() == "refused"


def test_the_token_may_be_a_credential_of_systemd_and_is_read_anew(rig: Rig) -> None:
    credential = rig.folder / "run" / "credentials"
    credential.mkdir(parents=True)
    publisher = rig.open(token_file=str(credential / "opensensemap"))
    with pytest.raises(Refused, match="cannot read token_file"):
        publisher.publish(rig.batch(1))

    (credential / "opensensemap").write_text(TOKEN)
    publisher.publish(rig.batch(1))

    assert len(rig.side.taken) == 1


def test_the_token_is_in_no_message_and_in_no_log(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    publisher = rig.open()
    for answer in (Said(201), Said(401), Said(404), Said(422), Said(429), Said(500), Said(302)):
        rig.answer(answer)
        rig.clock.advance(600)
        try:
            publisher.publish(rig.batch(1))
        except PublishError as error:
            assert TOKEN not in f"{error}{error.hint}"

    assert TOKEN not in caplog.text


def test_who_waits_for_its_turn_ends_when_it_is_told_to(rig: Rig) -> None:
    publisher = rig.open()
    publisher.publish(rig.batch(1))
    publisher.interrupt()

    with pytest.raises(Unreachable, match="closed"):
        publisher.publish(rig.batch(1))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"box_id": "musterplatz"}, "24 hex digits"),
        ({"sensors": {}}, "sensors is empty"),
        ({"sensors": {"roof": {"warmth": ROOF}}}, "is no quantity"),
        ({"sensors": {"roof": {"temperature_c": "one"}}}, "24 hex digits"),
        ({"sensors": {"roof": {"temperature_c": 7}}}, "24 hex digits"),
        ({"sensors": {"roof": {"temperature_c": ROOF, "co2_ppm": ROOF}}}, "the same sensor"),
    ],
)
def test_wrong_settings_are_said_with_what_is_right(table: dict[str, Any], words: str) -> None:
    right = {"box_id": BOX, "sensors": {"roof": {"temperature_c": ROOF}}}

    with pytest.raises(SettingsError, match=words):
        parse(opensensemap.Settings, right | table)
