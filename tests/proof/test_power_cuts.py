"""Goal r1: what store and log of words have confirmed survives a power cut, the controls' does not.

500 cuts of the store and 60 of the log here; ``KIEZBOX_CUTS=10000 make test
TESTS=tests/proof/test_power_cuts.py`` for more (``make test-long`` does it). A failure prints seed,
box and life; that box again, with the disk as it was before each life: ``cd tests && python -m
beds.crashfs.cuts --seed 1 --box N --keep DIR`` (for the log with ``--life words``).
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from beds.crashfs import cuts
from beds.crashfs.mount import Unavailable

pytestmark = pytest.mark.fuse

CUTS = int(os.environ.get("KIEZBOX_CUTS", "500"))


@pytest.fixture(scope="module", params=[("store", CUTS), ("words", CUTS // 8)], ids=lambda p: p[0])
def seen(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The boxes' lives, and the controls', in one run."""
    life, count = request.param
    try:
        result = {**cuts.measure(count, life=life), "wanted": count}
    except Unavailable as error:
        pytest.skip(str(error))
    print(cuts.report(result))
    return result


def test_so_many_cuts_were_made_and_many_of_them_during_creation_and_recovery(
    seen: dict[str, Any],
) -> None:
    assert seen["cuts"] >= seen["wanted"]
    assert seen["cuts_while_opening"] >= seen["wanted"] / 10
    assert seen["confirmed"] >= seen["wanted"]


def test_nothing_confirmed_is_lost_and_no_file_is_corrupt(seen: dict[str, Any]) -> None:
    assert seen["problems"] == []
    assert (seen["losses"], seen["broken"]) == (0, 0)


@pytest.mark.parametrize("control", cuts.CONTROLS)
def test_a_store_without_its_fsyncs_is_caught(seen: dict[str, Any], control: str) -> None:
    if control in seen["controls_missing"]:
        pytest.skip(f"{control} is not installed (apt install eatmydata)")

    assert seen["controls"][control]["losses"] > 0
