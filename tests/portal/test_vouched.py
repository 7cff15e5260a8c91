"""Somebody has broken into the portal's process and writes into the log what it may write there:
verdicts, folds, keys. Nothing of it is official, for residents and for the operator.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from street import NOW
from test_bulletins import Village, said
from warned import fields

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "trust"))
from issuing import BRIGADE, ROOT, STRANGER

from kiezbox import vouched
from kiezbox.portal.official import warnings_of
from kiezbox.records import KINDS, Record, Ref, kind_named, next_stamp, pack, pack_body
from kiezbox.store.believing import trust_of
from kiezbox.store.box_key import own_key, own_public
from kiezbox.store.log import Draft, Log
from kiezbox.store.moderators import believe, believed
from kiezbox.trust import FETCHED_HERE, pack_certificate

BOX = "kb-musterplatz-1"


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    village = Village(tmp_path)
    village.take(said(BRIGADE, "Wasser am Platz"))
    yield village
    village.log.close()


def break_in(village: Village, sql: str, *rows: Any) -> None:
    """As the portal's user may: any statement on the log's file."""
    with closing(sqlite3.connect(village.log.path)) as db, db:
        db.executemany(sql, rows or [()])


LOG = (
    "INSERT INTO log (origin, sequence, stamp, kind, received_at, expires_at, is_personal,"
    " is_trusted, is_receipt_sure, is_signed, frame, issuer)"
    " VALUES (?, ?, ?, ?, ?, ?, 0, 1, 1, ?, ?, ?)"
)
THING = "INSERT INTO things VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, x'', ?)"


def forged(kind: str, words: dict[str, Any], sequence: int, **more: Any) -> Record:
    found = kind_named(kind)
    return Record(
        BOX, sequence, next_stamp(0, NOW), found.number, int(found.priority), 1, 86400, True,
        pack_body(found, words), **more,
    )  # fmt: skip


def put_in(village: Village, record: Record, issuer: str, is_signed: int) -> None:
    """A record with a verdict beside it, and no fold."""
    row = (*record.ref, record.stamp, record.kind, NOW, NOW + 80000, is_signed, pack(record))
    break_in(village, LOG, (*row, issuer))


def put_up(
    village: Village,
    kind: str,
    sequence: int,
    text: str,
    issuer: str,
    data: dict[str, Any],
    *,
    topic: str = "",
    state: str = "up",
) -> None:
    """A fold, and no record."""
    row = (BOX, sequence, kind_named(kind).number, NOW, NOW, NOW + 80000, topic, state, text, "de")
    break_in(village, THING, (*row, issuer, json.dumps(data)))


SIGNED_DATA = {"is_signed": 1, "issued_at": int(NOW), "until": int(NOW) + 80000, "serial": 77}


def test_a_verdict_and_a_fold_that_the_portal_writes_make_nothing_official(
    village: Village,
) -> None:
    words = {"text": "Alle in die Keller", "issued_at": int(NOW), "serial": 77, "severity": 4}
    record = forged("bulletin", words, 900)
    put_in(village, record, "Feuerwehr", 0)
    put_up(village, "bulletin", 900, "Alle in die Keller", "Feuerwehr", SIGNED_DATA)
    put_up(village, "bulletin", 901, "Alle aus dem Haus", "Feuerwehr", {})

    assert village.told() == [("official", "Wasser am Platz")]


def test_a_signature_that_is_none_gains_nothing_by_a_verdict_beside_it(village: Village) -> None:
    words = {"text": "Alle in die Keller", "issued_at": int(NOW), "serial": 77}
    record = forged("bulletin", words, 900, key=BRIGADE.id, signature=bytes(64))
    put_in(village, record, "Feuerwehr", 1)
    put_up(village, "bulletin", 900, "Alle in die Keller", "Feuerwehr", SIGNED_DATA)

    assert village.told() == [("official", "Wasser am Platz")]


@pytest.mark.parametrize(
    "change",
    [
        "text = 'Kein Wasser am Platz'", "issuer = 'Stadt'", "expires_at = expires_at + 1",
        "data = json_set(data, '$.until', 1e10)", "state = 'withdrawn'", "language = 'ar'",
        "written_at = 0.0",
    ],
)  # fmt: skip
def test_what_is_vouched_for_is_shown_word_for_word_or_not_at_all(
    village: Village, change: str
) -> None:
    assert village.told() == [("official", "Wasser am Platz")]

    break_in(village, f"UPDATE things SET {change}")

    assert village.told() == []


def test_what_was_taken_back_is_not_put_up_again(village: Village) -> None:
    with closing(sqlite3.connect(village.log.path)) as db:
        kept = db.execute("SELECT * FROM things").fetchall()
    from kiezbox.trust import sign

    back = {"of": Ref(BOX, 1), "issued_at": int(NOW), "serial": 2, "issuer_serial": 1}
    village.take(sign("withdrawal", back, BRIGADE, lifetime_s=86400))
    assert village.told() == []

    break_in(village, "DELETE FROM things")
    break_in(village, f"INSERT INTO things VALUES ({', '.join('?' * 14)})", *kept)

    assert village.told() == []


def test_a_warning_is_official_only_as_the_node_fetched_it(village: Village) -> None:
    said = fields(1, NOW, texts={"de": {"headline": "Alle in die Keller"}})
    data = {name: value for name, value in said.items() if name not in ("source", "texts")}
    put_up(village, "warning", 900, said["texts"], FETCHED_HERE, data, topic="nina", state="alert")

    assert warnings_of(village.sight.shown, NOW, "de") == []


def test_nobody_asks_a_question_by_writing_it_into_the_folds(village: Village) -> None:
    data = {"answers": ["ja", "nein"], "counts": [0, 0], "issued_at": int(NOW)}
    put_up(village, "question", 900, "Ihre PIN?", "Kiezteam", data, state="open")
    put_up(village, "question", 901, "Ihre Nummer?", "", data, state="open")

    assert village.sight.shown.things("question", NOW) == []


def test_whoever_judges_next_takes_away_what_the_portal_wrote(village: Village) -> None:
    words = {"text": "Alle in die Keller", "issued_at": int(NOW), "serial": 77}
    put_in(village, forged("bulletin", words, 900), "Feuerwehr", 0)
    put_up(village, "bulletin", 900, "Alle in die Keller", "Feuerwehr", SIGNED_DATA)
    put_up(village, "bulletin", 901, "Alle aus dem Haus", "Feuerwehr", SIGNED_DATA)
    break_in(village, "UPDATE things SET text = 'Kein Wasser' WHERE sequence = 1")

    with closing(Log.open(village.log.path, village.clock)) as operator:
        operator.judge_by(village.trusting.trust().judge)
        listed = [(each.issuer, each.text) for each in operator.things("bulletin")]

    assert sorted(listed) == [("", "Alle in die Keller"), ("Feuerwehr", "Wasser am Platz")]
    with closing(sqlite3.connect(village.log.path)) as db:
        verdicts = dict(db.execute("SELECT sequence, issuer FROM log"))
    assert verdicts == {1: "Feuerwehr", 900: ""}
    assert village.told() == [("official", "Wasser am Platz"), ("operator", "Alle in die Keller")]


def test_an_operator_who_has_judged_is_not_told_what_was_written_a_moment_later(
    village: Village,
) -> None:
    with closing(Log.open(village.log.path, village.clock)) as operator:
        operator.judge_by(village.trusting.trust().judge)
        words = {"text": "Alle in die Keller", "issued_at": int(NOW), "serial": 77}
        put_in(village, forged("bulletin", words, 900), "Feuerwehr", 0)
        put_up(village, "bulletin", 900, "Alle in die Keller", "Feuerwehr", SIGNED_DATA)

        thing, told = operator.thing(Ref(BOX, 900)), operator.told(Ref(BOX, 900))

    assert thing is not None and thing.issuer == ""
    assert told is not None and told[0].issuer == ""


def test_keys_that_the_portal_lays_beside_the_log_are_nobodys(tmp_path: Path) -> None:
    words = tmp_path / "words" / "words.db"
    own = own_key(str(tmp_path / "kiezbox.db"), str(words), BOX)
    believe(str(words), BRIGADE.public, "Kiezteam")
    words.parent.mkdir()
    (words.parent / "box.pub").write_text(STRANGER.public.hex() + "\n", encoding="utf-8")
    (words.parent / "moderators").write_text(f"{STRANGER.public.hex()} Ich\n", encoding="utf-8")

    assert own_public(str(words)) == own.public
    assert believed(str(words)) == {BRIGADE.public: "Kiezteam"}


def test_voices_and_reports_change_nothing_of_what_is_vouched_for(village: Village) -> None:
    believe(village.log.path, STRANGER.public, "Kiezteam")
    certificates = [pack_certificate(each) for each in village.trusting.certificates]
    village.log.add(*(Draft(kind="certificate", fields={"certificate": c}) for c in certificates))
    village.log.judge_by(trust_of(village.log, (ROOT.public.hex(),), village.clock).judge)
    from kiezbox.store.moderation import ask

    asked = ask(
        village.log, "Ist das Wasser klar?", ["ja", "nein"], STRANGER, language="de",
        lifetime_s=86400, now=NOW,
    )  # fmt: skip
    ref = Ref(asked.origin, asked.sequence)

    with closing(Log.open(village.log.path, village.clock)) as portal:
        portal.add(
            *(Draft(kind="voice", fields={"of": ref, "answer": n % 2}) for n in range(5)),
            Draft(kind="report", fields={"of": ref, "reason": 1, "reporter": b"a"}),
        )

    (shown,) = village.sight.shown.things("question", NOW)
    assert (shown.issuer, shown.data["counts"]) == ("Kiezteam", [3, 2])


def test_nobody_reports_an_authoritys_or_the_operators_words_away(village: Village) -> None:
    village.post("Warmer Raum in der Turnhalle")
    for sequence in (1, 2):
        for reporter in (b"a", b"b", b"c", b"d"):
            said_of = {"of": Ref(BOX, sequence), "reason": 0, "reporter": reporter}
            village.log.add(Draft(kind="report", fields=said_of))

    assert village.told() == [
        ("official", "Wasser am Platz"), ("operator", "Warmer Raum in der Turnhalle"),
    ]  # fmt: skip


def test_a_log_whose_list_cannot_be_written_is_still_one(tmp_path: Path) -> None:
    (tmp_path / vouched.FILE).mkdir()

    village = Village(tmp_path)
    village.take(said(BRIGADE, "Wasser am Platz"))

    assert [each.issuer for each in village.log.things("bulletin")] == ["Feuerwehr"]
    assert village.told() == []
    village.log.close()


#: What the portal's user does with its rights: 2770 for the words, 0750 for the folder above.
_AS_THE_PORTAL = """
import os, sqlite3, sys
os.setgroups([4000, 4001]); os.setgid(4002); os.setuid(4002)
folder = sys.argv[1]
db = sqlite3.connect(folder + "/words/words.db")
db.execute("UPDATE log SET issuer = 'Ich'"); db.commit(); db.close()
for name in ("vouched", "moderators", "box.pub"):
    for act in (lambda p: open(p, "r+"), lambda p: open(p + ".x", "w"), os.unlink,
                lambda p: os.rename(folder + "/words/x", p)):
        try:
            open(folder + "/words/x", "w").close()
            act(folder + "/" + name)
        except PermissionError:
            continue
        sys.exit("could write " + name)
