"""DWD: a ZIP of CAP messages, real ones among them, and XML that means harm."""

from __future__ import annotations

import io
import json
import zipfile

import caps
import pytest
from boxes import Box
from serving import Server
from shared import shared_data

from kiezbox.clock import ManualClock
from kiezbox.errors import SettingsError, SourceError
from kiezbox.sources._xml import read_xml


def test_of_a_countrys_warnings_those_for_the_place_are_kept(
    box: Box, server: Server, clock: ManualClock
) -> None:
    def area(cell: str) -> list[dict[str, object]]:
        return [
            {
                "areaDesc": f"Ort {each}",
                "geocode": [{"valueName": "WARNCELLID", "value": each}],
            }
            for each in ("900000001", cell)
        ]

    messages = [
        caps.message(n, clock.now(), [caps.info(clock.now(), area=area(cell))])
        for n, cell in enumerate((caps.CELL, "900520031", f"{caps.CELL}0", "90052003"))
    ]
    server.put("status.zip", caps.zipped(*map(caps.xml, messages)))

    box.dwd().look()

    (kept,) = box.kept()
    assert (kept["identifier"], kept["areas"]) == ("mow.XX-0000", f"Ort {caps.CELL}")


@pytest.mark.parametrize(
    ("area", "is_here"),
    [
        # 51.163 N, 10.448 E (``caps.HERE``); CAP's pairs are latitude first (CAP 1.2, 3.2.4).
        ({"polygon": "51.1,10.4 51.1,10.5 51.2,10.5 51.2,10.4 51.1,10.4"}, True),
        ({"polygon": "51.2,10.4 51.2,10.5 51.3,10.5 51.3,10.4 51.2,10.4"}, False),
        ({"polygon": "10.4,51.1 10.5,51.1 10.5,51.2 10.4,51.2 10.4,51.1"}, False),
        ({"circle": "51.2,10.448 5.0"}, True),
        ({"circle": "51.2,10.448 4.0"}, False),
        ({"polygon": "x,y 51.1 ,"}, False),
        ({"circle": "51.2"}, False),
        ({}, False),
    ],
)
def test_without_cells_a_warning_is_ours_if_the_box_stands_in_its_area(
    box: Box, server: Server, clock: ManualClock, area: dict[str, str], is_here: bool
) -> None:
    infos = [caps.info(clock.now(), area=[{"areaDesc": "Musterstadt", **area}])]
    server.put("status.zip", caps.zipped(caps.xml(caps.message(1, clock.now(), infos))))

    box.dwd(cells=None).look()

    assert len(box.kept()) == is_here


def test_without_cells_and_without_a_place_nobody_can_say_what_is_ours() -> None:
    from kiezbox.sources import dwd

    with pytest.raises(SettingsError):
        dwd.open(dwd.Settings(), None)


def test_real_warnings_are_kept_in_eight_languages(box: Box, server: Server) -> None:
    folder = shared_data("warn/dwd")
    server.put("status.zip", caps.zipped(*(f.read_bytes() for f in folder.glob("*.xml"))))

    # Stadt Havelsee, in the second of the two only.
    box.dwd(cells=["812069270"]).look()

    (kept,) = box.kept()
    texts = json.loads(kept["texts"])
    assert list(texts) == ["de", "en", "fr", "es", "ar", "ru", "tr", "pl"]
    assert texts["tr"]["headline"] == "YOĞUN YAĞMURA karşı resmi UYARI"
    assert kept["areas"] == "Stadt Havelsee"
    # What its XML says.
    assert (kept["severity"], kept["message_type"]) == ("Moderate", "Update")
    assert kept["event_codes"] == "II=61 GROUP=RAIN"
    assert kept["references"] == (
        "2.49.0.0.276.0.DWD.PVW.1687503060000.fc4f7fd9-80e7-4d71-969a-254be3e27e83.MUL"
    )
    assert (kept["sent_at"], kept["ends_at"]) == (1687511640, 1687525200)


@pytest.mark.parametrize("name", ["australia", "canada", "earthquake", "noaa_errors", "weather"])
def test_other_authorities_messages_are_read_too(box: Box, server: Server, name: str) -> None:
    server.put("one.cap", shared_data(f"warn/google_testdata/{name}.cap").read_bytes())
    task = box.dwd(product="one.cap", cells=None)
    task._source._is_here = lambda area: True  # type: ignore[attr-defined]

    assert task.look().new == 1


HARM = {
    "entity": b'<!DOCTYPE a [<!ENTITY a "b">]><alert><identifier>&a;</identifier></alert>',
    "laughs": b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><alert>&b;</alert>',
    "file": b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><alert>&a;</alert>',
    "dtd": b'<!DOCTYPE alert SYSTEM "http://127.0.0.1/x.dtd"><alert/>',
    "deep": b"<alert>" + b"<a>" * 500 + b"</a>" * 500 + b"</alert>",
    "many": b"<alert>" + b"<a/>" * 400_001 + b"</alert>",
    "cut": b"<alert><identifier>x</identifier><info><event>Sturm</event>",
    "other": b"<rss><identifier>x</identifier></rss>",
    "none": b"",
    "bytes": bytes(range(256)),
    "coding": b'<?xml version="1.0" encoding="klingon"?><alert/>',
}


@pytest.mark.parametrize("data", HARM.values(), ids=HARM)
def test_xml_that_means_harm_is_refused(data: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        read_xml(data, "alert")

    assert caught.value.kind == "garbled"


def test_one_message_that_cannot_be_read_costs_none_of_the_others_in_a_zip(
    box: Box, server: Server, clock: ManualClock
) -> None:
    good = caps.xml(caps.message(1, clock.now()))
    server.put("status.zip", caps.zipped(*HARM.values(), good, b"<alert>" + caps.CELL.encode()))

    looked = box.dwd(cells=None).look()

    assert [body["identifier"] for body in box.kept()] == ["mow.XX-0001"]
    assert len(looked.problems) == len(HARM) + 1


def test_a_zip_that_unpacks_to_more_than_it_says_is_not_unpacked(
    box: Box, server: Server, clock: ManualClock
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.xml", b" " * (64 << 20))
        archive.writestr("../../etc/good.xml", caps.xml(caps.message(1, clock.now())))
    server.put("status.zip", out.getvalue())

    looked = box.dwd().look()

    assert looked.new == 1 and "more than 8 MiB" in looked.problems[0]


@pytest.mark.parametrize("cut", [0, 3, 30, 200, -30, -1])
def test_half_a_zip_is_none(box: Box, server: Server, clock: ManualClock, cut: int) -> None:
    whole = caps.zipped(caps.xml(caps.message(1, clock.now())))
    server.put("status.zip", whole[:cut])

    with pytest.raises(SourceError):
        box.dwd().look()


def test_the_same_file_is_not_transferred_twice(
    box: Box, server: Server, clock: ManualClock
) -> None:
    server.put("status.zip", caps.zipped(caps.xml(caps.message(1, clock.now()))))
    task = box.dwd()
    task.look()

    assert task.look().listed == 1
    assert "if-none-match" in server.asked[-1][1]
