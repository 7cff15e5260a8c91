"""Form tokens: whose form it is, for how long, and that the same form is the same form."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.portal.answered import SLOT
from kiezbox.portal.forms import FORM_S, Forms, kept_secret

GUEST, NEIGHBOUR = "10.42.0.7", "10.42.0.8"
SECRET = b"s" * 32


class Clock:
    def __init__(self, now: float = 5000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def forms(clock: Clock) -> Forms:
    return Forms(SECRET, monotonic=clock)


def test_a_token_fits_into_the_slot_of_a_page(forms: Forms) -> None:
    assert len(forms.token(GUEST)) == len(SLOT)


def test_a_form_counts_from_the_guest_who_was_given_it_and_from_nobody_else(forms: Forms) -> None:
    token = forms.token(GUEST).decode()

    assert forms.is_good(GUEST, token)
    assert not forms.is_good(NEIGHBOUR, token)


@pytest.mark.parametrize(("later_s", "is_good"), [(0, True), (FORM_S, True), (FORM_S + 1, False)])
def test_a_form_may_be_open_for_six_hours(
    forms: Forms, clock: Clock, later_s: float, is_good: bool
) -> None:
    token = forms.token(GUEST).decode()

    clock.now += later_s

    assert forms.is_good(GUEST, token) is is_good


def test_a_form_of_a_later_time_than_now_is_none(forms: Forms, clock: Clock) -> None:
    token = forms.token(GUEST).decode()

    clock.now -= 10  # The machine has started anew, and the secret is the same.

    assert not forms.is_good(GUEST, token)


def test_every_changed_character_of_a_token_spoils_it(forms: Forms) -> None:
    token = forms.token(GUEST).decode()
    spoilt = [
        token[:at] + letter + token[at + 1 :]
        for at in range(len(token))
        for letter in "0f_ +-ä"
        if letter != token[at]
    ]

    assert [each for each in spoilt if forms.is_good(GUEST, each)] == []


@given(token=st.text(max_size=60))
def test_no_text_is_a_token(token: str) -> None:
    assert not Forms(SECRET).is_good(GUEST, token)


def test_a_form_filled_in_before_a_crash_counts_after_it(tmp_path: Path) -> None:
    token = Forms(kept_secret(str(tmp_path))).token(GUEST).decode()

    assert Forms(kept_secret(str(tmp_path))).is_good(GUEST, token)


def test_the_same_form_is_the_same_after_a_crash_and_any_other_is_another(tmp_path: Path) -> None:
    before, after = Forms(kept_secret(str(tmp_path))), Forms(kept_secret(str(tmp_path)))
    sent = before.once("/de/board", b"token=1&text=a")

    assert after.once("/de/board", b"token=1&text=a") == sent
    others = [("/de/board", b"token=2&text=a"), ("/de/board", b"token=1&text=b"), ("/de/x", b"")]
    assert sent not in [after.once(*each) for each in others]


@pytest.mark.parametrize("left", [b"", b"short", bytes(32)], ids=["empty", "short", "zeros"])
def test_a_secret_that_a_power_cut_has_spoilt_is_made_anew(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "forms.secret").write_bytes(left)

    secret = kept_secret(str(tmp_path))

    assert secret is not None and len(secret) == 32 and any(secret)
    assert (tmp_path / "forms.secret").read_bytes()[:32] == secret == kept_secret(str(tmp_path))


def test_nobody_else_can_read_the_secret(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        kept_secret(str(tmp_path))
    finally:
        os.umask(before)

    assert (tmp_path / "forms.secret").stat().st_mode & 0o777 == 0o600


def test_where_no_secret_can_be_kept_forms_still_count_as_long_as_the_process_lives() -> None:
    forms = Forms(kept_secret("/nonexistent"))

    assert forms.is_good(GUEST, forms.token(GUEST).decode())
