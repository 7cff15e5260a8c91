"""Which warnings hold: updates, cancellations and all-clears, in whatever order they come."""

from __future__ import annotations

import itertools
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import caps
import pytest
from boxes import Box
from serving import Server

from kiezbox.clock import ManualClock
from kiezbox.portal.official import Official, now_matters, warnings_of
from kiezbox.portal.shown import Shown
from kiezbox.records import Record, pack, pack_body, unpack
from kiezbox.records.kinds import kind_named
from kiezbox.records.stamps import next_stamp
from kiezbox.store.believing import open_believing
from kiezbox.store.log import Log

HOUR, DAY = 3600.0, 86400.0


def shown(box: Box, language: str = "de", **more: Any) -> list[Official]:
    return warnings_of(Shown(box.words), box.clock.now(), language, **more)


def states(box: Box, **more: Any) -> dict[str, str]:
    return {each.identifier: each.state for each in shown(box, **more)}


def serve(server: Server, *messages: dict[str, Any]) -> None:
    district = f"dashboard/{caps.ARS[:5]}0000000.json"
    server.put(district, caps.listed(*messages))
    for each in messages:
        server.put(f"warnings/{each['identifier']}.json", each)


def clear(number: int, now: float, *others: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An all-clear: Cancel with the response AllClear, as the federal system sends it."""
    infos = [caps.info(now, responseType=["AllClear"], headline="Entwarnung", expires=None)]
    return caps.message(
        number, now, infos, msgType="Cancel", references=caps.referring(*others), **changes
    )


# --- what came later counts ------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_an_all_clear_ends_what_it_names_in_whatever_order_they_come(
    box: Box, server: Server, clock: ManualClock, order: tuple[int, ...]
) -> None:
    now = clock.now()
    alert = caps.message(1, now - 3 * HOUR)
    update = caps.message(2, now - 2 * HOUR, msgType="Update", references=caps.referring(alert))
    end = clear(3, now - HOUR, update, alert)
    messages = [alert, update, end]
    task = box.nina()

    for count in range(1, 4):
        serve(server, *(messages[n] for n in order[:count]))
        task.look()

    assert states(box) == {end["identifier"]: "all_clear"}


def test_a_cancellation_is_no_all_clear_unless_it_says_so(
    box: Box, server: Server, clock: ManualClock
) -> None:
    alert = caps.message(1, clock.now() - HOUR)
    cancel = caps.message(2, clock.now(), msgType="Cancel", references=caps.referring(alert))
    serve(server, alert, cancel)

    box.nina().look()

    assert states(box) == {cancel["identifier"]: "cancelled"}


def test_an_update_that_names_another_by_a_date_that_is_none_replaces_it(
    box: Box, server: Server, clock: ManualClock
) -> None:
    alert = caps.message(1, clock.now() - HOUR)
    update = caps.message(
        2, clock.now(), msgType="Update", references=f"XX-W001,{alert['identifier']},0000-00-00"
    )
    serve(server, alert, update)

    box.nina().look()

    assert states(box) == {update["identifier"]: "active"}


def test_only_updates_and_cancellations_replace_what_they_name(
    box: Box, server: Server, clock: ManualClock
) -> None:
    first = caps.message(1, clock.now() - HOUR)
    second = caps.message(2, clock.now(), references=caps.referring(first))
    serve(server, first, second)

    box.nina().look()

    assert states(box) == dict.fromkeys((first["identifier"], second["identifier"]), "active")


def test_the_same_message_from_two_sources_stands_once(
    box: Box, server: Server, clock: ManualClock
) -> None:
    number = "2.49.0.0.276.0.DWD.PVW.1767466000000.a1"
    weather = caps.message(1, clock.now(), identifier=f"{number}.MUL")
    server.put("status.zip", caps.zipped(caps.xml(weather)))
    serve(server, {**weather, "identifier": f"dwd.{number}.DE"})

    box.dwd().look()
    box.nina().look()

    assert len(box.kept()) == 2 and len(shown(box)) == 1


# --- three days later ------------------------------------------------------------------------


def test_a_warning_without_an_end_holds_when_its_newest_copy_is_three_days_old(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, caps.message(1, clock.now(), [caps.info(clock.now(), expires=None)]))
    box.nina().look()

    clock.advance(3 * DAY)

    (warning,) = shown(box)
    assert (warning.state, clock.now() - warning.copy_at) == ("active", 3 * DAY)
    assert now_matters([warning], clock.now()) == [warning]


def test_the_age_of_a_copy_is_that_of_the_last_look_at_its_source(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, caps.message(1, clock.now()))
    task = box.nina()
    task.look()
    clock.advance(4 * HOUR)
    task.look()
    clock.advance(HOUR)

    assert len(box.kept()) == 1
    assert [clock.now() - each.copy_at for each in shown(box)] == [HOUR]
    # After a restart into the outage as well; and where that file is gone, as old as the record.
    os.unlink(box.folder / "source-nina.json")
    assert [clock.now() - each.copy_at for each in shown(box)] == [5 * HOUR]


def test_a_warning_ends_when_its_sender_said_but_not_by_a_clock_that_nobody_set(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, caps.message(1, clock.now()))
    box.nina().look()

    clock.advance(13 * HOUR)

    assert list(states(box).values()) == ["ended"]
    assert list(states(box, is_clock_sure=False).values()) == ["active"]


def test_a_warning_that_goes_on_is_written_anew_before_it_would_be_erased(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, caps.message(1, clock.now(), [caps.info(clock.now(), expires=None)]))
    task = box.nina()
    for _ in range(10):
        task.look()
        clock.advance(DAY)

    log = box.log()
    left = max(told.expires_at for told in log.records("warning")) - clock.now()
    log.close()
    assert left >= 3 * DAY
    assert len(shown(box)) == 1


def test_what_the_source_lists_no_more_is_gone_and_that_is_no_all_clear(
    box: Box, server: Server, clock: ManualClock
) -> None:
    message = caps.message(1, clock.now())
    serve(server, message)
    task = box.nina()
    task.look()
    serve(server)

    task.look()
    assert list(states(box).values()) == ["active"]
    looked = task.look()

    assert looked.gone == 1 and list(states(box).values()) == ["gone"]
    serve(server, message)
    task.look()
    assert list(states(box).values()) == ["active"]


def test_nothing_is_gone_while_a_part_of_the_list_cannot_be_read(
    box: Box, server: Server, clock: ManualClock
) -> None:
    server.put("status.zip", caps.zipped(caps.xml(caps.message(1, clock.now()))))
    task = box.dwd(cells=None)
    task.look()
    server.put("status.zip", caps.zipped(b"<alert><identifier>cut off"))

    for _ in range(3):
        assert task.look().problems

    assert list(states(box).values()) == ["active"]


# --- who is believed -------------------------------------------------------------------------


def foreign(box: Box, fields: dict[str, Any], *, origin: str, like: bytes = b"") -> bytes:
    """A frame from another box; ``like``: with this frame's key and signature."""
    stamp = next_stamp(0, box.clock.now())
    body = pack_body(kind_named("warning"), fields)
    record = Record(origin, 9001, stamp, 3, 0, 1, 86400, True, body)
    if like:
        found = unpack(like)
        record = Record(origin, 9002, stamp, 3, 0, 1, 86400, True, body, found.key, found.signature)
    return pack(record)


def take(box: Box, *frames: bytes) -> None:
    log = box.log()
    assert len(log.take(frames)) == len(frames)
    log.close()


FORGED = {
    "source": "nina", "identifier": "mow.XX-0001", "sent_at": 1_767_500_000,
    "message_type": "Update", "severity": "Extreme", "is_exercise": 0,
    "texts": json.dumps({"de": {"headline": "Alle sofort auf die Straße"}}),
}  # fmt: skip


@pytest.mark.parametrize("has_signature", [False, True])
def test_what_this_box_has_not_fetched_is_never_official(
    box: Box, server: Server, clock: ManualClock, has_signature: bool
) -> None:
    serve(server, caps.message(7, clock.now()))
    box.nina().look()
    log = box.log()
    ((_, own),) = log.after(0)
    log.close()

    take(box, foreign(box, FORGED, origin="kb-2", like=own if has_signature else b""))

    found = {each.identifier: each.is_official for each in shown(box)}
    assert found == {"mow.XX-0007": True, "mow.XX-0001": False}
    assert [each.identifier for each in now_matters(shown(box), clock.now())] == ["mow.XX-0007"]


def test_another_boxs_cancellation_ends_nothing_of_ours(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, caps.message(7, clock.now()))
    box.nina().look()
    cancel = {
        **FORGED, "message_type": "Cancel", "references": "mow.XX-0007", "is_all_clear": 1,
    }  # fmt: skip

    take(
        box,
        foreign(box, cancel, origin="kb-2"),
    )

    assert states(box)["mow.XX-0007"] == "active"
    take(box, foreign(box, {**FORGED, "identifier": "mow.XX-0007", "is_gone": 1}, origin="kb-3"))
    assert states(box)["mow.XX-0007"] == "active"


def test_three_reports_of_neighbours_do_not_hide_an_authority(
    box: Box, server: Server, clock: ManualClock
) -> None:
    from kiezbox.records import Ref
    from kiezbox.store.log import Draft

    serve(server, caps.message(7, clock.now()))
    box.nina().look()
    log = box.log()
    (told,) = log.records("warning")
    for number in range(4):
        fields = {"of": Ref(*told.record.ref), "reporter": bytes([number] * 8)}
        log.add(Draft(kind="report", fields=fields))
    log.close()

    assert [each.is_official for each in shown(box)] == [True]


def test_whoever_opens_the_log_to_judge_it_anew_believes_the_boxs_own_key(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, caps.message(7, clock.now()))
    box.nina().look()

    open_believing(box.settings({}), clock).close()
    assert [each.is_official for each in shown(box)] == [True]
    # Without the public half nobody can tell, and nothing is official.
    os.unlink(box.folder / "box.pub")
    open_believing(box.settings({}), clock).close()
    assert [each.is_official for each in shown(box)] == [False]
    # The node puts it back, and with it the trust.
    box.nina().look()
    open_believing(box.settings({}), clock).close()
    assert [each.is_official for each in shown(box)] == [True]


def test_the_boxs_key_is_for_the_node_alone(box: Box, server: Server, clock: ManualClock) -> None:
    serve(server, caps.message(7, clock.now()))

    box.nina().look()

    assert os.stat(box.folder / "box.key").st_mode & 0o777 == 0o600
    assert (box.folder / "box.pub").read_text().strip() not in ("", "0" * 64)


def test_an_old_warning_of_ours_that_somebody_hands_back_is_not_believed(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, caps.message(7, clock.now(), [caps.info(clock.now(), expires=None)]))
    box.nina().look()
    log = box.log()
    ((_, own),) = log.after(0)
    clock.advance(8 * DAY)
    assert log.erase() == 1
    old = unpack(own)
    stamp = next_stamp(0, clock.now())

    log.take(
        [
            pack(
                Record(
                    "kb-2",
                    5,
                    stamp,
                    old.kind,
                    old.priority,
                    old.scope,
                    old.lifetime_s,
                    True,
                    old.body,
                    old.key,
                    old.signature,
                )  # fmt: skip
            )
        ]
    )
    log.close()

    assert [each.is_official for each in shown(box)] == [False]


# --- in whose language -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "given"),
    [("de", "de"), ("en", "en"), ("de_simple", "de"), ("tr", "en"), ("ar", "en")],
)
def test_there_are_words_in_the_visitors_language_or_in_another_that_is_marked(
    box: Box, server: Server, clock: ManualClock, asked: str, given: str
) -> None:
    serve(server, caps.message(1, clock.now()))
    box.nina().look()

    (warning,) = shown(box, asked)

    words = {"de": "Gehen Sie nicht in Keller.", "en": "Do not enter basements."}
    assert (warning.language, warning.instruction) == (given, words[given])


