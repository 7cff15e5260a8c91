"""``kiezbox helper`` and ``kiezbox ticket``: the operator at the command line."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from kiezbox import sealing
from kiezbox.checks import Examined
from kiezbox.checks.helpers import run as check
from kiezbox.cli import helper, moderate, ticket
from kiezbox.clock import SystemClock
from kiezbox.errors import KiezboxError, UsageError
from kiezbox.records import Ref
from kiezbox.settings import Settings, parse
from kiezbox.store.helping import Refused, Unproven
from kiezbox.store.keyring import Keyring
from kiezbox.store.log import Draft, Log

BOX = "kb-musterplatz-1"

PASSPHRASE = "vier Dosen Birnen"

TOML = """
[box]
id = "{box}"
[store]
path = "{folder}/kiezbox.db"
run_dir = "{folder}/run"
[abuse]
moderator_key = "{folder}/moderator.key"
[help]
helper_over_http = true
"""

EXACT = "name: wer dort wohnt\nplace: Hinterhaus\nphone: 0170 5550199\npeople: 3\nwords: Treppe\n"


class Operator:
    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys
        self.words = str(folder / "words" / "words.db")
        self._settings = folder / "kiezbox.toml"
        self._settings.write_text(TOML.format(box=BOX, folder=folder))
        Log.open(self.words, SystemClock(), box=BOX).close()

    def says(self, verb: str, *arguments: str, typed: str = "") -> str:
        """What it prints. ``typed``: on standard input."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        verbs = {"helper": helper.main, "ticket": ticket.main, "moderate": moderate.main}
        main = verbs[verb]
        self._capsys.readouterr()
        assert main([*arguments, "--settings", str(self._settings)]) == 0
        return self._capsys.readouterr().out

    def has_keys(self) -> str:
        return self.says("helper", "keys", typed=f"{PASSPHRASE}\n{PASSPHRASE}\n")

    def log(self) -> Log:
        return Log.open(self.words, SystemClock())


@pytest.fixture
def operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    return Operator(tmp_path, monkeypatch, capsys)


def test_a_request_at_the_door_is_written_down_sealed_and_opened_again(operator: Operator) -> None:
    operator.has_keys()
    posted = ("post", "--need", "carrying", "--block", "Musterweg", "--exact")
    printed = operator.says("ticket", *posted, typed=EXACT)
    number, words = re.findall(r"^(?:number|words)\s+(.*)", printed, re.M)

    listed = operator.says("ticket", "list")
    shown = operator.says("ticket", "show", number, "--open", typed=f"{PASSPHRASE}\n")
    noted = operator.says("helper", "openings")

    assert "carrying" in listed and "Musterweg" in listed
    assert "Hinterhaus" not in listed
    for exact in ("wer dort wohnt", "Hinterhaus", "0170 5550199", "people: 3", "Treppe"):
        assert exact in shown
        assert exact.encode() not in Path(operator.words).read_bytes()
    assert f"ticket {number}" in noted and "operator 1" in noted
    assert "NOT CONFIRMED" not in noted
    log = operator.log()
    told = log.told(Ref(BOX, int(number)))
    log.close()
    assert told is not None and told[0].body["is_on_behalf"] == 1
    kept = told[0].body["lookup"]
    assert sealing.ticket_signer(words, kept)


def test_what_is_exact_is_not_taken_while_there_is_no_key(operator: Operator) -> None:
    with pytest.raises(UsageError, match="no key"):
        operator.says("ticket", "post", "--need", "water", "--block", "Weg", "--exact", typed=EXACT)

    assert operator.says("ticket", "post", "--need", "water", "--block", "Weg")


def test_without_a_moderators_key_nothing_is_done_and_the_call_says_how_to_make_one(
    operator: Operator,
) -> None:
    operator.says("ticket", "post", "--need", "water", "--block", "A")

    with pytest.raises(KiezboxError, match="no moderator's key") as told:
        operator.says("ticket", "close", "1")

    assert "kiezbox moderate keys" in told.value.hint
    assert "received" in operator.says("ticket", "list")


def test_a_key_that_this_box_does_not_believe_leaves_no_record(
    operator: Operator, tmp_path: Path
) -> None:
    from kiezbox.trust import new_key, pack_key

    operator.says("ticket", "post", "--need", "water", "--block", "A")
    foreign = tmp_path / "foreign.key"
    foreign.write_text(pack_key(new_key("Fremde")))

    with pytest.raises(Unproven, match="does not believe"):
        operator.says("ticket", "close", "1", "--key", str(foreign))

    log = operator.log()
    assert log.records("ticket_state") == []
    log.close()


