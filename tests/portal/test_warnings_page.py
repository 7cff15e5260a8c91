"""Official warnings as a resident reads them: what to do first, by whom, how old, in what words."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from geojson_pydantic import FeatureCollection
from residents import Resident
from street import Portal, fresh, now_json, outage, portal, wait_for, write_facts
from warned import BOX, TEXTS, fields, warn

from kiezbox.clock import SystemClock
from kiezbox.portal.topics import TOPIC_OF_CAUSE
from kiezbox.records import Record, pack, pack_body
from kiezbox.records.kinds import kind_named
from kiezbox.records.stamps import next_stamp
from kiezbox.situation.warnings import CAUSES
from kiezbox.store.log import Log

Write = Callable[..., str]


@pytest.fixture
def write(box: Path) -> Write:
    """Puts a warning into the box's log as the node does; gives its id as in paths."""
    return partial(warn, box)


@pytest.fixture
def served(box: Path, write: Write) -> Iterator[Portal]:
    write_facts(box / "run", fresh(outage()))
    Log.open(str(box / "words" / "words.db"), SystemClock(), box=BOX).close()
    with portal(box, "--secrets", str(box)) as found:
        yield found


def test_what_to_do_stands_before_what_is_reported(served: Portal, write: Write) -> None:
    headline = {**TEXTS["de"], "headline": "Hochwasser am <Mühlbach>"}
    name = write(1, texts={"de": headline})

    page = Resident(served.port).open(f"/de/warnings/{name}").text

    order = ("Hochwasser am &lt;Mühlbach&gt;", "Gehen Sie nicht in Keller.",
             "Leitstelle Musterland", "schwer (Severe)", "warnung.example", "vor 5 Minuten",
             "Der Bach steigt", "Bürgertelefon")  # fmt: skip
    places = [page.index(each) for each in order]
    assert places == sorted(places)
    assert 'href="/de/steps/flood"' in page


def test_programs_get_every_warning_with_the_severity_that_its_issuer_gave(
    served: Portal, write: Write
) -> None:
    write(1, urgency="Future")
    write(2, message_type="Cancel", is_all_clear=1)
    write(3, is_exercise=1, severity="Unknown")

    document = json.loads(Resident(served.port).open("/situation.geojson").text)

    FeatureCollection(**document)
    box, *warnings = document["features"]
    found = {each["properties"]["identifier"]: each["properties"] for each in warnings}
    assert [each["properties"]["kind"] for each in warnings] == ["warning"] * 3
    # No polygon is kept: a warning lies where the box does that lies in its area, and says so.
    assert all(each["geometry"] == box["geometry"] is not None for each in warnings)
    assert {each["geometry_of"] for each in found.values()} == {"box"}
    flood = found["mow.XX-0001"]
    assert (flood["severity"], flood["urgency"], flood["certainty"]) == (
        "Severe", "Future", "Likely",
    )  # fmt: skip
    assert (flood["state"], flood["verified"], flood["exercise"]) == ("active", True, False)
    assert flood["issuer"] == "Leitstelle Musterland" and flood["areas"] == ["Musterstadt"]
    assert flood["headline"] == TEXTS["de"]["headline"] and flood["language"] == "de"
    assert flood["fetched_from"] == "warnung.example"
    age_s = datetime.fromisoformat(document["served_at"]) - datetime.fromisoformat(
        flood["fetched_at"]
    )
    assert 299 <= age_s.total_seconds() < 360
    assert found["mow.XX-0002"]["all_clear"] and found["mow.XX-0003"]["exercise"]


@pytest.mark.parametrize(("language", "direction"), [("tr", "ltr"), ("ar", "rtl"), ("vi", "ltr")])
def test_words_are_in_the_visitors_language_or_marked_with_theirs(
    served: Portal, write: Write, language: str, direction: str
) -> None:
    name = write(1)
    used = language if language in TEXTS else "de"

    page = Resident(served.port).open(f"/{language}/warnings/{name}").text

    words = TEXTS[used]["instruction"].split("\n")[0]
    assert f'<p lang="{used}" dir=auto>{words}' in page
    assert f'<h2 lang="{used}" dir=auto>' in page and "<title><" not in page
    assert ("dir=rtl" in page) == (direction == "rtl")


def test_an_all_clear_looks_like_nothing_else(served: Portal, write: Write) -> None:
    write(1)
    write(2, message_type="Cancel", references="mow.XX-0001", is_all_clear=1,
          texts={"de": {"headline": "Die Gefahr ist vorbei"}})  # fmt: skip

    page = Resident(served.port).open("/de/warnings").text

    assert re.findall(r"<article class=\"([^\"]*)\"", page) == ["official clear"]
    assert "ENTWARNUNG" in page and "Hochwasser am" not in page


def test_a_drill_is_no_danger_and_an_old_copy_is_called_old(served: Portal, write: Write) -> None:
    write(1, is_exercise=1, texts={"de": {"headline": "Probewarnung"}})
    write(2, fetched_at=int(time.time() - 3 * 86400))

    page = Resident(served.port).open("/de/warnings").text

    assert page.count("<article") == 1
    before, after = page.split("Übungen und Proben")
    assert "Probewarnung" not in before and "Es besteht keine Gefahr" in after
    assert "vor 3 Tagen" in before and "Seither kann sich etwas geändert haben" in before