open(folder + "/vouched").close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_the_portals_user_writes_the_log_and_reads_the_list() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        village = Village(folder)
        village.take(said(BRIGADE, "Wasser am Platz"))
        village.log.close()
        believe(str(folder / "words" / "words.db"), BRIGADE.public, "Kiezteam")
        own_key(str(folder / "kiezbox.db"), str(folder / "words" / "words.db"), BOX)
        # As systemd/tmpfiles.d and the units have it: node 4000, words 4001, portal 4002.
        os.chown(folder, 4000, 4000)
        folder.chmod(0o750)
        os.chown(folder / "words", 4000, 4001)
        (folder / "words").chmod(0o2770)
        for file in (folder / "words").iterdir():
            os.chown(file, 4000, 4001)
            file.chmod(0o660)
        for name in ("vouched", "moderators", "box.pub"):
            os.chown(folder / name, 4000, 4000)

        done = subprocess.run(
            [sys.executable, "-c", _AS_THE_PORTAL, place],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip

        assert (done.returncode, done.stderr) == (0, "")


def test_the_names_of_a_row_are_those_of_the_table(village: Village) -> None:
    with closing(sqlite3.connect(village.log.path)) as db:
        table = [row[1] for row in db.execute("PRAGMA table_info(things)")]

    assert [name for name in table if name in vouched.COLUMNS] == list(vouched.COLUMNS)
    assert KINDS[kind_named("question").number].name == "question"
