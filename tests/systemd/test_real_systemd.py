"""The units as they are, under a real systemd on a real kernel, with a maker's settings.

``inside_units.py`` installs and starts them in a virtual machine and plays an evening; one boot,
in 15 to 30 s of ours. The kernel of the bed has no BPF, so DeviceAllow= is not enforced there.
"""

from __future__ import annotations

from typing import Any

import pytest
from beds.uml.machine import boot, find_kernel

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("systemd")

    run = boot(
        find_kernel(folder),
        folder / "out",
        "../../systemd/inside_units.py",
        travels_in_time=True,
        limit_s=240,
    )

    units: dict[str, Any] = run.facts()["units"]
    return units


def test_the_node_says_that_it_is_ready_and_measures(units: dict[str, Any]) -> None:
    assert units["node_is_ready"]
    assert units["node_measures"]


def test_the_portal_starts_with_its_first_visitor(units: dict[str, Any]) -> None:
    assert not units["portal_before_the_first_visitor"]
    assert units["first_page"].startswith("HTTP/1.1 200 ")
    assert units["portal_after_the_first_visitor"]
    assert units["page_over_ipv6"].startswith("HTTP/1.1 200 ")


def test_the_portal_shows_what_the_operator_posted(units: dict[str, Any]) -> None:
    assert units["shows_the_bulletin"]


def test_what_a_neighbour_writes_goes_through_the_sandbox_onto_the_board(
    units: dict[str, Any],
) -> None:
    assert units["has_a_log"]
    assert "Wer hat Kerzen?" in units["a_neighbours_post"].partition("</html>")[0]


def test_a_message_is_sealed_and_found_again_by_argon2_inside_the_sandbox(
    units: dict[str, Any],
) -> None:
    told, found = units["a_neighbours_message"]

    assert told.startswith("HTTP/1.1 200 ") and "role=status" in told, units["portal_says"]
    assert found.startswith("HTTP/1.1 200 ")
    assert "Der Schlüssel liegt beim Bäcker" in found
    assert "Der Schlüssel liegt beim Bäcker" not in told


def test_whoever_writes_words_may_write_what_another_one_made(units: dict[str, Any]) -> None:
    words = {path: mode for path, mode in units["modes"].items() if "/words/words.db" in path}

    assert {mode.partition(" ")[0] for mode in words.values()} == {"660"}
    assert {mode.rpartition(":")[2] for mode in words.values()} == {"kiezbox-words"}
    assert units["modes"]["/var/lib/kiezbox/words"] == "770 kiezbox:kiezbox-words"


def test_the_stores_files_are_the_nodes_and_its_group_may_read(units: dict[str, Any]) -> None:
    store = {path: mode for path, mode in units["modes"].items() if "kiezbox.db" in path}

    assert len(store) >= 4
    assert set(store.values()) == {"640 kiezbox:kiezbox"}
    assert units["modes"]["/var/lib/kiezbox"] == "750 kiezbox:kiezbox"
    assert units["modes"]["/etc/kiezbox"] == "750 root:kiezbox"
    assert units["modes"]["/run/kiezbox/now.json"].startswith("644 ")


def test_the_node_can_what_it_must(units: dict[str, Any]) -> None:
    found = units["node_probe"]
    must = (
        "read /etc/kiezbox", "write the store", "write the run folder", "write /tmp",
        "change the database", "write words", "change the words", "open the bus", "open the pins",
        "open null", "talk IP",
    )  # fmt: skip

    assert {what: found[what] for what in must} == dict.fromkeys(must, "possible")


def test_the_node_cannot_what_it_need_not(units: dict[str, Any]) -> None:
    found = units["node_probe"]
    must_not = (
        "write /etc", "write /opt/kiezbox", "see homes", "talk raw", "talk netlink",
        "write and run memory", "load a module", "new namespace", "become root",
    )  # fmt: skip

    assert [what for what in must_not if found[what] == "possible"] == []
    assert found["user"] != 0


def test_the_portal_reads_the_store_writes_words_and_reaches_nothing_else(
    units: dict[str, Any],
) -> None:
    found = units["portal_probe"]
    can = {what for what, how in found.items() if how == "possible"}

    # /tmp is its own, and gone with it.
    assert can == {
        "read the database", "open null", "write /tmp", "write words", "change the words",
    }  # fmt: skip
    assert found["interfaces"] == ["lo"]
    assert found["processes"] == 1
    assert found["user"] not in (0, units["node_probe"]["user"])


def test_a_killed_node_is_back_within_seconds(units: dict[str, Any]) -> None:
    assert units["killed"]["is_back"]
    assert units["killed"]["after_s"] < 15


def test_a_node_that_hangs_is_brought_back_by_the_watchdog(units: dict[str, Any]) -> None:
    assert units["hung"]["is_back"]
    assert 30 < units["hung"]["after_s"] < 90


def test_a_lost_grid_is_on_the_street_page(units: dict[str, Any]) -> None:
    assert units["is_emergency"]
    assert "Stromausfall" in units["emergency_page"]


def test_a_node_that_is_stopped_ends_well_and_the_page_stays(units: dict[str, Any]) -> None:
    assert units["stopped"] == {"Result": "success", "ActiveState": "inactive"}
    assert units["page_without_node"].startswith("HTTP/1.1 200 ")
    assert "in der Schule" in units["page_without_node"]


def test_a_killed_portal_serves_the_next_visitor(units: dict[str, Any]) -> None:
    assert units["page_after_a_killed_portal"].startswith("HTTP/1.1 200 ")


def test_https_is_there_as_soon_as_root_has_a_certificate(units: dict[str, Any]) -> None:
    # curl(1): 35 is a TLS connection that did not come about, 56 a reset, 7 a reset that came
    # before curl had looked at its new connection.
    assert units["https_without_a_certificate"] in ("curl: 35", "curl: 56", "curl: 7")
    assert units["https_with_a_certificate"].startswith("HTTP/1.1 200 ")
