"""Three boxes in an encrypted radio mesh, in a row: real wpa_supplicant, SAE, batman-adv.

``inside_mesh.py`` makes them with `kiezbox network apply`; here stands what is right.
"""

from __future__ import annotations

from typing import Any

import pytest
from beds.uml.machine import boot, find_kernel, skip_without

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    skip_without("hostapd", "dnsmasq", "nft", "wpa_supplicant", "udhcpc", "iw", "batctl", "ping")
    folder = tmp_path_factory.mktemp("mesh")

    run = boot(
        find_kernel(folder),
        folder / "out",
        "../radio/inside_mesh.py",
        radios=7,
        travels_in_time=True,
        limit_s=240,
    )

    found: dict[str, Any] = run.facts()["mesh"]
    return found


def test_boxes_that_hear_each_other_find_each_other(mesh: dict[str, Any]) -> None:
    assert mesh["a to b s"] < 30
    assert mesh["neighbours of a"] == 1
    assert mesh["neighbours of b"] == 2


def test_a_box_out_of_reach_is_reached_through_the_one_between(mesh: dict[str, Any]) -> None:
    assert mesh["a to c s"] < 60
    assert mesh["a to c over ipv6"]
    assert (
        len([line for line in mesh["way to c"].splitlines() if line.startswith((" 1:", " 2:"))])
        == 2
    )


def test_the_mesh_is_encrypted_and_its_management_frames_are_protected(
    mesh: dict[str, Any],
) -> None:
    assert mesh["is encrypted"]


def test_a_box_with_another_key_stays_outside(mesh: dict[str, Any]) -> None:
    assert not mesh["a to x"]


def test_boxes_answer_respondd_with_their_names(mesh: dict[str, Any]) -> None:
    assert mesh["respondd"] == ["Box a", "Box c"]


def test_boxes_know_each_other_by_asking_everybody(mesh: dict[str, Any]) -> None:
    assert mesh["neighbours"] == {
        "a": ["Box b", "Box c"],
        "b": ["Box a", "Box c"],
        "c": ["Box a", "Box b"],
        "x": [],
    }


def test_a_guest_reaches_the_box_and_neither_the_mesh_nor_another_boxs_street(
    mesh: dict[str, Any],
) -> None:
    guest = mesh["guest"]

    assert guest["router"]
    assert guest["street of c"] and not any(guest["street of c"].values())
    others = {address for name in "bc" for address in mesh["addresses"][name]}
    assert not any(guest["mesh"][address] for address in others)
    assert guest["http of c"] != "open"
    assert guest["ssh"] != "open"


def test_a_second_apply_does_nothing(mesh: dict[str, Any]) -> None:
    assert "nothing to do" in mesh["again"]


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_a_dark_box_leaves_nothing_of_its_network(mesh: dict[str, Any], name: str) -> None:
    assert mesh["left"][name] == {"interfaces": [], "processes": [], "tables": []}
