"""An installation where systemd runs, and the operator's first five minutes, in a virtual machine.

``inside_machine.py`` says what is done; here is what must come of it. Starting programs is slow in
that machine, so this takes a minute; test_install.py and tests/desk are its smaller twins.
"""

from __future__ import annotations

from typing import Any

import pytest
from beds.uml.machine import boot, find_kernel

pytestmark = [pytest.mark.bed, pytest.mark.long]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("installation")

    run = boot(
        find_kernel(folder),
        folder / "out",
        "../../provisioning/inside_machine.py",
        travels_in_time=True,
        limit_s=600,
    )

    found: dict[str, Any] = run.facts()["installation"]
    return found


def test_the_installation_ends_well_and_the_node_runs(box: dict[str, Any]) -> None:
    assert box["first"]["code"] == 0, box["first"]["stderr"]
    assert box["node_runs"]
    assert box["sockets"] == {"portal": True, "desk": True}


def test_the_second_run_does_nothing_on_a_running_box(box: dict[str, Any]) -> None:
    assert box["second"]["code"] == 0, box["second"]["stderr"]
    assert box["second"]["now"] == []


def test_the_box_s_own_check_finds_no_unit_that_failed_or_is_off(box: dict[str, Any]) -> None:
    found = [each for each in box["check"] if each["check"] == "units"]

    assert [each["level"] for each in found] == ["fine"], found


def test_the_desk_starts_with_its_first_visitor_and_a_code_opens_it_once(
    box: dict[str, Any],
) -> None:
    desk = box["desk"]

    assert not desk["ran_before"]
    assert (desk["claimed"], desk["status"]) == (303, 200), desk["journal"]
    assert "kb-test" in desk["shows"]
    assert desk["the same code again"] == 403


def test_the_desk_s_files_are_its_own(box: dict[str, Any]) -> None:
    desk = box["desk"]

    assert desk["user"] == "kiezbox-desk"
    assert desk["owner"] == "600 kiezbox-desk"
    assert desk["left of the code"] == []


def test_after_the_uninstallation_nothing_runs_and_the_settings_are_there(
    box: dict[str, Any],
) -> None:
    assert box["uninstalled"]["code"] == 0, box["uninstalled"]["stderr"]
    assert box["left_running"] == []
    assert box["left"] == ["/etc/kiezbox", "/etc/kiezbox/kiezbox.toml"]
