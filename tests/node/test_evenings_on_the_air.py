"""Evenings of a box as its street sees them: when the WLAN is on the air, what is said of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from evening import SIX, Evening

from kiezbox.hardware.simulated.bench import Bench
from kiezbox.store import StoreWriter

HOUR = 3600.0
SHARING = {"uplink": {"guest_uplink": "all"}}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def blackout(folder: Path, **tables: Any) -> Evening:
    """The street went dark a minute ago, at six."""
    evening = Evening(folder, **tables)
    evening.run(30)
    evening.source.word = "lost"
    evening.run(60)
    assert evening.wanted() == ["emergency"]
    return evening


# --- what is wanted ------------------------------------------------------------------------------


def test_a_box_on_its_first_day_wants_its_network_closed(folder: Path) -> None:
    evening = Evening(folder)

    assert evening.wanted() == ["closed"]


def test_the_street_goes_dark_and_comes_back(folder: Path) -> None:
    evening = Evening(folder)
    evening.run(600)
    evening.source.word = "lost"
    evening.run(1800)
    evening.source.word = "present"
    evening.run(1800)

    # 8 s of bridging, looked at every 10; 600 s of hold-down.
    assert evening.minutes() == [(0, "closed"), (10.1, "emergency"), (50, "closed")]


def test_a_grid_that_flaps_for_minutes_changes_the_wanted_posture_once_in_the_pause(
    folder: Path,
) -> None:
    evening = Evening(
        folder,
        power={
            "interval_s": 1,
            "bridge_s": 1,
            "return_hold_s": 2,
            "grid": {"mains": {"driver": "pin"}},
        },
        mode={"wlan_pause_s": 60},
    )
    for _ in range(60):
        for word in ("lost", "present"):
            evening.source.word = word
            evening.run(3)

    times = [at for at, _ in evening.said[1:]]
    assert len(times) >= 5
    assert min(b - a for a, b in pairwise(times)) >= 60


def test_a_blackout_on_a_weak_battery_is_a_quarter_of_an_hour_from_every_full_hour_on(
    folder: Path,
) -> None:
    evening = Evening(folder)
    evening.charge(25.0, current_a=-0.02)
    evening.run(20 * 60)
    evening.source.word = "lost"
    evening.run(3 * HOUR)

    assert evening.minutes()[0:1] == [(0, "closed")]
    # A whole slice first, from 18:20 on; then the hours.
    assert [(round(at), word) for at, word in evening.minutes()[1:]] == [
        (20, "emergency"),
        (35, "closed"),
        (60, "emergency"),
        (75, "closed"),
        (120, "emergency"),
        (135, "closed"),
        (180, "emergency"),
        (195, "closed"),
    ]


def test_an_emergency_that_becomes_saving_cuts_nobody_off_without_a_whole_slice(
    folder: Path,
) -> None:
    evening = Evening(folder)
    evening.charge(30.4, current_a=-0.5)
    evening.source.word = "lost"
    evening.run(3 * HOUR)

    modes = [(t.after, t.at) for t in reversed(evening.store.transitions("mode"))]
    ((_, opened), (saving, began), *_) = modes
    closes = next(at for at, word in evening.said if at > began and word == "closed")
    assert saving == "saving"
    assert [word for at, word in evening.said if opened <= at < closes] == ["emergency"]
    assert closes - began >= 900


def test_the_page_knows_when_the_slice_turns(folder: Path) -> None:
    evening = Evening(folder)
    evening.charge(25.0, current_a=-0.02)
    evening.source.word = "lost"
    evening.run(30 * 60)
    closed = evening.network()["slice"]
    evening.run(35 * 60)
    opened = evening.network()["slice"]

    assert closed == {"is_open": False, "changes_at": SIX + HOUR}
    assert opened == {"is_open": True, "changes_at": SIX + HOUR + 900}


def test_a_slice_that_goes_on_is_no_news_every_second(folder: Path) -> None:
    evening = Evening(folder)
    evening.charge(25.0)
    evening.source.word = "lost"
    evening.run(30 * 60)

    documents = {str(evening.network())}
    for _ in range(20):
        evening.run(10)
        documents.add(str(evening.network()))

    assert len(documents) == 1


def test_a_box_whose_clock_nobody_set_counts_its_slices_from_its_own_start(folder: Path) -> None:
    evening = Evening(folder, trusted=False, at=123_456.0)
    evening.charge(25.0)
    evening.source.word = "lost"
    evening.run(2 * HOUR)

    # The machine's monotonic clock stood at 1000 s when it started.
    turns = [round(at - 123_456.0 + 1000) for at, _ in evening.said[2:]]
    assert turns == [1908, 3600, 4500, 7200, 8100]


def test_slices_as_long_as_their_hour_leave_the_wlan_on(folder: Path) -> None:
    evening = Evening(folder, network={"street": {"slice_open_s": 3600, "slice_every_s": 3600}})
    evening.charge(25.0)
    evening.source.word = "lost"
    evening.run(1.5 * HOUR)

    assert [word for _, word in evening.said] == ["closed", "emergency"]
    assert evening.network()["slice"] is None


def test_an_empty_battery_darkens_the_network_and_the_mesh(folder: Path) -> None:
    evening = Evening(folder)
    evening.charge(10.6, current_a=-0.5)
    evening.source.word = "lost"
    evening.run(HOUR)

    assert evening.wanted() == ["dark"]


def test_an_empty_battery_stays_dark_after_the_node_was_killed(folder: Path) -> None:
    evening = blackout(folder)
    evening.charge(10.6, current_a=-0.5)
    while evening.wanted() != ["dark"]:
        evening.run(10)
    # What is on the card at this moment: the coulomb count rides on a later flush.
    card = {path: path.read_bytes() for path in folder.glob("kiezbox.db*")}
    evening.stop()
    for path, content in card.items():
        path.write_bytes(content)
    evening.current_a = None

    evening.start()
    evening.run(1800)

    assert evening.minutes()[-1][1] == "dark"


def test_a_drill_is_never_shared(folder: Path) -> None:
    evening = Evening(folder, network=SHARING)
    evening.has_publisher = True
    with StoreWriter(str(folder / "kiezbox.db"), clock=evening.clock) as operator:
        operator.order("exercise", evening.clock.now() + HOUR)
    evening.run(600)

    assert evening.wanted() == ["emergency"]


# --- the uplink ----------------------------------------------------------------------------------


def test_an_uplink_is_given_after_half_a_minute_and_taken_at_once(folder: Path) -> None:
    evening = blackout(folder, network=SHARING)
    evening.has_publisher = True
    evening.run(20)
    early = evening.wanted()
    evening.run(20)
    given = evening.wanted(), evening.network()["uplink"]
    evening.has_publisher = False
    evening.run(20)

    assert early == ["emergency"]
    assert given == (["shared"], "own")
    assert evening.wanted() == ["emergency"]


def test_an_uplink_that_comes_and_goes_is_never_given(folder: Path) -> None:
    evening = blackout(folder, network=SHARING)
    for _ in range(20):
        evening.root_says("uplink", "own\n")
        evening.run(25)
        evening.root_says("uplink", "none\n")
        evening.run(25)

    assert [word for _, word in evening.said] == ["closed", "emergency"]


@pytest.mark.parametrize(
    ("said", "publisher", "uplink", "posture"),
    [
        ("own", None, "own", "shared"),
        ("own", True, "own", "shared"),
        ("own", False, "unknown", "emergency"),  # a route into a network that is dead
        ("mesh", None, "mesh", "shared"),
        ("none", True, "none", "emergency"),  # a broker within the mesh is no internet
        (None, True, "own", "shared"),
        (None, False, "unknown", "emergency"),
        (None, None, "unknown", "emergency"),
        ("\x00own", True, "own", "shared"),  # not a word we know: nobody has said so
    ],
)
def test_whoever_knows_best_says_whether_there_is_an_uplink(
    folder: Path, said: str | None, publisher: bool | None, uplink: str, posture: str
) -> None:
    evening = blackout(folder, network=SHARING)
    evening.root_says("uplink", said)
    evening.has_publisher = publisher
    evening.run(120)

    assert (evening.network()["uplink"], evening.wanted()) == (uplink, [posture])


@pytest.mark.parametrize("guest_uplink", ["none", "emergency-services"])
def test_without_being_told_to_share_a_box_keeps_its_guests_in_the_portal(
    folder: Path, guest_uplink: str
) -> None:
    evening = blackout(folder, network={"uplink": {"guest_uplink": guest_uplink}})
    evening.root_says("uplink", "own")
    evening.run(300)

    assert evening.wanted() == ["emergency"]


def test_a_node_that_was_away_for_a_moment_does_not_take_the_uplink_from_its_guests(
    folder: Path,
) -> None:
    evening = blackout(folder, network=SHARING)
    evening.root_says("uplink", "own")
    evening.run(120)
    evening.stop()

    evening.start()
    evening.run(60)

    assert [word for _, word in evening.said] == ["closed", "emergency", "shared"]


# --- after a restart -----------------------------------------------------------------------------


def test_a_box_that_wakes_in_a_blackout_says_so_before_it_opens_anything_else(folder: Path) -> None:
    evening = blackout(folder)
    evening.stop()
    for name in evening.wanted():
        (folder / "run" / "wanted" / name).unlink()  # the run directory is in memory
    heard: list[list[str]] = []

    evening.start(hook=lambda: heard.append(evening.wanted()))

    assert heard == [["emergency"]]


def test_a_run_directory_that_was_cleared_hears_the_word_again(folder: Path) -> None:
    evening = blackout(folder)
    evening.listen = lambda: None  # type: ignore[method-assign]
    (folder / "run" / "wanted" / "emergency").unlink()

    evening.run(10)

    assert evening.wanted() == ["emergency"]


def test_what_an_operator_tries_by_hand_stays_until_the_mode_changes(folder: Path) -> None:
    evening = Evening(folder)
    evening.run(30)
    wanted = folder / "run" / "wanted"
    (wanted / "closed").rename(wanted / "shared")  # kiezbox network apply shared

    evening.run(600)
    tried = evening.wanted()
    evening.source.word = "lost"
    evening.run(30)

    assert (tried, evening.wanted()) == (["shared"], ["emergency"])


def test_a_run_directory_that_cannot_be_written_is_a_fault_and_the_word_comes_later(
    folder: Path,
) -> None:
    evening = Evening(folder)
    evening.run(30)
    wanted = folder / "run" / "wanted"
    (wanted / "closed").unlink()
    wanted.rmdir()
    wanted.write_text("in the way")
    evening.listen = lambda: None  # type: ignore[method-assign]

    evening.source.word = "lost"
    evening.run(60)
    faults = evening.faults()
    wanted.unlink()
    evening.carrier(True)
    evening.run(60)

    assert ("network", "unsaid") in faults
    assert evening.wanted() == ["emergency"]
    assert evening.faults() == []


# --- on the air ----------------------------------------------------------------------------------


def test_an_emergency_wlan_that_does_not_come_is_a_fault_after_half_a_minute(folder: Path) -> None:
    evening = Evening(folder)
    evening.run(30)
    evening.source.word = "lost"
    evening.run(30)
    early = evening.faults(), evening.network()["is_on_air"]
    evening.run(30)
    late = evening.faults()
    evening.carrier(True)
    evening.run(10)

    assert early == ([], False)
    assert late == [("network", "off-air")]
    assert (evening.faults(), evening.network()["is_on_air"]) == ([], True)


def test_an_access_point_that_has_to_boot_first_gets_a_minute_more(folder: Path) -> None:
    evening = blackout(folder, network={"access_point": {"kind": "external", "interface": "eth1"}})
    assert evening.faults() == []

    evening.run(60)

    assert evening.faults() == [("network", "off-air")]


def test_a_fault_of_a_wlan_that_nobody_wants_any_more_is_closed(folder: Path) -> None:
    evening = blackout(folder)
    evening.run(60)
    assert evening.faults() == [("network", "off-air")]

    evening.source.word = "present"
    evening.run(1200)

    assert (evening.faults(), evening.network()["is_on_air"]) == ([], None)


def test_a_street_without_a_radio_on_it_is_not_on_the_air(folder: Path) -> None:
    evening = blackout(folder)
    # So Linux 6.1 and 6.18 show a bridge that is up and has never had a port.
    (evening.interfaces / "kb-street" / "brif").mkdir(parents=True, exist_ok=True)
    (evening.interfaces / "kb-street" / "carrier").write_text("1\n")

    evening.run(60)

    assert evening.network()["is_on_air"] is False
    assert ("network", "off-air") in evening.faults()


def test_a_box_without_an_access_point_of_its_own_is_never_off_the_air(folder: Path) -> None:
    evening = blackout(folder, network={"access_point": {"kind": "none"}})
    evening.run(600)

    assert (evening.faults(), evening.network()["is_on_air"]) == ([], None)
    assert evening.network()["ssid"] is None


#: dnsmasq 2.90's lease file, as it writes it, and what guests have made of their names.
LEASES = b"""\
%(later)d 02:00:00:00:00:01 10.42.0.17 Galaxy-S21 01:02:00:00:00:00:01
%(later)d 02:00:00:00:00:02 10.42.0.18 * *
%(gone)d 02:00:00:00:00:03 10.42.0.19 old-phone *
0 02:00:00:00:00:04 10.42.0.20 for-ever *
%(later)d 02:00:00:00:00:05 10.42.0.21 \xff\xfe<script> 10.42.0.99 *
not a lease at all

