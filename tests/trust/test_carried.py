"""Bulletins that are signed on a computer without a box, and carried there as a file."""

from __future__ import annotations

import io
import json
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kiezbox.cli import main
from kiezbox.clock import SystemClock
from kiezbox.errors import KiezboxError
from kiezbox.store.log import Log


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class Two:
    """A laptop, which has keys and no box, and a box, which has no keys."""

    def __init__(self, folder: Path) -> None:
        self.laptop, self.box = folder / "laptop", folder / "box"
        self.laptop.mkdir()
        self.box.mkdir()
        root = json.loads(self.on_laptop("trust", "key", "root.key", "--json"))["public"]
        (self.box / "kiezbox.toml").write_text(
            f'[box]\nid = "kb-a"\n[store]\npath = "{self.box}/kiezbox.db"\n'
            f'[trust]\nroots = ["{root}"]\n[clock]\nwall_anchor = 1.0\n'
        )
        Log.open(str(self.box / "words" / "words.db"), SystemClock(), box="kb-a").close()

    def run(self, where: Path, *words: str) -> Done:
        """In this process: starting one for each call would take minutes."""
        out, error = io.StringIO(), io.StringIO()
        with chdir(where), redirect_stdout(out), redirect_stderr(error):
            try:
                code = main([*words, "--settings", str(where / "kiezbox.toml")])
            except KiezboxError as wrong:
                code = wrong.exit_code
                print(f"{wrong}\n{wrong.hint}", file=error)
        return Done(code, out.getvalue(), error.getvalue())

    def on_laptop(self, *words: str) -> str:
        done = self.run(self.laptop, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def on_box(self, *words: str) -> str:
        done = self.run(self.box, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, where: Path, *words: str) -> str:
        done = self.run(where, *words)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def issuer(self, name: str, *limits: str) -> None:
        self.on_laptop("trust", "key", f"{name}.key", "--name", name)
        self.on_laptop("trust", "certify", f"{name}.key", "--by", "root.key", "--name", name,
                       *limits, "--to", f"{name}.txt")  # fmt: skip
        self.on_box("trust", "import", str(self.laptop / f"{name}.txt"))

    def shown(self) -> dict[str, str]:
        """What is up on the box and not hidden: text → standing."""
        listed: list[dict[str, Any]] = json.loads(self.on_box("bulletin", "list", "--json"))
        return {
            each["text"] or each["headline"]: each["standing"]
            for each in listed
            if not each["standing"].startswith("not shown")
        }


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A box with a root's key lying about; nothing that is tried there does anything."""
    two = Two(tmp_path_factory.mktemp("wrong"))
    (two.box / "root.key").write_bytes((two.laptop / "root.key").read_bytes())
    return two.box


def test_what_was_signed_on_a_laptop_is_official_on_the_box(two: Two) -> None:
    two.issuer("Brigade")
    two.on_laptop("bulletin", "post", "Warmer Raum: Turnhalle", "--sign", "Brigade.key", "--to",
                  "warm.txt")  # fmt: skip

    said = (two.laptop / "warm.txt").read_text()
    two.on_box("bulletin", "import", str(two.laptop / "warm.txt"))

    assert "# Warmer Raum: Turnhalle" in said and "# signed by Brigade" in said
    assert "secret" not in said
    assert two.shown() == {"Warmer Raum: Turnhalle": "official: Brigade"}
    assert not list(two.laptop.glob("*.db*"))


def test_the_same_file_twice_is_one_bulletin(two: Two) -> None:
    two.issuer("Brigade")
    two.on_laptop("bulletin", "post", "Einmal", "--sign", "Brigade.key", "--to", "a.txt")

    two.on_box("bulletin", "import", str(two.laptop / "a.txt"))
    again = two.run(two.box, "bulletin", "import", str(two.laptop / "a.txt"))

    assert again.returncode == 0 and "has it already" in again.stderr
    assert len(json.loads(two.on_box("bulletin", "list", "--json"))) == 1


def test_it_is_taken_back_by_a_second_file(two: Two) -> None:
    two.issuer("Brigade")
    two.on_laptop("bulletin", "post", "Wasser abkochen", "--sign", "Brigade.key", "--to", "a.txt")
    two.on_box("bulletin", "import", str(two.laptop / "a.txt"))
    two.on_laptop("bulletin", "withdraw", "a.txt", "--sign", "Brigade.key", "--to", "gone.txt")

    two.on_box("bulletin", "import", str(two.laptop / "gone.txt"))

    assert two.shown() == {}
    # And in the other order, on a box that heard of the end first.
    assert "has taken it back" in two.refused(
        two.box, "bulletin", "import", str(two.laptop / "a.txt")
    ) or two.shown() == {}  # fmt: skip


def test_a_later_file_replaces_an_earlier_one(two: Two) -> None:
    two.issuer("Brigade")
    two.on_laptop("bulletin", "post", "bis 18 Uhr", "--sign", "Brigade.key", "--to", "a.txt",
                  "--time", "2026-01-07T18:00")  # fmt: skip
    two.on_laptop("bulletin", "post", "bis 20 Uhr", "--sign", "Brigade.key", "--to", "b.txt",
                  "--replaces", "a.txt")  # fmt: skip

    two.on_box("bulletin", "import", str(two.laptop / "b.txt"))

    assert two.shown() == {"bis 20 Uhr": "official: Brigade"}


@pytest.mark.parametrize(("limits", "words", "why"), [
    (("--scope", "box"), (), "wider scope"),
    (("--severity", "minor"), ("--severity", "severe"), "graver"),
    (("--languages", "fr"), (), 'does not write in "de"'),
    (("--days", "1"), ("--hours", "48"), "does not cover its whole life"),
    (("--rights", "moderate"), (), 'not the right "bulletin"'),
    ((), ("--time", "2026-01-07T18:30"), "cover its whole life"),
])  # fmt: skip
def test_what_goes_beyond_its_issuer_is_not_taken_in(
    two: Two, limits: tuple[str, ...], words: tuple[str, ...], why: str
) -> None:
    two.issuer("Brigade", *limits)
    two.on_laptop("bulletin", "post", "Zu weit", "--sign", "Brigade.key", "--to", "a.txt", *words)

    assert why in two.refused(two.box, "bulletin", "import", str(two.laptop / "a.txt"))

    assert two.shown() == {}


def test_one_whom_nobody_certified_says_nothing_official(two: Two) -> None:
    two.on_laptop("trust", "key", "stranger.key", "--name", "Feuerwehr")
    two.on_laptop("bulletin", "post", "Alle raus", "--sign", "stranger.key", "--to", "a.txt")

    said = two.refused(two.box, "bulletin", "import", str(two.laptop / "a.txt"))

    assert "no certificate that this box believes" in said and "trust import" in said


def test_for_a_whole_city_two_offices_sign_one_after_the_other(two: Two) -> None:
    two.issuer("Mayor", "--scope", "city")
    two.issuer("Brigade", "--scope", "city")
    two.on_laptop("bulletin", "post", "Wasser sparen", "--scope", "city", "--second", "Mayor.key",
                  "--to", "half.txt")  # fmt: skip

    assert "second one does" in two.refused(
        two.box, "bulletin", "import", str(two.laptop / "half.txt")
    )
    two.on_laptop("bulletin", "sign", "half.txt", "--sign", "Brigade.key", "--to", "whole.txt")
    two.on_box("bulletin", "import", str(two.laptop / "whole.txt"))

    assert two.shown() == {"Wasser sparen": "official: Brigade"}


def test_one_office_alone_signs_nothing_for_a_city_by_signing_twice(two: Two) -> None:
    two.issuer("Mayor", "--scope", "city")
    two.on_laptop("bulletin", "post", "Wasser sparen", "--scope", "city", "--second", "Mayor.key",
                  "--to", "half.txt")  # fmt: skip
    two.on_laptop("bulletin", "sign", "half.txt", "--sign", "Mayor.key", "--to", "whole.txt")

    said = two.refused(two.box, "bulletin", "import", str(two.laptop / "whole.txt"))

    assert "two issuers must sign" in said


def test_a_file_that_was_changed_on_its_way_is_refused(two: Two) -> None:
    two.issuer("Brigade")
    two.on_laptop("bulletin", "post", "Bleibt hier", "--sign", "Brigade.key", "--to", "a.txt")
    path = two.laptop / "a.txt"
    head, _, line = path.read_text().partition("\nsigned ")
    # Within the words, the key's id and the signature.
    for n in (24, 30, len(line) - 110, len(line) - 20):
        letter = "A" if line[n] != "A" else "B"
        path.write_text(f"{head}\nsigned {line[:n]}{letter}{line[n + 1 :]}")
        two.refused(two.box, "bulletin", "import", str(path))

    assert two.shown() == {}


@pytest.mark.parametrize(("words", "hint"), [
    (("bulletin", "post", "x", "--to", "a.txt"), "at the box itself"),
    (("bulletin", "import", "nowhere.txt"), "Is the name right"),
    (("bulletin", "import"), "--help"),
    (("bulletin", "import", "root.key"), "--to FILE"),
    (("bulletin", "sign", "root.key"), ""),
    (("bulletin", "sign", "root.key", "--sign", "root.key", "--to", "x"), "--to FILE"),
    (("bulletin", "withdraw", "root.key", "--sign", "root.key", "--to", "x"), "--to FILE"),
    (("trust", "certify", "root.key", "--name", "X"), "root's"),
    (("trust", "certify", "castle", "--by", "root.key", "--name", "X"), "64 digits"),
    (("trust", "certify", "root.key", "--by", "root.key"), "office"),
    (("trust", "certify", "root.key", "--by", "root.key", "--name", "X", "--rights", "x"), "Of b"),
    (("trust", "certify", "root.key", "--by", "root.key", "--name", "X", "--days", "0"), "anew"),
    (("trust", "certify", "root.key", "--by", "root.key", "--name", "X", "--languages", "xx"),
     "kiezbox languages"),
    (("trust", "key"), "--help"),
    (("trust", "list", "--by", "root.key"), ""),
])  # fmt: skip
def test_a_wrong_call_says_what_to_do(
    wrong: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], hint: str
) -> None:
    monkeypatch.chdir(wrong)
    monkeypatch.setenv("KIEZBOX_SETTINGS", str(wrong / "kiezbox.toml"))

    with pytest.raises(KiezboxError) as refused:
        main(list(words))

    assert hint in refused.value.hint


def test_a_revocation_by_somebody_who_may_not_is_said_to_change_nothing(two: Two) -> None:
    two.issuer("Brigade")
    two.issuer("Mayor")
    two.on_laptop("trust", "revoke", "Brigade.key", "--by", "Mayor.key", "--to", "gone.txt")

    done = two.run(two.box, "trust", "import", str(two.laptop / "gone.txt"))

    assert done.returncode == 0 and "is still believed" in done.stderr
    assert "Brigade" in done.stdout
