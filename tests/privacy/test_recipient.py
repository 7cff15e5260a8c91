"""To whom a consent was given, in the words of kiezbox.toml."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox import publishers
from kiezbox.privacy.consent import read_ledger
from kiezbox.privacy.recipient import (
    NOT_WHOM,
    PORTAL,
    Recipient,
    astray_words,
    recipient_of,
    recipients_of,
)

TEXTS = st.text(max_size=12)


def test_another_server_is_another_recipient() -> None:
    here = recipient_of("study", {"driver": "influx", "url": "https://a.example", "bucket": "x"})

    assert here.address == 'driver = "influx", bucket = "x", url = "https://a.example"'
    for change in ({"url": "https://b.example"}, {"bucket": "y"}, {"org": "o"}, {"owner": "B"}):
        table = {"driver": "influx", "url": "https://a.example", "bucket": "x", **change}
        assert recipient_of("study", table) != here


def test_how_it_is_sent_is_no_other_recipient() -> None:
    table = {"host": "mqtt.example.org"}
    more = {"batch": 5, "password_file": "/etc/x", "ca_file": "/etc/ca", "keepalive_s": 60.0}

    assert recipient_of("mqtt", {**table, **more}) == recipient_of("mqtt", table)
    assert recipient_of("mqtt", {**table, "driver": "mqtt"}) == recipient_of("mqtt", table)
    assert recipient_of("mqtt", {**table, "tls": False}) != recipient_of("mqtt", table)


@given(
    st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), TEXTS.filter(bool)),
    st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), TEXTS.filter(bool)),
)
def test_two_tables_have_one_address_only_if_they_say_the_same(
    one: dict[str, str], other: dict[str, str]
) -> None:
    """No value can be written so that it looks like another setting."""

    def said(table: dict[str, str]) -> dict[str, str]:
        return {"driver": "p", **{k: v for k, v in table.items() if k not in NOT_WHOM}}

    assert (recipient_of("p", one) == recipient_of("p", other)) == (said(one) == said(other))


@given(st.text(), st.text())
def test_every_address_comes_out_of_the_ledger_as_it_went_in(host: str, owner: str) -> None:
    recipient = recipient_of("mqtt", {"host": host, "owner": owner})
    line = {
        "change": "given", "at": 1.0, "sensor": "flat", "quantities": ["*"], "person": "p",
        "recipient": recipient.name, "address": recipient.address, "purpose": "p", "until": 9.0,
        "text_version": "1",
    }  # fmt: skip

    found = read_ledger([json.dumps(line, ensure_ascii=False)])

    assert found.covers("flat", "temperature_c", recipient, 2.0, 3.0)
    assert found.astray({"mqtt": recipient}, 3.0) == []


@pytest.mark.parametrize("carrier", publishers.carriers())
def test_what_does_not_count_is_a_setting_that_some_publisher_has(carrier: str) -> None:
    """And of each publisher something does: else no consent could be bound to it."""
    known = {field.name for field in fields(publishers.load(carrier).Settings)}

    assert known - NOT_WHOM - {"driver", "owner"}


def test_the_list_of_what_does_not_count_names_no_setting_that_is_gone() -> None:
    known = {
        field.name
        for carrier in publishers.carriers()
        for field in fields(publishers.load(carrier).Settings)
    }

    assert known >= NOT_WHOM


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ({"host": "a"}, {"host": "b"}, 'host was "a" and is "b" now.'),
        ({"host": "a"}, {"host": "a", "tls": False}, "tls was not set and is false now."),
        ({"host": "a", "owner": "X, Y"}, {"host": "a"}, 'owner was "X, Y" and is not set now.'),
    ],
)
def test_what_has_changed_is_said_and_nothing_else(
    was: dict[str, Any], now: dict[str, Any], said: str
) -> None:
    address, recipient = recipient_of("mqtt", was).address, recipient_of("mqtt", now)

    assert astray_words(7, address, recipient).startswith(said)
    assert "renew 7" in astray_words(7, address, recipient)


@given(st.text())
def test_an_address_that_somebody_wrote_by_hand_is_told_somehow(address: str) -> None:
    assert "renew 7" in astray_words(7, address, recipient_of("mqtt", {"host": "a"}))


def test_the_boxs_own_pages_are_a_recipient_without_an_address() -> None:
    assert recipients_of({})[PORTAL] == Recipient(PORTAL, "")
    assert "public pages" in Recipient(PORTAL, "").words