def test_another_boxs_copy_is_apart_and_unverified(served: Portal, box: Path, write: Write) -> None:
    write(1)
    now = time.time()
    body = pack_body(kind_named("warning"), fields(2, now, texts={"de": {"headline": "Gerücht"}}))
    log = Log.open(str(box / "words" / "words.db"), SystemClock())
    log.take([pack(Record("kb-2", 1, next_stamp(0, now), 3, 0, 1, 86400, True, body))])
    log.close()

    resident = Resident(served.port)
    before, after = resident.open("/de/warnings").text.split("Von anderen Boxen, ungeprüft")

    assert "Gerücht" not in before and "ungeprüft" in after
    page = resident.open("/de/warnings/kb-2.1").text
    assert "kann es nicht prüfen" in page and "class=official" not in page


def test_a_box_without_warnings_says_whether_it_could_ask(served: Portal, box: Path) -> None:
    resident = Resident(served.port)
    assert "noch keine amtliche Stelle fragen können" in resident.open("/de/warnings").text

    look = {"version": 1, "checked_at": time.time() - 7300.5, "host": "warnung.example",
            "listed": []}  # fmt: skip
    (box / "source-nina.json").write_text(json.dumps(look))
    (box / "source-dwd.json").write_text('{"checked_at": "yes')
    (box / "source-..json").write_text("{}")

    wait_for(lambda: "Zuletzt gefragt" in resident.open("/de/warnings").text, "the last look")
    page = resident.page.text
    assert "Diese Box kennt keine amtliche Warnung" in page
    assert "Zuletzt gefragt: <bdi>warnung.example</bdi>, vor 2 Stunden" in page


def test_by_a_clock_that_nobody_set_no_warning_is_called_over(
    served: Portal, box: Path, write: Write
) -> None:
    write(1, ends_at=int(time.time() - 60))
    resident = Resident(served.port)
    assert "Abgelaufen" in resident.open("/de/warnings").text

    write_facts(box / "run", fresh(now_json(clock_trusted=False)))

    wait_for(lambda: "ist ungewiss" in resident.open("/de/warnings").text, "the clock's note")
    assert "Abgelaufen" not in resident.page.text


def test_a_long_warning_goes_on_and_nothing_of_it_is_lost(served: Portal, write: Write) -> None:
    words = " ".join(f"Satz{n} über das & Wasser." for n in range(120))
    detail = " ".join(f"Teil{n}." for n in range(400)) + " " + "x" * 3000
    name = write(1, texts={"de": {"headline": "Lang", "instruction": words, "description": detail}})
    resident = Resident(served.port)

    read, path = "", f"/de/warnings/{name}"
    for _ in range(12):
        page = resident.open(path)
        size = len(page.text.encode())
        assert size <= 15_000 and len(gzip.compress(page.text.encode())) <= 3000
        read += "".join(re.findall(r"<article>.*?<p[^>]*>(.*?)</p></article>", page.text, re.S))
        further = re.search(rf'href="(/de/warnings/{re.escape(name)}/\d+)">Weiterlesen', page.text)
        if further is None:
            break
        path = further.group(1)

    got = read.replace("&amp;", "&").replace(" ", "")
    assert got == (words + detail).replace(" ", "")


def test_a_page_of_many_warnings_is_3_kb_on_the_air_and_has_the_others_by_link(
    served: Portal, write: Write
) -> None:
    for number in range(20):
        write(number, texts={"de": {
            "headline": f"Warnung {number} vor etwas, das {number * 7919 % 101} Orte betrifft",
            "instruction": f"Meiden Sie {number * 104729 % 997} und die Straße {number}. " * 9,
        }})  # fmt: skip
    resident = Resident(served.port)

    seen: set[str] = set()
    for page in (1, 2, 3):
        text = resident.open(f"/de/warnings?page={page}").text
        assert len(gzip.compress(text.encode())) <= 3000
        seen |= set(re.findall(r"/de/warnings/(kb-[^\"/]+)", text))
    assert len(seen) == 20
    assert "Weitere Warnungen" not in text


@pytest.mark.parametrize(
    "path",
    ["kb-1.0", "x", "../etc", "kb-musterplatz-1.99999999999999999999", "%00", "1" * 500, ".1",
     "?page=0", "?page=-1", "?page=999", "?page=%20", "/", "//"],
)  # fmt: skip
def test_what_is_not_there_is_said_and_nothing_breaks(
    served: Portal, write: Write, path: str
) -> None:
    write(1)

    page = Resident(served.port).open(f"/de/warnings/{path}".replace("/?", "?"))

    assert page.status == 200 and "Amtliche Warnungen" in page.text


@pytest.mark.parametrize("texts", ["{", "[]", '{"de": 7}', '{"de": {"headline": 7}}', "[" * 900,
                                   '{"<b>": {"headline": "<script>"}}'])  # fmt: skip
def test_texts_that_are_none_break_no_page(
    served: Portal, box: Path, write: Write, texts: str
) -> None:
    write(1)
    now = time.time()
    body = pack_body(kind_named("warning"), {**fields(2, now), "texts": texts, "source": "../x"})
    log = Log.open(str(box / "words" / "words.db"), SystemClock())
    log.take([pack(Record("kb-2", 1, next_stamp(0, now), 3, 0, 1, 86400, True, body))])
    log.close()
    resident = Resident(served.port)

    for path in ("/de/warnings", "/de/warnings/kb-2.1"):
        page = resident.open(path)
        assert page.status == 200
        assert "<script>" not in page.text and 'lang="<' not in page.text
    assert "Hochwasser am" in resident.open("/de/warnings").text


def test_every_cause_of_a_warning_has_first_steps() -> None:
    without = [cause for cause in CAUSES if cause not in TOPIC_OF_CAUSE]

    assert without == ["other"]
