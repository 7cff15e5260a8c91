"""NINA: what a box makes of the lists and messages that the federal system really sends."""

from __future__ import annotations

import json
import time

import caps
import pytest
from boxes import Box
from serving import Held, Server
from shared import shared_data

from kiezbox.clock import ManualClock
from kiezbox.errors import SourceError

DASHBOARD = f"dashboard/{caps.ARS[:5]}0000000.json"


def serve(server: Server, *messages: dict[str, object]) -> None:
    """As the federal system does: the district's list, and each message."""
    server.put(DASHBOARD, caps.listed(*messages))
    for each in messages:
        server.put(f"warnings/{each['identifier']}.json", each)


def test_a_message_is_kept_in_its_senders_own_words(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, caps.message(1, clock.now()))

    box.nina().look()

    (kept,) = box.kept()
    assert (kept["severity"], kept["urgency"], kept["certainty"]) == (
        "Severe", "Immediate", "Likely",
    )  # fmt: skip
    assert json.loads(kept["texts"])["en"]["instruction"] == "Do not enter basements."
    assert kept["issuer"] == "Leitstelle Musterland"
    assert (kept["sent_at"], kept["ends_at"]) == (clock.now(), clock.now() + 12 * 3600)
    assert (kept["fetched_from"], kept["fetched_at"]) == ("127.0.0.1", clock.now())


def test_what_has_not_changed_is_neither_fetched_nor_kept_again(
    box: Box, server: Server, clock: ManualClock
) -> None:
    first = caps.message(1, clock.now())
    serve(server, first)
    task = box.nina()
    task.look()

    task.look()
    box.nina().look()

    assert [h.get("if-none-match") is not None for p, h in server.asked if p == DASHBOARD] == [
        False, True, False,
    ]  # fmt: skip
    assert server.count(f"warnings/{first['identifier']}.json") == 2
    assert len(box.kept()) == 1


def test_one_message_that_cannot_be_read_costs_none_of_the_others(
    box: Box, server: Server, clock: ManualClock
) -> None:
    messages = [caps.message(number, clock.now()) for number in range(5)]
    serve(server, *messages)
    server.put("warnings/mow.XX-0001.json", b"<html>503</html>")
    server.put("warnings/mow.XX-0002.json", b'{"identifier": "mow.XX-0002", "info": [{"eve')
    del server.files["warnings/mow.XX-0003.json"]

    looked = box.nina().look()

    headlines = {b["identifier"]: json.loads(b["texts"])["de"]["headline"] for b in box.kept()}
    assert headlines["mow.XX-0000"] == headlines["mow.XX-0004"] == "Hochwasser am Mühlbach"
    # Of the others there is what the list says, until they can be had.
    assert {headlines[f"mow.XX-000{n}"] for n in (1, 2, 3)} == {"Nur die Überschrift"}
    assert len(looked.problems) == 3


def test_a_message_that_came_late_takes_the_place_of_its_headline(
    box: Box, server: Server, clock: ManualClock
) -> None:
    message = caps.message(1, clock.now())
    serve(server, message)
    server.put("warnings/mow.XX-0001.json", b"no")
    task = box.nina()
    task.look()

    serve(server, message)
    looked = task.look()

    assert (looked.new, looked.changed) == (0, 1)
    assert json.loads(box.kept()[-1]["texts"])["de"]["instruction"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sent", "gestern"),
        ("sent", None),
        ("scope", None),
        ("status", None),
        ("msgType", 7),
        ("references", "a,b"),
        ("references", "XX-1 XX-2,mow.XX-1 mow.XX-2,2020-13-45T99:00"),
        ("code", {"odd": [1]}),
    ],
)
def test_a_field_that_is_none_costs_that_field_only(
    box: Box, server: Server, clock: ManualClock, field: str, value: object
) -> None:
    serve(server, {**caps.message(1, clock.now()), "sent": caps.time_of(clock.now())})
    message = {**caps.message(1, clock.now()), field: value}
    server.put("warnings/mow.XX-0001.json", message)

    looked = box.nina().look()

    assert looked.problems == ()
    assert json.loads(box.kept()[0]["texts"])["de"]["headline"] == "Hochwasser am Mühlbach"


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("expires", None, {"ends_at": None}),
        ("expires", "3021-11-22T05:19:00+01:00", {"ends_at": None}),
        ("expires", ["x"], {"ends_at": None}),
        ("severity", None, {"severity": None}),
        ("severity", "Apokalyptisch ist kein Wort von CAP", {"severity": "Apokalypt…"}),
        ("category", "Fire", {"category": "Fire"}),
        ("responseType", {"a": 1}, {"response": None}),
        ("eventCode", "BBK", {"event_codes": None}),
        ("area", [{"areaDesc": None}, "x", {"areaDesc": "Musterdorf"}], {"areas": "Musterdorf"}),
        ("event", None, {"event": None}),
    ],
)
def test_what_is_odd_in_one_part_is_left_out(
    box: Box, server: Server, clock: ManualClock, field: str, value: object, kept: dict[str, object]
) -> None:
    serve(server, caps.message(1, clock.now(), [caps.info(clock.now(), **{field: value})]))

    box.nina().look()

    (body,) = box.kept()
    assert {name: body.get(name) for name in kept} == kept
    assert json.loads(body["texts"])["de"]["instruction"] == "Gehen Sie nicht in Keller."


