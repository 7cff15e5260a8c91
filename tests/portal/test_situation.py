"""What a box knows, as GeoJSON that holds whatever now.json looks like."""

from __future__ import annotations

import json
from typing import Any

import pytest
from geojson_pydantic import FeatureCollection
from hypothesis import given, settings
from hypothesis import strategies as st
from street import NORMAL, NOW, now_json, outage, understood

from kiezbox.model import Flag, Quantity
from kiezbox.portal.bulletins import Bulletin
from kiezbox.situation import is_exercise, plain_text, understand
from kiezbox.situation.features import collection
from kiezbox.units import UNITS

SIGNED = Bulletin(
    "kb-zoo-1", 4, NOW - 600, NOW + 3600, "", issuer="Bezirk", standing="signed",
    data={"code": "water_open", "parameters": {"place": "Platz"}},
)  # fmt: skip
BULLETIN = Bulletin("kb-musterplatz-1", 3, NOW - 600, NOW + 3600, "Warmer Raum: Turnhalle")


def feature(document: Any, bulletins: Any = ()) -> dict[str, Any]:
    (only,) = collection(understood(document), bulletins)["features"]
    return only


def properties(document: Any, bulletins: Any = ()) -> dict[str, Any]:
    found: dict[str, Any] = feature(document, bulletins)["properties"]
    return found


def reading(name: str, document: Any) -> dict[str, Any]:
    sensor, quantity = name.split("/")
    (only,) = (
        each
        for each in properties(document)["readings"]
        if (each["sensor"], each["quantity"]) == (sensor, quantity)
    )
    return only


# Any JSON, NaN and Infinity included, which Python reads and writes too.
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=12), below, max_size=4)
    ),
    max_leaves=12,
)