def test_what_nobody_has_signed_is_said_to_be_unconfirmed(operator: Operator) -> None:
    operator.says("ticket", "post", "--need", "water", "--block", "A")
    log = operator.log()
    fields = {"of": Ref(BOX, 1), "role": "helper", "who": b"somebody"}
    log.add(Draft(kind="ticket_state", fields={**fields, "event": "done"}))
    log.add(Draft(kind="opening", fields=fields))
    log.close()

    assert "NOT CONFIRMED, and changes nothing: done by helper" in operator.says(
        "ticket", "show", "1"
    )
    assert "received" in operator.says("ticket", "list")
    assert "NOT CONFIRMED" in operator.says("helper", "openings")


def test_a_ticket_goes_the_tables_ways_and_no_other(operator: Operator) -> None:
    operator.says("moderate", "keys", "--name", "Kiezteam")
    one = json.loads(operator.says("ticket", "post", "--need", "water", "--block", "A", "--json"))[
        "id"
    ]
    other = json.loads(
        operator.says("ticket", "post", "--need", "water", "--block", "B", "--json")
    )["id"]

    for event, after in (
        ("acknowledge", "acknowledged"),
        ("take", "taken"),
        ("yield", "acknowledged"),
        ("forward", "forwarded"),
        ("done", "done"),
        ("reopen", "acknowledged"),
    ):
        assert after in operator.says("ticket", event, one)
    assert "merged" in operator.says("ticket", "merge", one, other)
    with pytest.raises(Refused):
        operator.says("ticket", "take", one)
    open_now = json.loads(operator.says("ticket", "list", "--json"))
    assert [each["id"] for each in open_now] == [other]
    everything = json.loads(operator.says("ticket", "list", "--all", "--json"))
    assert {each["state"] for each in everything} == {"merged", "received"}


def test_an_operators_step_holds_where_nobody_can_judge_and_a_claimed_verdict_does_not(
    operator: Operator,
) -> None:
    """The portal folds with the verdicts it finds; whoever knows the keys works them out anew."""
    operator.has_keys()
    operator.says("moderate", "keys", "--name", "Kiezteam")
    operator.says("ticket", "post", "--need", "water", "--block", "A")
    operator.says("ticket", "forward", "1")
    log = operator.log()
    seen = log.thing(Ref(BOX, 1))
    log.rebuild()
    rebuilt = log.thing(Ref(BOX, 1))
    log.add(Draft(kind="ticket_state", fields={"of": Ref(BOX, 1), "event": "close",
                                               "role": "operator"}))  # fmt: skip
    log.close()
    with closing(sqlite3.connect(operator.words)) as db:
        db.execute("UPDATE log SET issuer = 'Kiezteam' WHERE kind = 5")
        db.commit()

    assert seen is not None and rebuilt is not None
    assert seen.state == rebuilt.state == "forwarded"
    assert "forwarded" in operator.says("ticket", "list")
    assert "NOT CONFIRMED" in operator.says("ticket", "show", "1")


def test_emergencies_come_first(operator: Operator) -> None:
    for what, block in (("offer", "C"), ("ask", "B"), ("emergency", "A")):
        operator.says("ticket", "post", "--what", what, "--need", "other", "--block", block)

    assert json.loads(operator.says("ticket", "list", "--json"))[0]["what"] == "emergency"


def test_an_admitted_helpers_code_opens_the_roles_key(operator: Operator) -> None:
    operator.has_keys()

    admitted = json.loads(operator.says("helper", "admit", "--json", typed=f"{PASSPHRASE}\n"))

    log = operator.log()
    ring = Keyring(log)
    holder = ring.holder(admitted["number"])
    public = ring.publics()["helpers"]
    assert ring.switch("helper_over_http")
    log.close()
    assert holder is not None and holder.expires_at is not None
    assert len(admitted["code"].split()) == 5
    private = sealing.unlock(holder.locked, sealing.folded(admitted["code"]))
    assert sealing.public_of(private) == public


def test_one_key_pair_per_role(operator: Operator) -> None:
    operator.has_keys()

    with pytest.raises(UsageError, match="have a key already"):
        operator.has_keys()
    with pytest.raises(UsageError, match="have a key already"):
        operator.says("helper", "keys", "--public", "11" * 64)


