"""How a box is, on the air."""

from __future__ import annotations

from hashlib import blake2b, sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.frames import BadFrame, origin_id, sealed
from kiezbox.frames.state import (
    CHARGES_PERCENT,
    GRIDS,
    GUESTS,
    LEFT_H,
    MODES,
    ON_GRID_H,
    WAITING,
    BoxState,
    pack_state,
    unpack_state,
)
from kiezbox.mode import Mode
from kiezbox.power import Grid

KEY = bytes(range(32))
NAMED = {origin_id(box): box for box in ("kb-1", "kb-2")}.get
NOON = 1_768_046_400

STATES = st.builds(
    BoxState,
    st.integers(1_735_689_600, 2_700_000_000),
    st.booleans(),
    st.sampled_from(MODES),
    st.sampled_from(GRIDS),
    st.integers(0, 100_000),
    st.none() | st.floats(0, 100),
    st.none() | st.floats(0, 1000) | st.just(ON_GRID_H),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(0, 1000),
    st.none() | st.integers(0, 1000),
    st.tuples(st.integers(0, 15), st.integers(0, 127), st.integers(0, 31)),
)


def blackout(**other: object) -> BoxState:
    said = BoxState(NOON, True, Mode.EMERGENCY, Grid.LOST, 47, 83, 17.5, True, False, False, 12, 3,
                    (0, 1, 0))  # fmt: skip
    return said._replace(**other)  # type: ignore[arg-type]


def heard(said: BoxState) -> BoxState:
    sender, found = unpack_state(pack_state(said, "kb-1", KEY), KEY, NAMED)
    assert sender == "kb-1"
    return found


@given(STATES)
def test_what_is_heard_is_what_was_said_rounded_down(said: BoxState) -> None:
    found = heard(said)

    assert found.said_at == said.said_at // 60 * 60
    # The five highest bits: never more than a sixteenth less.
    assert found.grid_min <= said.grid_min
    assert found.grid_min == 1984 or said.grid_min - found.grid_min <= said.grid_min / 16
    for bands, more, less in [
        (CHARGES_PERCENT, said.charge_percent, found.charge_percent),
        ((*LEFT_H, ON_GRID_H), said.left_h, found.left_h),
        (GUESTS, said.guests, found.guests),
        (WAITING, said.waiting, found.waiting),
    ]:
        assert less == (None if more is None else max(band for band in bands if band <= more))
    exact = ("is_clock_trusted", "mode", "grid", "is_wlan_open", "is_wlan_sliced", "has_uplink",
             "version")  # fmt: skip
    assert [getattr(found, name) for name in exact] == [getattr(said, name) for name in exact]
    assert heard(found) == found


def test_a_state_takes_22_bytes_and_is_what_the_page_says() -> None:
    frame = pack_state(blackout(), "kb-1", KEY)

    # By hand: the page's table. 541,440 minutes from 2025 to 2026-01-12, and to its noon 720; 47
    # minutes are 23 << 1, so 2 × 16 + 7; 80 % is band 9; 12 h the eighth; 10 guests the third.
    minutes = (1_768_046_400 - 1_735_689_600) // 60
    bits = (
        f"{minutes:024b}" "1" "001" "010" f"{39:07b}" f"{9:04b}" f"{8:04b}" "1" "0" "0"
        f"{3:03b}" f"{2:03b}" f"{0:04b}{1:07b}{0:05b}" "0"
    )  # fmt: skip
    inner = b"\x26" + sha256(b"kiezbox origin 1\0kb-1").digest()[:4]
    inner += int(bits, 2).to_bytes(9, "big")
    assert frame == inner + blake2b(inner, key=KEY, digest_size=8).digest()
    assert len(frame) == 22


def test_whether_nobody_or_four_are_at_a_box_nobody_hears() -> None:
    frames = {pack_state(blackout(guests=guests), "kb-1", KEY) for guests in range(5)}

    assert len(frames) == 1
    assert pack_state(blackout(guests=5), "kb-1", KEY) not in frames


def test_that_somebody_waits_for_help_is_heard_from_the_first_on() -> None:
    assert [heard(blackout(waiting=n)).waiting for n in (0, 1, 4, 5, None)] == [0, 1, 1, 5, None]


def test_every_mode_and_grid_has_its_number_for_ever() -> None:
    # Numbers go on the air: one may be added behind these, none changed.
    assert MODES[:6] == ("normal", "emergency", "saving", "dark", "exercise", "maintenance")
    assert GRIDS[:5] == ("present", "bridging", "lost", "returning", "unknown")
    assert set(MODES) == set(Mode)
    assert set(GRIDS) == set(Grid)


@pytest.mark.parametrize(
    "other", [{"said_at": 1_700_000_000}, {"grid_min": -1}, {"guests": -1}, {"left_h": -0.5}]
)
def test_what_cannot_be_is_not_said(other: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"-|1700000000"):
        pack_state(blackout(**other), "kb-1", KEY)


# --- whoever is hostile --------------------------------------------------------------------------


def test_a_frame_that_was_changed_or_cut_or_of_somebody_else_is_refused() -> None:
    frame = pack_state(blackout(), "kb-1", KEY)
    for at in range(len(frame) * 8):
        changed = bytearray(frame)
        changed[at // 8] ^= 1 << at % 8
        for bad in (bytes(changed), frame[: at // 8], frame + b"\0"):
            with pytest.raises(BadFrame):
                unpack_state(bad, KEY, NAMED)
    with pytest.raises(BadFrame, match="not of this Kiez"):
        unpack_state(pack_state(blackout(), "kb-new", KEY), KEY, NAMED)


@given(st.binary(max_size=30) | st.binary(min_size=9, max_size=9))
def test_whatever_somebody_with_the_key_sends_is_a_state_or_refused(body: bytes) -> None:
    try:
        sender, state = unpack_state(sealed(b"\x26" + origin_id("kb-1") + body, KEY), KEY, NAMED)
    except BadFrame:
        return
    # What is taken can be said again, and is the same.
    assert pack_state(state, sender, KEY)[5:-8] == body