def paths(table: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [above] if above else []
    if isinstance(table, dict):
        for key, value in table.items():
            found += paths(value, (*above, key))
    return found


PATHS = paths(outage(faults=[], mode__order={"mode": "exercise", "until": NOW + 60}))


def test_a_box_with_a_place_is_a_point_with_the_longitude_first() -> None:
    # RFC 7946, 3.1.1: longitude, latitude.
    assert feature(NORMAL)["geometry"] == {"type": "Point", "coordinates": [10.448, 51.163]}
    assert properties(NORMAL)["accuracy_m"] == 25.0


@pytest.mark.parametrize("missing", ["latitude", "longitude"])
def test_a_box_without_a_whole_place_gets_none_invented(missing: str) -> None:
    found = feature(now_json(**{f"box__{missing}": None}))

    assert found["geometry"] is None


@pytest.mark.parametrize("latitude", [91, -90.001, "51.163", True, float("nan"), [51]])
def test_a_place_off_the_globe_is_no_place(latitude: Any) -> None:
    document = now_json(box__latitude=latitude)

    assert feature(document)["geometry"] is None
    assert "box.latitude" in properties(document)["unreadable"]


def test_a_stranger_finds_the_collection_valid() -> None:
    document = collection(understood(outage()), [BULLETIN])

    found = FeatureCollection(**json.loads(json.dumps(document, allow_nan=False)))

    assert found.features[0].id == "kb-musterplatz-1"


def test_a_duty_officer_reads_what_where_since_when_and_how_old() -> None:
    found = properties(outage(hours=2))

    assert (found["box"], found["name"]) == ("kb-musterplatz-1", "Späti am Musterplatz")
    assert (found["mode"], found["since"]) == ("emergency", "2026-01-03T17:00:00Z")
    assert found["causes"] == [
        {"cause": "grid_lost", "since": "2026-01-03T17:00:00Z", "detail": "lost"}
    ]
    assert (found["state"], found["observed_at"]) == ("active", "2026-01-03T18:59:58Z")
    assert found["grid"]["state"] == "lost"
    assert (found["battery"]["hours_left_low"], found["battery"]["hours_left_high"]) == (8.4, 13.2)
    assert found["buffered"] == 49
    assert found["publishers"]["mqtt"]["confirmed_at"] == "2026-01-03T18:59:30Z"
    assert collection(understood(outage()), [])["served_at"] == "2026-01-03T19:00:00Z"


def test_facts_become_stale_after_thirty_seconds() -> None:
    states = [understand(NORMAL, now=NOW - 2 + age)["state"] for age in (0, 30, 30.1, 9e6)]

    assert states == ["active", "active", "stale", "stale"]


def test_facts_of_a_faster_clock_become_stale_as_much_later() -> None:
    age_s = 1000.0

    assert understand(NORMAL, now=NOW + age_s, speed=1.0)["state"] == "stale"
    assert understand(NORMAL, now=NOW + age_s, speed=60.0)["state"] == "active"


def test_facts_from_the_future_are_of_unknown_age() -> None:
    assert understand(NORMAL, now=NOW - 3600)["state"] == "unknown"


def test_a_good_reading_has_its_value_unit_and_moment() -> None:
    found = reading("roof/temperature_c", NORMAL)

    assert (found["value"], found["unit"], found["qc"]) == (-3.42, "°C", "good")
    assert found["observed_at"] == "2026-01-03T18:59:20Z"


@pytest.mark.parametrize(
    "name, qc", [("roof/humidity_percent", "suspect"), ("street/pm10_ug_m3", "bad")]
)
def test_a_flagged_reading_has_no_value_that_could_be_taken_for_good(name: str, qc: str) -> None:
    found = reading(name, NORMAL)

    assert (found["value"], found["qc"]) == (None, qc)
    assert found["flagged_value"] == NORMAL["latest"][name]["value"]
    assert found["reason"] == NORMAL["latest"][name]["reason"]


@pytest.mark.parametrize("flag", [None, 3, -1, True, "0", 0.0, [0]])
def test_a_reading_whose_flag_makes_no_sense_is_not_good(flag: Any) -> None:
    found = reading("roof/temperature_c", now_json(latest={"roof/temperature_c": {
        "value": 21.0, "flag": flag, "reason": "", "taken_at": NOW}}))  # fmt: skip

    assert (found["value"], found["qc"]) == (None, "unknown")


def test_every_flag_of_the_model_has_a_word() -> None:
    words = [
        reading("a/b", now_json(latest={"a/b": {
            "value": 1.0, "flag": int(flag), "reason": "", "taken_at": NOW}}))["qc"]
        for flag in Flag
    ]  # fmt: skip

    assert words == ["good", "suspect", "bad"]


@pytest.mark.parametrize("quantity", Quantity)
def test_every_quantity_has_its_unit(quantity: Quantity) -> None:
    name = f"roof/{quantity.value}"
    document = now_json(latest={name: {"value": 1.0, "flag": 0, "reason": "", "taken_at": NOW}})

    assert reading(name, document)["unit"] == UNITS[quantity].text


def test_bulletins_say_who_vouches_for_them() -> None:
    (found,) = properties(NORMAL, [BULLETIN])["bulletins"]

    assert (found["source"], found["verified"]) == ("operator of this box", False)
    (found,) = properties(NORMAL, [SIGNED])["bulletins"]
    assert (found["source"], found["verified"]) == ("Bezirk", False), "nobody knows if it is over"
    SIGNED.standing = "official"
    (found,) = properties(NORMAL, [SIGNED])["bulletins"]
    assert (found["source"], found["verified"]) == ("Bezirk", True)
    assert (found["code"], found["parameters"]) == ("water_open", {"place": "Platz"})


def test_a_bulletin_has_its_id_and_when_it_was_written() -> None:
    (found,) = properties(NORMAL, [BULLETIN])["bulletins"]

    assert (found["id"], found["written_at"]) == ("kb-musterplatz-1/3", "2026-01-03T18:50:00Z")


def test_bulletins_that_cannot_be_read_are_not_none_at_all() -> None:
    assert properties(NORMAL, None)["bulletins"] is None
    assert properties(NORMAL, [])["bulletins"] == []


def test_an_exercise_says_so() -> None:
    assert properties(now_json(mode__name="exercise", mode__is_exercise=True))["exercise"] is True
    assert properties(outage())["exercise"] is False


@pytest.mark.parametrize(
    "real",
    [
        {"mode__causes": [{"cause": "official_warning", "since": NOW, "detail": ""}]},
        {"grid__state": "lost"},
    ],
)
def test_what_is_real_is_never_called_an_exercise(real: dict[str, Any]) -> None:
    drill = {"mode__name": "exercise", "mode__is_exercise": True}

    assert is_exercise(understood(now_json(**drill)))
    assert not is_exercise(understood(now_json(**drill, **real)))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("bad", [["x"], "\ud800\u202e" * 99, float("nan"), {"a": []}, 10**400])
def test_one_bad_field_never_takes_the_rest_with_it(path: tuple[Any, ...], bad: Any) -> None:
    document = outage(mode__order={"mode": "exercise", "until": NOW + 60})
    sound = properties(document)
    table = document
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = bad

    found = properties(document)

    json.dumps(found, allow_nan=False).encode()
    touched = {"box": ("box", "name", "accuracy_m"), "written_at": ("state", "observed_at"),
               "mode": ("mode", "since", "causes", "wanted", "wanted_in_s", "order", "exercise"),
               "latest": ("readings",), "store": ("store", "buffered")}  # fmt: skip
    hit = {*touched.get(path[0], (path[0],)), "unreadable"}
    assert {k: v for k, v in found.items() if k not in hit} == {
        k: v for k, v in sound.items() if k not in hit
    }


@pytest.mark.parametrize("key", NORMAL)
def test_a_missing_field_is_named_and_the_rest_stands(key: str) -> None:
    document = {name: value for name, value in NORMAL.items() if name != key}

    assert key in properties(document)["unreadable"]


@pytest.mark.parametrize("document", [None, [], "x", 7, True, {}])
def test_without_now_json_everything_is_unknown_and_the_collection_still_valid(
    document: Any,
) -> None:
    found = collection(understood(document), None)

    FeatureCollection(**found)
    assert found["features"][0]["properties"]["state"] == "unknown"
    assert found["features"][0]["geometry"] is None


@given(anything)
@settings(max_examples=120, deadline=None)
def test_whatever_now_json_is_the_collection_is_valid(document: Any) -> None:
    FeatureCollection(
        **json.loads(json.dumps(collection(understood(document), []), allow_nan=False))
    )


@given(st.sampled_from(PATHS), anything)
@settings(max_examples=200, deadline=None)
def test_whatever_stands_in_any_field_the_collection_is_valid(
    path: tuple[Any, ...], value: Any
) -> None:
    document = outage(mode__order={"mode": "exercise", "until": NOW + 60})
    table = document
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value

    FeatureCollection(
        **json.loads(json.dumps(collection(understood(document), []), allow_nan=False))
    )


def test_marks_that_turn_the_direction_of_text_are_taken_out() -> None:
    # "Trojan Source" (CVE-2021-42574): the eye reads another order than the machine.
    assert plain_text("a\u202e\u2066b\u200fc\u0007d\u2028e") == "abc d e"


def test_joiners_stay_because_persian_and_emoji_need_them() -> None:
    assert plain_text("می\u200cخواهم 👩\u200d🚒") == "می\u200cخواهم 👩\u200d🚒"


@given(st.text(max_size=2000))
def test_plain_text_can_always_be_sent(text: str) -> None:
    for lines in (False, True):
        found = plain_text(text, 100, lines=lines)

        found.encode()
        assert len(found) <= 100
        assert not any(ord(letter) < 0x20 and letter != "\n" for letter in found)
        assert lines or "\n" not in found
