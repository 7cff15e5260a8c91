"""Which bulletins residents see, and what each is worth: read from a real log of words."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from street import NOW, now_json, post, understood

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "trust"))
from issuing import BRIGADE, CITY, Box, bulletin, certificate, revocation

from kiezbox.clock import ManualClock
from kiezbox.portal.bulletins import Bulletin
from kiezbox.portal.sight import Sight
from kiezbox.records import KINDS, Record, pack, pack_body
from kiezbox.store.log import Draft, Log
from kiezbox.trust import Key, Signed, sign

#: A look never takes longer, whatever holds the log. Waiting for it the usual way takes 5 s.
A_LOOK_S = 2.0


class Village:
    """A box that believes ``issuing.ROOT``, with its log and its portal's eyes."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(NOW)
        times = {"valid_from": int(NOW) - 86400, "valid_until": int(NOW) + 40 * 86400}
        self.trusting = Box(
            clock=self.clock,
            certificates=[
                certificate(BRIGADE, name="Feuerwehr", **times),
                certificate(CITY, name="Stadt", **times),
            ],
        )
        self.log = Log.open(
            str(folder / "words" / "words.db"),
            self.clock,
            box="kb-musterplatz-1",
            judge=self.trusting.trust().judge,
        )
        self.sight = Sight(str(folder / "run"), str(folder / "kiezbox.db"), self.clock)

    def post(self, *texts: str, **fields: Any) -> None:
        for text in texts:
            self.clock.advance(1)
            self.log.add(Draft(kind="bulletin", fields={"text": text, **fields}))

    def take(self, signed: Signed) -> None:
        self.clock.advance(1)
        self.log.add(Draft(**signed._asdict()))

    def hear(self, signed: Signed, origin: str, sequence: int = 1) -> None:
        """The same words from another box."""
        number = next(n for n, kind in KINDS.items() if kind.name == signed.kind)
        record = Record(
            origin, sequence, int(self.clock.now() * 1000) << 16, number, signed.priority,
            signed.scope, signed.lifetime_s, True, signed.body, signed.key, signed.signature,
        )  # fmt: skip
        self.log.take([pack(record)])

    def seen(self, *, is_clock_trusted: bool = True) -> list[Bulletin]:
        facts = understood(now_json(clock_trusted=is_clock_trusted), now=self.clock.now())
        found = self.sight.bulletins(facts)
        assert found is not None
        return found

    def told(self, **more: Any) -> list[tuple[str, str]]:
        """Standing and text of each."""
        return [(each.standing, each.text) for each in self.seen(**more)]


def said(by: Key, text: str, **more: Any) -> Signed:
    return bulletin(by, **{"issued_at": int(NOW), "text": text, **more})


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    village = Village(tmp_path)
    yield village
    village.log.close()


def test_the_official_ones_come_first_then_the_operators_newest_first(village: Village) -> None:
    village.post("eins", "zwei")
    village.take(said(BRIGADE, "leicht", serial=1))
    village.take(said(BRIGADE, "schwer", serial=2, severity=3))

    assert village.told() == [
        ("official", "schwer"), ("official", "leicht"), ("operator", "zwei"), ("operator", "eins"),
    ]  # fmt: skip
    assert [each.issuer for each in village.seen()] == ["Feuerwehr", "Feuerwehr", "", ""]


def test_the_same_words_from_several_boxes_are_one_bulletin(village: Village) -> None:
    signed = said(BRIGADE, "Wasser am Platz")
    village.take(signed)
    for origin in ("kb-a", "kb-b"):
        village.hear(signed, origin)

    assert village.told() == [("official", "Wasser am Platz")]


def test_what_its_issuer_took_back_is_gone_under_every_number(village: Village) -> None:
    signed = said(BRIGADE, "Wasser am Platz")
    village.take(signed)
    (up,) = village.seen()
    taken = {"of": (up.origin, up.sequence), "issued_at": int(NOW), "serial": 2,
             "issuer_serial": 1}  # fmt: skip
    village.take(sign("withdrawal", taken, BRIGADE, lifetime_s=86400))
    village.hear(signed, "kb-replay")

    assert village.told() == []


def test_a_bulletin_that_replaces_another_stands_alone(village: Village) -> None:
    old = said(BRIGADE, "Wasser bis 18 Uhr", serial=1)
    village.take(old)
    village.take(said(BRIGADE, "Wasser bis 20 Uhr", serial=2, supersedes=1))
    village.take(said(CITY, "Anderes", serial=1))
    village.hear(old, "kb-replay")

    assert sorted(village.told()) == [("official", "Anderes"), ("official", "Wasser bis 20 Uhr")]


def test_nobody_replaces_or_takes_back_what_another_said(village: Village) -> None:
    village.take(said(BRIGADE, "Wasser am Platz", serial=1))
    village.post("Suppe")
    for of in village.seen():
        taken = {"of": (of.origin, of.sequence), "issued_at": int(NOW), "serial": 2,
                 "issuer_serial": 1}  # fmt: skip
        village.take(sign("withdrawal", taken, CITY, lifetime_s=86400))
        unsigned = Record(
            "kb-b", of.sequence, int(NOW * 1000) << 16, 2, 3, 1, 3600, True,
            pack_body(KINDS[2], {"of": (of.origin, of.sequence)}),
        )  # fmt: skip
        village.log.take([pack(unsigned)])
    village.take(said(CITY, "Etwas", serial=3, supersedes=1))

    assert sorted(text for _, text in village.told()) == ["Etwas", "Suppe", "Wasser am Platz"]


