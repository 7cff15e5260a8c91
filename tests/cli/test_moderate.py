"""``kiezbox moderate`` and ``kiezbox question``: the command line as an operator uses it."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from kiezbox.cli import console_script
from kiezbox.clock import SystemClock
from kiezbox.records import Ref
from kiezbox.records.folds import REPORTS_TO_HIDE
from kiezbox.store.log import Draft, Log

BOX = "kb-musterplatz-1"


class Box:
    """A folder with settings and a log of words in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.words = folder / "words" / "words.db"
        self.key = folder / "moderator.key"
        (folder / "kiezbox.toml").write_text(
            f'[box]\nid = "{BOX}"\n[store]\npath = "{folder}/kiezbox.db"\n'
            f'run_dir = "{folder}/run"\n[abuse]\nmoderator_key = "{self.key}"\n'
        )
        self.words.parent.mkdir()
        self.log().close()

    def log(self) -> Log:
        return Log.open(str(self.words), SystemClock(), box=BOX)

    def post(self, text: str, reports: int = 0) -> Ref:
        log = self.log()
        (added,) = log.add(Draft(kind="post", fields={"topic": 2, "text": text}))
        for n in range(reports):
            fields = {"of": added.ref, "reason": 1, "reporter": bytes([n] * 8)}
            log.add(Draft(kind="report", fields=fields))
        log.close()
        return added.ref

    def is_hidden(self, ref: Ref) -> bool:
        log = self.log()
        thing = log.thing(ref)
        log.close()
        assert thing is not None
        return thing.is_hidden

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """As the console script does, in this process: a start takes 0.2 s."""
        out, error, before = io.StringIO(), io.StringIO(), sys.argv
        sys.argv = ["kiezbox", *arguments, "--settings", str(self.folder / "kiezbox.toml")]
        try:
            with redirect_stdout(out), redirect_stderr(error):
                code = console_script()
        finally:
            sys.argv = before
        return code, out.getvalue(), error.getvalue()

    def ask(self, *arguments: str) -> str:
        code, out, error = self.run(*arguments)
        assert code == 0, error
        return out


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


@pytest.fixture
def moderated(box: Box) -> Box:
    """The same, with a moderator's key."""
    assert "Kiezteam" in box.ask("moderate", "keys", "--name", "Kiezteam")
    return box


def test_the_key_is_its_owners_alone_and_is_never_made_twice(moderated: Box) -> None:
    before = moderated.key.read_text()

    moderated.ask("moderate", "keys", "--name", "Another")

    assert moderated.key.stat().st_mode & 0o777 == 0o600
    assert moderated.key.read_text() == before


def test_what_was_reported_waits_until_somebody_decides(moderated: Box) -> None:
    quiet, loud = moderated.post("Suche Kerzen", 1), moderated.post("Betrug", REPORTS_TO_HIDE)
    moderated.post("Nie gemeldet")

    queue = json.loads(moderated.ask("moderate", "queue", "--json"))
    assert [case["id"] for case in queue] == [str(loud), str(quiet)]
    assert [case["is_hidden"] for case in queue] == [True, False]
    assert queue[0]["reports"] == {"fraud": REPORTS_TO_HIDE}

    moderated.ask("moderate", "restore", str(loud), "--reason", "ist keiner")
    moderated.ask("moderate", "hide", str(quiet).replace("/", "."))

    assert not moderated.is_hidden(loud)
    assert moderated.is_hidden(quiet)
    assert json.loads(moderated.ask("moderate", "queue", "--json")) == []


def test_after_a_moderators_word_no_number_of_reports_changes_it(moderated: Box) -> None:
    ref = moderated.post("Suppe ab 18 Uhr", REPORTS_TO_HIDE)
    moderated.ask("moderate", "restore", str(ref))
    log = moderated.log()
    for n in range(50, 90):
        log.add(Draft(kind="report", fields={"of": ref, "reporter": bytes([n] * 8)}))
    log.close()

    assert not moderated.is_hidden(ref)


def test_the_last_word_counts_and_an_old_one_sent_again_does_not(moderated: Box) -> None:
    ref = moderated.post("Suppe ab 18 Uhr")
    moderated.ask("moderate", "hide", str(ref))
    moderated.ask("moderate", "restore", str(ref))
    log = moderated.log()
    old = next(each for each in log.records("moderation") if each.body["verdict"] == "hide").record

    again = Draft(
        kind="moderation", body=old.body, lifetime_s=old.lifetime_s, key=old.key,
        signature=old.signature,
    )  # fmt: skip
    log.add(again)
    log.close()
    # Judged as every opening of the operator's judges.
    moderated.ask("moderate", "queue")

    assert not moderated.is_hidden(ref)