def test_the_gravest_that_holds_is_in_front(box: Box, server: Server, clock: ManualClock) -> None:
    grave = ("Minor", "Extreme", "Unheard-of", "Severe")
    messages = [
        caps.message(n, clock.now() - n, [caps.info(clock.now(), severity=word)])
        for n, word in enumerate(grave)
    ]
    serve(server, *messages)

    box.nina().look()

    kept = [each.severity for each in shown(box)]
    assert kept == ["Extreme", "Severe", "Minor", "Unheard-of"]


@pytest.mark.parametrize(
    ("event", "category", "codes", "cause"),
    [
        # The labels are the app NINA's and the DWD's own.
        ("Gefahreninformation", "Safety", "BBK-EVC-038", "flood"),
        ("Brandgase", "Fire", "BBK-EVC-010", "release"),
        ("Stromausfall", "Infra", "BBK-EVC-063", "power"),
        ("Ausfall Notruf", "Infra", "BBK-EVC-005", "network"),
        ("STARKREGEN", "Met", "II=61 GROUP=RAIN", "flood"),
        ("WINDBÖEN", "Met", "II=51 GROUP=WIND", "storm"),
        ("STARKE WÄRMEBELASTUNG", "Met", "II=247 GROUP=HEAT", "heat"),
        ("FROST", "Met", "II=22 GROUP=FROST", "cold"),
        ("Flash Flood Watch", "Met", "SAME=FFA", "flood"),
        ("Großbrand", "Fire", "", "fire"),
        ("Unbekannt", "CBRNE", "", "release"),
        ("Earthquake", "Geo", "SAME=EQW", "other"),
        ("Trinkwasserverschmutzung", "Health", "BBK-EVC-069", "drinking_water"),
        ("", "", "BBK-EVC-xyz GROUP=NEU", "other"),
    ],
)
def test_advice_goes_by_what_a_warning_is_about(
    event: str, category: str, codes: str, cause: str
) -> None:
    from kiezbox.situation.warnings import cause_of

    assert cause_of(event, category, codes) == cause


def test_sources_that_start_at_once_sign_with_one_key_and_write_no_message_twice(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, *(caps.message(n, clock.now()) for n in range(5)))
    tasks = [box.nina() for _ in range(6)]
    Log.open(box.words, clock, box="kb-1").close()

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda task: task.look().listed, tasks))

    assert done == [5] * 6
    log = box.log()
    assert len({told.record.key for told in log.records("warning")}) == 1
    log.close()
    assert len(box.kept()) == 5
    assert [f for f in os.listdir(box.folder) if f.startswith("box.key")] == ["box.key"]