def test_another_boxs_operator_is_told_apart(village: Village) -> None:
    village.post("von hier")
    body = pack_body(KINDS[1], {"text": "von dort"})
    village.log.take(
        [pack(Record("kb-zoo-1", 1, int(NOW * 1000) << 16, 1, 3, 1, 3600, True, body))]
    )

    assert sorted(village.told()) == [("box", "von dort"), ("operator", "von hier")]


def test_a_signature_that_nobody_vouches_for_is_worth_less_than_none(village: Village) -> None:
    stranger = Key("Feuerwehr", bytes(range(32)))
    village.take(said(stranger, "Räumen Sie das Haus!"))
    village.take(said(BRIGADE, "echt"))

    village.trusting.revocations.append(revocation(BRIGADE, by=BRIGADE))
    assert village.told() == [("official", "echt")]
    village.log.judge_by(village.trusting.trust().judge)

    assert village.told() == []


def test_without_a_clock_nothing_is_official_and_nothing_is_lost(village: Village) -> None:
    village.clock.trusted = False
    village.take(said(BRIGADE, "Wasser am Platz"))

    assert village.told(is_clock_trusted=False) == [("signed", "Wasser am Platz")]


def test_what_is_over_by_its_issuers_clock_goes_whenever_it_was_received(village: Village) -> None:
    village.clock.advance(3000)
    village.take(said(BRIGADE, "Wasser am Platz", lifetime_s=3600))
    assert village.told() == [("official", "Wasser am Platz")]

    village.clock.advance(700)

    assert village.told() == []


def test_what_the_operator_put_up_comes_down_by_itself(village: Village) -> None:
    village.log.add(Draft(kind="bulletin", fields={"text": "kurz"}, lifetime_s=60))
    village.post("lang")
    village.clock.advance(100)

    assert village.told() == [("operator", "lang")]


def test_neighbours_cannot_report_a_bulletin_away(village: Village) -> None:
    village.post("Unfug")
    (up,) = village.seen()
    for reporter in (b"a" * 8, b"b" * 8, b"c" * 8):
        of = {"of": (up.origin, up.sequence), "reporter": reporter}
        village.log.add(Draft(kind="report", fields=of))

    # Only what neighbours write for everybody can be reported away (records.folds.MODERATED).
    assert village.told() == [("operator", "Unfug")]


# --- the look ------------------------------------------------------------------------------------


def texts(seen: Sight) -> list[str] | None:
    found = seen.bulletins(seen.facts())
    return None if found is None else [each.text for each in found]


def test_a_new_bulletin_is_seen_by_the_next_look(tmp_path: Path) -> None:
    post(tmp_path, "eins")
    seen = Sight(str(tmp_path / "run"), str(tmp_path / "kiezbox.db"))
    before = seen.version()
    assert texts(seen) == ["eins"]

    post(tmp_path, "zwei")

    assert texts(seen) == ["zwei", "eins"]
    assert seen.version() != before


def test_one_look_serves_everybody_while_nothing_changes(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Sight(str(box / "run"), str(box / "kiezbox.db"), ManualClock(time.time()))
    found = texts(seen)
    version = seen.version()
    monkeypatch.setattr("kiezbox.portal.sight.looked", lambda *_: pytest.fail("a second look"))

    assert texts(seen) == found == ["Warmer Raum: Turnhalle"]
    assert seen.version() == version


def test_bulletins_stay_while_the_log_is_unreadable_and_go_when_they_expire(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiezbox.portal.sight.BULLETINS_S", 0.0)
    village.log.add(Draft(kind="bulletin", fields={"text": "kurz"}, lifetime_s=60))
    village.post("lang")
    assert texts(village.sight) == ["lang", "kurz"]
    os.rename(village.log.path, village.log.path + ".away")
    assert texts(village.sight) == ["lang", "kurz"]

    village.clock.advance(100)

    assert texts(village.sight) == ["lang"]


@pytest.mark.parametrize("state", ["missing", "a folder", "foreign", "noise", "cut", "locked"])
def test_a_log_that_cannot_be_read_is_unknown_and_nobody_waits(tmp_path: Path, state: str) -> None:
    path, holder = tmp_path / "words" / "words.db", None
    path.parent.mkdir()
    if state == "a folder":
        path.mkdir()
    elif state == "foreign":
        with sqlite3.connect(path) as foreign:
            foreign.execute("CREATE TABLE things (origin, kind)")
        foreign.close()
    elif state == "noise":
        path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 64)
    elif state in ("cut", "locked"):
        post(tmp_path, "da")
        if state == "cut":
            os.truncate(path, path.stat().st_size // 2)
        else:
            holder = sqlite3.connect(path, isolation_level=None)
            holder.execute("PRAGMA locking_mode = EXCLUSIVE")
            holder.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()

    found = texts(Sight(str(tmp_path / "run"), str(tmp_path / "kiezbox.db")))

    assert found is None
    assert time.monotonic() - began < A_LOOK_S
    if holder:
        holder.close()
