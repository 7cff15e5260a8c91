"""The mistakes of makers on a real kernel: each is said in the sentence that mends it, and is true.

``inside_makers.py`` makes them one after the other; one boot. Here stands what is right.
"""

from __future__ import annotations

from typing import Any

import pytest
from beds.uml.machine import boot, find_kernel

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def makers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("makers")

    run = boot(
        find_kernel(folder),
        folder / "out",
        "../../systemd/inside_makers.py",
        travels_in_time=True,
        limit_s=240,
    )

    found: dict[str, Any] = run.facts()["makers"]
    return found


@pytest.mark.parametrize("when", ["wired right", "in it again"])
def test_where_nothing_is_wrong_nothing_is_said_and_the_sensor_is_read(
    makers: dict[str, Any], when: str
) -> None:
    assert makers[when]["check"] == []
    # Bosch's worked example, which the chip shows (guest.py).
    assert makers[when]["read"]["code"] == 0
    assert "25.1 °C" in makers[when]["read"]["out"] and "1006.5 hPa" in makers[when]["read"]["out"]


@pytest.mark.parametrize(
    ("mistake", "mend"),
    [
        ("bus off", "do_i2c 0"),
        ("not in the group", "usermod -aG i2c kiezbox"),
        ("root's bus", 'KERNEL=="i2c-[0-9]*", GROUP="i2c"'),
    ],
)
def test_a_bus_that_cannot_be_opened_is_said_once_with_what_mends_it(
    makers: dict[str, Any], mistake: str, mend: str
) -> None:
    (one,) = makers[mistake]["check"]

    assert mend in one["hint"]


@pytest.mark.parametrize("mistake", ["not in the group", "root's bus"])
def test_and_it_is_true(makers: dict[str, Any], mistake: str) -> None:
    assert makers[mistake]["read"]["code"] != 0
    assert "permission denied" in makers[mistake]["read"]["err"]


def test_a_chip_at_another_address_is_found_by_the_scan(makers: dict[str, Any]) -> None:
    assert makers["wrong address"]["code"] != 0
    assert "0x76  BME280" in makers["scan"]["out"]


def test_a_bmp280_is_called_one(makers: dict[str, Any]) -> None:
    assert "BMP280, not a BME280" in makers["sold as a BME280"]["err"]
    assert "Exchange it" in makers["sold as a BME280"]["err"]
    assert "0x77  BMP280" in makers["scan"]["out"]


def test_a_line_is_walked_through_and_its_polarity_said(makers: dict[str, Any]) -> None:
    assert (
        makers["walk"]["code"] == 0 and "mains sees the grid go and come" in makers["walk"]["out"]
    )
    assert makers["walk, inverted"]["code"] == 1
    assert "active_high = false" in makers["walk, inverted"]["out"]


def test_beside_a_running_node_the_scan_asks_nobody(makers: dict[str, Any]) -> None:
    assert makers["beside the node"]["code"] != 0
    assert "systemctl stop kiezbox-node" in makers["beside the node"]["err"]


def test_nothing_of_it_ends_in_a_traceback(makers: dict[str, Any]) -> None:
    assert "Traceback" not in str(makers)
