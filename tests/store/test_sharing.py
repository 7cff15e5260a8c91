"""What of the log other boxes get, and what of theirs comes into it: real logs on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from kiezbox.clock import ManualClock
from kiezbox.exchange import Bearer, Exchange, Give, Item, Pace, Ranges
from kiezbox.records import Record, Ref, Scope, kind_named, pack, pack_body, unpack
from kiezbox.store.log import Draft, Log
from kiezbox.store.proofs import Proofs, is_proven, prove
from kiezbox.store.sharing import Sharing, priority_of
from kiezbox.trust import new_key

NOW = 1_768_000_000.0
DAY_S = 86400.0

KEYS = {name: new_key(name) for name in ("kb-a", "kb-b", "kb-c", "kb-stranger")}


class Home:
    """A box's log, and what it shares."""

    def __init__(self, folder: Path, name: str, clock: ManualClock) -> None:
        self.folder, self.name, self.clock = folder / name, name, clock
        self.folder.mkdir(exist_ok=True)
        self.members = {n: [KEYS[n].public] for n in ("kb-a", "kb-b", "kb-c")}
        self.open()

    def open(self) -> None:
        self.log = Log.open(str(self.folder / "words.db"), self.clock, box=self.name)
        self.proofs = Proofs(str(self.folder / "proofs.db"))
        self.sharing = Sharing(
            self.log, self.proofs, KEYS[self.name], lambda name: self.members.get(name, [])
        )

    def close(self) -> None:
        self.log.close()
        self.proofs.close()

    def again(self) -> None:
        self.close()
        self.open()

    def post(self, text: str, **more: object) -> Ref:
        fields = {"topic": 1, "text": text}
        (added,) = self.log.add(Draft(kind="post", fields=fields, **more))  # type: ignore[arg-type]
        return added.ref

    def texts(self) -> set[str]:
        return {thing.text for thing in self.log.things("post")}

    def item(self, number: Ref) -> Item:
        found = self.sharing.fetch(number)
        assert found is not None
        return found


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[list[Home]]:
    clock = ManualClock(NOW)
    homes = [Home(tmp_path, name, clock) for name in ("kb-a", "kb-b", "kb-c")]
    yield homes
    for home in homes:
        home.close()


def test_what_a_neighbour_wrote_is_news_once_and_can_be_had_with_its_proof(
    homes: list[Home],
) -> None:
    a, _, _ = homes
    number = a.post("Biete Kerzen")

    assert list(a.sharing.news()) == [(number, 5)]
    assert list(a.sharing.news()) == []
    body = a.item(number).body
    assert is_proven(body[64:], body[:64], KEYS["kb-a"].public)
    assert unpack(body[64:]).ref == number


def test_it_goes_from_box_to_box_and_stays_the_first_one_s(homes: list[Home]) -> None:
    a, b, c = homes
    number = a.post("Biete Kerzen")
    list(a.sharing.news())

    assert b.sharing.take([a.item(number)]) == [(number, 5)]
    assert c.sharing.take([b.item(number)]) == [(number, 5)]

    assert c.texts() == {"Biete Kerzen"}
    assert c.sharing.take([a.item(number)]) == []
    assert {h.sharing.holdings.fingerprint for h in homes} == {a.sharing.holdings.fingerprint}


def test_what_was_taken_in_is_there_and_can_be_handed_on_after_a_restart(
    homes: list[Home],
) -> None:
    a, b, c = homes
    number = a.post("Biete Kerzen")
    b.sharing.take([a.item(number)])

    b.again()

    assert b.sharing.holdings.held("kb-a") == Ranges([(1, 1)])
    assert c.sharing.take([b.item(number)]) == [(number, 5)]


def test_what_is_for_this_box_alone_never_leaves_it_and_is_no_hole(homes: list[Home]) -> None:
    a, _, _ = homes
    own = a.post("Nur hier", scope=Scope.BOX)
    a.post("Für alle")

    assert [number.sequence for number, _ in a.sharing.news()] == [2]
    assert a.sharing.holdings.held("kb-a") == Ranges([(2, 2)])
    assert a.sharing.holdings.had("kb-a") == Ranges([(1, 2)])
    assert own not in [number for number, _ in a.sharing.news()]


# --- whoever lies --------------------------------------------------------------------------------


def forged(number: Ref, text: str, signer: str, **changes: object) -> Item:
    """Somebody's words under another box's number, proven by the wrong one."""

    kind = kind_named("post")
    body = pack_body(kind, {"topic": 1, "text": text})
    said = {
        "origin": number.origin, "sequence": number.sequence, "stamp": int(NOW * 1000) << 16,
        "kind": kind.number, "priority": 5, "scope": 1, "lifetime_s": 86400,
        "is_clock_trusted": True, "body": body, **changes,
    }  # fmt: skip
    frame = pack(Record(**said))  # type: ignore[arg-type]
    return Item(number, 5, prove(frame, KEYS[signer]) + frame)


@pytest.mark.parametrize("signer", ["kb-b", "kb-stranger"])
def test_nobody_takes_up_another_box_s_number(homes: list[Home], signer: str) -> None:
    a, b, _ = homes
    lie = forged(Ref("kb-a", 1), "Geld an der Ecke abgeben", signer)

    assert b.sharing.take([lie]) == []
    assert b.sharing.holdings.had("kb-a") == Ranges()
    number = a.post("Biete Kerzen")
    assert b.sharing.take([a.item(number)]) == [(number, 5)]
    assert b.texts() == {"Biete Kerzen"}


