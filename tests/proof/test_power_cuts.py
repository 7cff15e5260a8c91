"""Goal r1: what the store has confirmed survives a power cut, and the controls do not.

500 cuts here; ``KIEZBOX_CUTS=10000 make test TESTS=tests/proof/test_power_cuts.py`` for more
(``make test-long`` does it). A failure prints seed, box and life; that box again, with the disk as
it was before each life: ``cd tests && python -m beds.crashfs.cuts --seed 1 --box N --keep DIR``.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from beds.crashfs import cuts
from beds.crashfs.mount import Unavailable

pytestmark = pytest.mark.fuse

CUTS = int(os.environ.get("KIEZBOX_CUTS", "500"))


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """The boxes' lives, and the controls', in one run."""
    try:
        result = cuts.measure(CUTS)
    except Unavailable as error:
        pytest.skip(str(error))
    print(cuts.report(result))
    return result


def test_so_many_cuts_were_made_and_many_of_them_during_creation_and_recovery(
    seen: dict[str, Any],
) -> None:
    assert seen["cuts"] >= CUTS
    assert seen["cuts_while_opening"] >= CUTS / 10
    assert seen["confirmed"] >= CUTS


def test_nothing_confirmed_is_lost_and_no_file_is_corrupt(seen: dict[str, Any]) -> None:
    assert seen["problems"] == []
    assert (seen["losses"], seen["broken"]) == (0, 0)


@pytest.mark.parametrize("control", cuts.CONTROLS)
def test_a_store_without_its_fsyncs_is_caught(seen: dict[str, Any], control: str) -> None:
    if control in seen["controls_missing"]:
        pytest.skip(f"{control} is not installed (apt install eatmydata)")

    assert seen["controls"][control]["losses"] > 0