def test_markup_becomes_lines_and_no_text_is_lost(
    box: Box, server: Server, clock: ManualClock
) -> None:
    instruction = "Fenster zu!<br/>- <b>Licht</b> aus &amp; Ruhe<p>Bei &lt; 5 m Wasser</p>raus"
    serve(server, caps.message(1, clock.now(), [caps.info(clock.now(), instruction=instruction)]))

    box.nina().look()

    said = json.loads(box.kept()[0]["texts"])["de"]["instruction"]
    assert said == "Fenster zu!\n- Licht aus & RuheBei < 5 m Wasser\nraus"


def test_long_words_in_many_languages_are_cut_and_what_to_do_is_cut_last(
    box: Box, server: Server, clock: ManualClock
) -> None:
    infos = [
        caps.info(clock.now(), description="ä" * 9000, instruction="Gehen Sie hinaus. " * 60)
        | {"language": language}
        for language in ("de", "en", "fr", "es", "ar", "ru", "tr", "pl")
    ]
    serve(server, caps.message(1, clock.now(), infos))

    box.nina().look()

    texts = json.loads(box.kept()[0]["texts"])
    assert len(texts) == 8
    assert all(len(each["instruction"]) > 600 for each in texts.values())
    assert all(len(each.get("description", "")) < 800 for each in texts.values())


@pytest.mark.parametrize(
    ("status", "code", "is_exercise"),
    [
        ("Actual", "BBK-EVC-038", None),
        ("Exercise", "BBK-EVC-038", 1),
        ("Test", "BBK-EVC-038", 1),
        # The nationwide test of all sirens is sent as Actual, so that it reaches everybody.
        ("Actual", "BBK-EVC-050", 1),
    ],
)
def test_a_drill_is_marked(
    box: Box, server: Server, clock: ManualClock, status: str, code: str, is_exercise: int | None
) -> None:
    codes = [{"valueName": "profile:DE-BBK-EVENTCODE", "value": code}]
    infos = [caps.info(clock.now(), eventCode=codes)]
    serve(server, caps.message(1, clock.now(), infos, status=status))

    box.nina().look()

    assert box.kept()[0].get("is_exercise") == is_exercise


@pytest.mark.parametrize(
    "changes",
    [{"scope": "Restricted"}, {"scope": "Private"}, {"status": "Draft"}, {"msgType": "Ack"}],
)
def test_what_is_not_for_the_public_is_not_kept(
    box: Box, server: Server, clock: ManualClock, changes: dict[str, str]
) -> None:
    serve(server, caps.message(1, clock.now(), **changes))

    box.nina().look()

    assert box.kept() == []


def test_a_list_of_all_of_germany_is_filtered_by_the_places_key(
    box: Box, server: Server, clock: ManualClock
) -> None:
    def for_area(number: int, codes: str) -> dict[str, object]:
        parameter = [{"valueName": "warnVerwaltungsbereiche", "value": codes}]
        return caps.message(number, clock.now(), [caps.info(clock.now(), parameter=parameter)])

    messages = [
        for_area(1, "990000000000,000000000000"),  # everywhere
        for_area(2, f"{caps.ARS[:2]}0000000000"),  # its Land
        for_area(3, caps.ARS),  # itself
        for_area(4, "990520030004"),  # another Land
        for_area(5, f"{caps.ARS[:5]}0099999"),  # another place in its district
    ]
    serve(server, *messages)
    server.put("mowas/mapData.json", server.files[DASHBOARD])

    box.nina(lists=["mowas"]).look()

    assert [body["identifier"][-1] for body in box.kept()] == ["1", "2", "3"]