def test_words_that_came_without_a_proof_take_up_no_number_either(homes: list[Home]) -> None:
    a, b, c = homes
    b.log.take([forged(Ref("kb-a", 1), "Von einem Stick", "kb-b").body[64:]])
    number = a.post("Biete Kerzen")

    assert list(b.sharing.news()) == []
    assert b.sharing.take([a.item(number)]) == [(number, 5)]
    body = b.item(number).body
    assert b"Biete Kerzen" in body
    assert c.sharing.take([Item(number, 5, body)]) == [(number, 5)]


def test_what_a_forger_s_twin_leaves_behind_when_it_expires_keeps_nothing_true_away(
    homes: list[Home],
) -> None:
    a, b, _ = homes
    b.log.take([forged(Ref("kb-a", 1), "Falsch", "kb-b", lifetime_s=60).body[64:]])
    b.clock.advance(120)
    b.log.erase()
    b.again()

    number = a.post("Biete Kerzen")

    assert b.sharing.take([a.item(number)]) == [(number, 5)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: Item(Ref("kb-a", 9), 5, item.body),
        lambda item: Item(Ref("kb-b", 1), 5, item.body),
        lambda item: Item(item.number, 5, item.body[:-1]),
        lambda item: Item(item.number, 5, item.body[:40]),
        lambda item: Item(item.number, 5, b""),
        lambda item: Item(item.number, 5, bytes(64) + item.body[64:]),
        lambda item: Item(item.number, 5, item.body[:100] + b"\xff" + item.body[101:]),
    ],
)
def test_a_spoilt_one_is_left_out_and_takes_no_good_one_with_it(
    homes: list[Home], spoil: object
) -> None:
    a, b, _ = homes
    first, second = a.post("eins"), a.post("zwei")

    taken = b.sharing.take([spoil(a.item(first)), a.item(second)])  # type: ignore[operator]

    assert taken == [(second, 5)]
    assert b.sharing.take([a.item(first)]) == [(first, 5)]


def test_a_box_that_is_no_member_any_more_is_not_believed(homes: list[Home]) -> None:
    a, b, _ = homes
    first = a.post("vorher")
    b.sharing.take([a.item(first)])
    del b.members["kb-a"]

    assert b.sharing.take([a.item(a.post("danach"))]) == []
    assert b.texts() == {"vorher"}


@pytest.mark.parametrize(
    "kind, claimed, issuer, expected",
    [("post", 0, "", 5), ("bulletin", 0, "", 3), ("bulletin", 0, "Stadt", 0), ("ticket", 0, "", 1),
     ("warning", 0, "", 5), ("warning", 0, "DWD", 0), ("post", 6, "", 6)],
)  # fmt: skip
def test_nobody_makes_words_more_urgent_than_they_are(
    kind: str, claimed: int, issuer: str, expected: int
) -> None:

    record = Record("kb-a", 1, 0, kind_named(kind).number, claimed, 1, 60, True, b"")

    assert priority_of(record, issuer) == expected


# --- what goes -----------------------------------------------------------------------------------


def test_what_expired_is_held_no_more_and_does_not_come_back(homes: list[Home]) -> None:
    a, b, _ = homes
    number = a.post("kurz", lifetime_s=60)
    item = a.item(number)
    b.sharing.take([item])
    b.clock.advance(120)
    b.log.erase()

    assert b.sharing.sweep() == [number]
    assert b.sharing.take([item]) == []
    b.again()
    assert b.sharing.take([item]) == []
    assert b.texts() == set()


def test_proofs_of_what_is_gone_are_forgotten_when_nobody_can_bring_it_back(
    homes: list[Home], tmp_path: Path
) -> None:
    a, b, _ = homes
    b.sharing.take([a.item(a.post("kurz", lifetime_s=60)), a.item(a.post("lang"))])
    for _ in range(100):
        b.clock.advance(DAY_S - 1)
        b.log.erase()
        b.sharing.sweep()

    with closing(sqlite3.connect(tmp_path / "kb-b" / "proofs.db")) as db:
        assert db.execute("SELECT count(*) FROM proofs").fetchone() == (0,)


def test_two_logs_become_one_by_the_exchange(homes: list[Home]) -> None:
    bearer = Bearer(fits=lambda message: True, pace=Pace(1, 60, 1), is_shared=False, spread_s=0.0)
    talks = [
        Exchange(h.name, bearer, h.sharing.holdings, h.sharing.fetch, random=Random(n), now=0.0)
        for n, h in enumerate(homes)
    ]
    for home in homes:
        for n in range(30):
            home.post(f"{home.name} {n}")
    now = 0.0
    while now < 600 and len({h.sharing.holdings.fingerprint for h in homes}) + (now < 5) > 1:
        now += 0.5
        for home, talk in zip(homes, talks, strict=True):
            for number, priority in home.sharing.news():
                talk.added(number, priority, now)
            while (sending := talk.next(now)) is not None:
                for other, hears in zip(homes, talks, strict=True):
                    if other is home or sending.to not in ("", other.name):
                        continue
                    heard = hears.heard(sending.message, home.name, now)
                    for number, priority in other.sharing.take(heard):
                        hears.added(number, priority, now, is_heard_here=True)
                    assert isinstance(sending.message, Give) or not heard

    assert [len(home.texts()) for home in homes] == [90, 90, 90]
