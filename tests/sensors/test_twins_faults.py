"""Every twin of ours can be broken in all the ways of its kind; many have more of their own."""

from __future__ import annotations

import pytest
from contracts.rig import twin_of, way_of

from kiezbox import sensors

#: What can go wrong inside a part, by how it is connected.
LEAST = {
    "i2c": {"silence", "garbage", "stuck_high"},
    "serial": {"silence", "garbage", "bad_checksum", "half_frame"},
    "onewire": {"raw_zero", "all_ones", "reset", "wrong_crc"},
    "pin": {"bounce", "shaken", "stuck_closed"},
}


@pytest.mark.parametrize("driver", sensors.drivers())
def test_a_twin_can_be_broken_in_all_the_ways_of_its_kind(driver: str) -> None:
    assert LEAST[way_of(driver)] <= twin_of(driver).make().FAULTS.keys()