def test_of_a_providers_list_no_message_is_kept_that_does_not_say_where_it_is_for(
    box: Box, server: Server, clock: ManualClock
) -> None:
    message = caps.message(1, clock.now(), [caps.info(clock.now(), parameter=None)])
    server.put("warnings/mow.XX-0001.json", message)
    # A line as mapData.json has it (interface 3.1).
    line = {
        "id": "mow.XX-0001", "version": 3, "startDate": message["sent"], "severity": "Severe",
        "urgency": "Immediate", "type": "Alert", "i18nTitle": {"de": "Hochwasser"},
        "transKeys": {"event": "BBK-EVC-038"},
    }  # fmt: skip
    server.put("lhp/mapData.json", [line, {**line, "id": 7}, "x", None, {}])

    looked = box.nina(lists=["lhp"]).look()

    assert (looked.listed, looked.problems, box.kept()) == (0, (), [])


def test_identifiers_that_another_source_has_are_left_out(
    box: Box, server: Server, clock: ManualClock
) -> None:
    weather = caps.message(1, clock.now(), identifier="dwd.2.49.0.0.276.0.DWD.PVW.1.a.DE")
    serve(server, weather, caps.message(2, clock.now()))

    box.nina(leave_out=["dwd."]).look()

    assert [body["identifier"] for body in box.kept()] == ["mow.XX-0002"]


def test_an_identifier_that_is_a_path_is_never_asked_for(
    box: Box, server: Server, clock: ManualClock
) -> None:
    evil = caps.message(1, clock.now(), identifier="../../admin?x=")
    server.put(DASHBOARD, caps.listed(evil))

    assert box.nina().look().listed == 0
    assert [path for path, _ in server.asked] == [DASHBOARD]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (None, "unreachable"),
        (Held(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n["), "unreachable"),
        (Held(b"HTTP/1.1 200 OK\r\nContent-Le"), "unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]", "unreachable"),
        (b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n", "refused"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://example.org/\r\n\r\n", "refused"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[{]", "garbled"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "garbled"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"[" * 100_000, "garbled"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b" " * (1 << 20) + b"  ", "too-long"),
        (b"\x16\x03\x01garbage\r\n\r\n", "unreachable"),
    ],
)
def test_an_answer_that_is_none_leaves_what_is_known_alone(
    box: Box, server: Server, clock: ManualClock, raw: bytes | None, kind: str
) -> None:
    serve(server, caps.message(1, clock.now()))
    task = box.nina(most_mib=1)
    task.look()
    server.raw[DASHBOARD] = raw
    begun = time.monotonic()

    with pytest.raises(SourceError) as caught:
        task.look()

    assert caught.value.kind == kind
    # timeout_s is 1 here: the whole answer, not each wait for a part of it.
    assert time.monotonic() - begun < 3
    assert len(box.kept()) == 1 and not box.kept()[0].get("is_gone")


def test_a_few_kilobytes_that_unpack_to_a_gigabyte_are_not_unpacked(
    box: Box, server: Server
) -> None:
    server.is_zipping = True
    server.put(DASHBOARD, b" " * (40 << 20))

    with pytest.raises(SourceError) as caught:
        box.nina(most_mib=1, timeout_s=30.0).look()

    assert caught.value.kind == "too-long"


def test_a_zipped_answer_is_read(box: Box, server: Server, clock: ManualClock) -> None:
    server.is_zipping = True
    serve(server, caps.message(1, clock.now()))

    assert box.nina().look().new == 1


def test_a_real_message_is_kept_with_its_instruction_and_its_predecessors(
    box: Box, server: Server
) -> None:
    document = json.loads(shared_data("warn/nina_mowas_warning_shortened.json").read_text())
    server.put("mowas/mapData.json", caps.listed(document))
    server.put(f"warnings/{document['identifier']}.json", document)

    # Schleswig-Holstein, by the twelve digits of the message.
    box.nina(lists=["mowas"], ars="010000000000").look()

    (kept,) = box.kept()
    texts = json.loads(kept["texts"])["de"]
    assert texts["instruction"].startswith("Waschen Sie sich regelmäßig")
    assert "<br" not in texts["instruction"]
    assert kept["references"].split("\n")[0] == "mow.DE-NW-BN-SE030-20200506-30-001"
    assert kept["issuer"] == "BBK, Nationale Warnzentrale Bonn"
    assert kept["severity"] == "Minor" and "ends_at" not in kept