99999999999999999999 02:00:00:00:00:06 10.42.0.22 beyond *
%(later)d
duid 00:01:00:01:2c:5e:4d:3a:02:00:00:00:00:01
%(later)d 12345 fd00::17 Galaxy-S21 00:01:00:01
"""


def test_guests_are_counted_by_their_leases_whatever_they_call_themselves(folder: Path) -> None:
    evening = blackout(folder)
    before = evening.network()["guests"]
    evening.root_says("leases", LEASES % {b"later": int(SIX + 9999), b"gone": int(SIX)})
    evening.run(10)

    assert (before, evening.network()["guests"]) == (None, 4)


@pytest.mark.parametrize(
    ("content", "neighbours"),
    [
        ('[{"box": "kb-2"}, {"box": "kb-3"}]', 2),
        ('{"neighbours": [{"box": "kb-2"}]}', 1),
        ('{"neighbours": 7}', None),
        ("[" * 100_000, None),
        ("", None),
        (None, None),
    ],
)
def test_neighbours_in_the_mesh_are_counted(
    folder: Path, content: str | None, neighbours: int | None
) -> None:
    evening = Evening(folder, network={"mesh": {"interface": "wlan1"}})
    evening.root_says("neighbours.json", content)
    evening.run(120)

    assert evening.network()["mesh"] == {"interface": "wlan1", "neighbours": neighbours}


def test_the_https_name_is_told_while_guests_are_told_of_it(folder: Path) -> None:
    evening = Evening(folder, network={"certificate": {"name": "portal.example.org"}})
    evening.run(10)
    before = evening.network()["https_name"]
    evening.root_says("dhcp-options", "option:captive-portal,https://portal.example.org/api\n")
    evening.run(120)

    assert (before, evening.network()["https_name"]) == (None, "portal.example.org")


def test_what_the_broker_hears_of_the_network_is_posture_and_whether_it_is_on_the_air(
    folder: Path,
) -> None:
    evening = blackout(folder)
    evening.carrier(True)
    evening.run(30)

    said = [document["network"] for document in evening.announced]
    assert said[0] == {"posture": "closed", "is_on_air": None}
    assert said[-1] == {"posture": "emergency", "is_on_air": True}


# --- the line that switches ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "levels"),
    [("external", [False, True, False, False]), ("radio", [True, True, True, False])],
)
def test_the_switched_line_follows_the_night(folder: Path, kind: str, levels: list[bool]) -> None:
    with tempfile.TemporaryDirectory() as bench_folder, Bench(bench_folder) as bench:
        evening = Evening(
            folder,
            bench=bench,
            network={"access_point": {"kind": kind, "interface": "e1", "pin": 5}},
        )
        evening.charge(11.5, current_a=-0.2)
        seen = []
        evening.run(60)
        seen.append(bench.pin(5))  # saving, no cause
        evening.source.word = "lost"
        evening.run(60)
        seen.append(bench.pin(5))  # its first slice
        evening.run(20 * 60)
        seen.append(bench.pin(5))  # between two slices
        evening.run(HOUR)
        seen.append(bench.pin(5))  # dark
        evening.stop()

    assert evening.network()["wanted"] == "dark"
    assert seen == levels