def test_the_log_says_who_decided_what_and_why(moderated: Box) -> None:
    ref = moderated.post("Betrug", 1)
    moderated.ask("moderate", "hide", str(ref), "--reason", "Verkauft Wasser, das es nicht gibt")
    moderated.ask("moderate", "restore", str(ref))

    decisions = json.loads(moderated.ask("moderate", "log", "--json"))

    assert [(each["verdict"], each["issuer"]) for each in decisions] == [
        ("restore", "Kiezteam"), ("hide", "Kiezteam"),
    ]  # fmt: skip
    assert decisions[1]["reason"] == "Verkauft Wasser, das es nicht gibt"
    assert "hide" in moderated.ask("moderate", "log")


def test_a_key_that_the_box_does_not_believe_decides_nothing(moderated: Box) -> None:
    ref = moderated.post("Suche Kerzen")
    stranger = moderated.folder / "stranger"
    stranger.mkdir()
    theirs = Box(stranger)
    theirs.ask("moderate", "keys", "--name", "Woanders")

    code, _, error = moderated.run("moderate", "hide", str(ref), "--key", str(theirs.key))

    assert code != 0
    assert "does not believe" in error
    assert not moderated.is_hidden(ref)
    assert json.loads(moderated.ask("moderate", "log", "--json")) == []

    moderated.ask("moderate", "keys", "--add", str(theirs.key), "--name", "Woanders")
    moderated.ask("moderate", "hide", str(ref), "--key", str(theirs.key))
    assert moderated.is_hidden(ref)


def test_a_key_that_is_believed_no_more_takes_its_decisions_with_it(moderated: Box) -> None:
    ref = moderated.post("Suche Kerzen")
    moderated.ask("moderate", "hide", str(ref))
    (line,) = moderated.ask("moderate", "keys").splitlines()

    moderated.ask("moderate", "keys", "--remove", line.split()[0])

    assert not moderated.is_hidden(ref)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("moderate", "hide"), "needs an ID"),
        (("moderate", "hide", "nonsense"), "is no id"),
        (("moderate", "hide", f"{BOX}/77"), "there is no kb-musterplatz-1/77"),
        (("moderate", "show", f"{BOX}/77"), "there is no"),
        (("moderate", "block", "**"), "no word to block"),
        (("moderate", "keys", "--add", "x"), "needs --name"),
        (("question", "ask", "Kalt?", "ja"), "a text and two answers"),
        (("question", "ask", "Kalt?", "ja", "ja"), "2 to 20 different answers"),
        (("question", "close", f"{BOX}/77"), "there is no question"),
    ],
)
def test_a_wrong_call_is_a_sentence(moderated: Box, arguments: tuple[str, ...], said: str) -> None:
    code, _, error = moderated.run(*arguments)

    assert code != 0
    assert said in error
    assert "Traceback" not in error


def test_without_a_key_the_verb_says_how_to_make_one(box: Box) -> None:
    ref = box.post("Suche Kerzen")

    code, _, error = box.run("moderate", "hide", str(ref))

    assert code != 0
    assert "kiezbox moderate keys" in error


def test_blocked_words_reach_the_portal_without_a_restart(moderated: Box) -> None:
    moderated.ask("moderate", "block", "Depp")
    moderated.ask("moderate", "block", "*betrug*")
    rules = moderated.folder / "run" / "abuse.json"
    assert json.loads(rules.read_text())["blocked"] == ["Depp", "*betrug*"]

    moderated.ask("moderate", "block", "Depp", "--remove")

    assert json.loads(rules.read_text())["blocked"] == ["*betrug*"]
    assert moderated.ask("moderate", "block") == "*betrug*\n"


def test_a_question_is_asked_listed_and_closed(moderated: Box) -> None:
    moderated.ask("question", "ask", "Ist das Wasser trüb?", "ja", "nein", "--days", "3")
    (question,) = json.loads(moderated.ask("question", "list", "--json"))
    assert (question["text"], question["answers"], question["counts"], question["by"]) == (
        "Ist das Wasser trüb?", ["ja", "nein"], [0, 0], "Kiezteam",
    )  # fmt: skip

    moderated.ask("question", "close", question["id"])

    assert "closed" in moderated.ask("question", "list")