def test_another_box_takes_over_the_pair_and_its_passphrase(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    operator.has_keys()
    exported = operator.says("helper", "export")
    (tmp_path / "pair.json").write_text(exported)
    (tmp_path / "other").mkdir()
    other = Operator(tmp_path / "other", monkeypatch, capsys)

    other.says("helper", "keys", "--from", str(tmp_path / "pair.json"))
    other.says("ticket", "post", "--need", "water", "--block", "W", "--exact", typed="place: Hof 9")

    assert "Hof 9" in other.says("ticket", "show", "1", "--open", typed=f"{PASSPHRASE}\n")
    assert PASSPHRASE not in exported


def test_a_box_with_only_the_public_key_seals_and_cannot_open(operator: Operator) -> None:
    pair = sealing.new_pair()
    operator.says("helper", "keys", "--role", "protection", "--public", pair.public.hex())
    operator.says(
        "ticket", "post", "--need", "water", "--block", "W", "--exact", typed="place: Hof"
    )

    with pytest.raises(UsageError, match="nobody here holds"):
        operator.says("ticket", "show", "1", "--open", "--role", "protection", typed="x\n")
    log = operator.log()
    told = log.told(Ref(BOX, 1))
    log.close()
    assert told is not None
    assert b"Hof" in sealing.unseal(pair.private, told[0].body["sealed_protection"])


@pytest.mark.parametrize(
    "typed, said",
    [
        ("kurz\nkurz\n", "too short"),
        (f"{PASSPHRASE}\nanders als das\n", "differ"),
        ("", "standard input"),
    ],
)
def test_a_passphrase_that_will_not_do_makes_no_key(
    operator: Operator, typed: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        operator.says("helper", "keys", typed=typed)

    assert "no role has a key" in operator.says("helper", "list")


def test_a_wrong_passphrase_opens_nothing_and_is_no_opening(operator: Operator) -> None:
    operator.has_keys()
    operator.says(
        "ticket", "post", "--need", "water", "--block", "W", "--exact", typed="place: Hof"
    )

    with pytest.raises(KiezboxError, match="another one"):
        operator.says("ticket", "show", "1", "--open", typed="vier Dosen Pflaumen\n")

    assert operator.says("helper", "openings") == ""


def test_the_last_who_can_open_what_is_sealed_is_not_removed_by_a_slip(operator: Operator) -> None:
    operator.has_keys()

    with pytest.raises(UsageError) as refused:
        operator.says("helper", "remove", "1")

    assert "forget-keys" in refused.value.hint
    assert "has a passphrase" in operator.says("helper", "list")


def test_exact_words_that_never_came_are_not_taken_for_none(operator: Operator) -> None:
    operator.has_keys()

    with pytest.raises(UsageError, match="nothing exact came"):
        operator.says("ticket", "post", "--block", "W", "--need", "water", "--exact")

    assert json.loads(operator.says("ticket", "list", "--json")) == []


def test_nobody_types_exact_words_that_no_key_could_keep(operator: Operator) -> None:
    with pytest.raises(UsageError, match="no key to seal"):
        operator.says("ticket", "post", "--block", "W", "--need", "water", "--exact", typed=EXACT)


def test_forgetting_leaves_nothing_in_the_file(operator: Operator) -> None:
    operator.has_keys()
    log = operator.log()
    (holder,) = Keyring(log).holders()
    log.close()
    operator.says("helper", "forget-keys")

    files = [Path(operator.words + end) for end in ("", "-wal")]
    left = b"".join(path.read_bytes() for path in files if path.exists())
    assert holder.locked not in left


@pytest.mark.parametrize(
    "verb, arguments",
    [
        ("ticket", ["show"]),
        ("ticket", ["list", "1"]),
        ("ticket", ["merge", "1"]),
        ("ticket", ["take", "99"]),
        ("ticket", ["take", "ticket"]),
        ("ticket", ["post", "--need", "water"]),
        ("ticket", ["post", "--block", "W"]),
        ("ticket", ["explode", "1"]),
        ("helper", ["remove"]),
        ("helper", ["remove", "99"]),
        ("helper", ["list", "1"]),
        ("helper", ["keys", "--public", "zz"]),
        ("helper", ["keys", "--public", "11" * 32]),
        ("helper", ["keys", "--from", "/nonexistent"]),
        ("helper", ["admit"]),
    ],
)
def test_a_wrong_call_is_one_sentence(operator: Operator, verb: str, arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        operator.says(verb, *arguments)


@pytest.mark.parametrize("typed", ["people: 1000", "people: x", "place: " + "y" * 301, "shoe: 43"])
def test_what_does_not_fit_is_refused_before_anything_is_stored(
    operator: Operator, typed: str
) -> None:
    operator.has_keys()

    with pytest.raises(UsageError):
        operator.says("ticket", "post", "--need", "water", "--block", "W", "--exact", typed=typed)

    assert operator.says("ticket", "list") == ""


def test_the_check_says_that_nobody_can_open_or_only_one(operator: Operator) -> None:
    said = [texts(operator)]
    operator.has_keys()
    said.append(texts(operator))
    operator.says("helper", "export")
    log = operator.log()
    Keyring(log).admit("helpers", b"another")
    log.close()
    said.append(texts(operator))

    assert ["no helper has a key" in each for each in said] == [True, False, False]
    assert ["one person alone" in each for each in said] == [False, True, False]
    assert ["without https" in each for each in said] == [False, True, True]


def texts(operator: Operator) -> str:
    settings = parse(Settings, tomllib.loads(TOML.format(box=BOX, folder=operator.folder)))
    return " ".join(each.message for each in check(Examined(settings, SystemClock(), None)))
