"""The table of parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiezbox.network.parts import PACKAGES, PARTS, in_order, parts, unit_of
from kiezbox.posture import Posture


def test_every_name_is_there_once_and_every_need_has_a_row() -> None:
    names = [part.name for part in parts()]

    assert len(set(names)) == len(names)
    for part in parts():
        assert {*part.needs, *part.after} <= set(names)


def test_a_daemon_is_one_command_that_stays_and_is_ended_by_a_signal() -> None:
    for part in (part for part in parts() if part.is_daemon):
        assert len(part.start) == 1 and not part.stop


def test_what_makes_something_takes_it_back_or_is_replaced_by_the_next() -> None:
    for part in (part for part in parts() if not part.is_daemon):
        assert part.stop or part.is_passing, part.name


def test_the_order_holds_whatever_is_wanted() -> None:
    for left_out in PARTS:
        order = [part.name for part in in_order(part for part in parts() if part != left_out)]

        for part in parts():
            for other in {*part.needs, *part.after} & set(order):
                assert part.name not in order or order.index(other) < order.index(part.name)


def test_two_that_wait_for_each_other_are_named() -> None:
    street = replace(PARTS[1], after=("hostapd",))
    hostapd = next(part for part in PARTS if part.name == "hostapd")

    with pytest.raises(ValueError, match="hostapd.*street"):
        in_order([street, hostapd])


def test_units_are_named_by_part_and_posture() -> None:
    by_name = {part.name: part for part in PARTS}

    assert unit_of(by_name["street"], Posture.SHARED) == "kiezbox-street.service"
    assert unit_of(by_name["dnsmasq"], Posture.SHARED) == "kiezbox-dnsmasq@shared.service"


def test_every_program_of_debians_has_its_package() -> None:
    ours = ("python", "python3")

    for part in parts():
        assert {name for name in part.programs() if not name.startswith(ours)} <= set(PACKAGES)
