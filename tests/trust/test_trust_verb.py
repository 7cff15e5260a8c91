"""``kiezbox trust``: from an offline root to a box that believes, and back."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kiezbox.cli.trust import main
from kiezbox.clock import SystemClock
from kiezbox.errors import KiezboxError
from kiezbox.store.log import Log
from kiezbox.trust import new_key, pack_key

LIMIT_S = 60.0


class Desk:
    """A computer with files, and a box."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def says(self, *words: str, ok: bool = True) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "kiezbox", *words],
            cwd=self.folder, capture_output=True, text=True, timeout=LIMIT_S,
            env={**os.environ, "KIEZBOX_SETTINGS": str(self.folder / "kiezbox.toml")},
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if ok else done.stderr

    def key(self, name: str, *more: str) -> str:
        """Its public half."""
        made = self.says("trust", "key", f"{name}.key", "--name", name, "--json", *more)
        return str(json.loads(made)["public"])

    def box(self, root: str) -> None:
        (self.folder / "kiezbox.toml").write_text(
            f'[box]\nid = "kb-a"\n[store]\npath = "{self.folder}/kiezbox.db"\n'
            f'[trust]\nroots = ["{root}"]\n[clock]\nwall_anchor = 1.0\n'
        )
        path = str(self.folder / "words" / "words.db")
        Log.open(path, SystemClock(), box="kb-a").close()

    def believed(self) -> list[str]:
        issuers: list[dict[str, Any]] = json.loads(self.says("trust", "list", "--json"))["issuers"]
        return [each["name"] for each in issuers]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_from_a_root_to_an_official_bulletin_and_back(desk: Desk) -> None:
    desk.box(desk.key("root"))
    desk.key("city")
    desk.key("brigade")
    desk.says("trust", "certify", "city.key", "--by", "root.key", "--name", "Stadt", "--rights",
              "bulletin,certify", "--to", "city.txt")  # fmt: skip
    desk.says("trust", "certify", "brigade.key", "--by", "city.key", "--name", "Feuerwehr",
              "--languages", "de", "--area", "Musterstadt", "--to", "brigade.txt")  # fmt: skip

    shown = desk.says("trust", "import", "brigade.txt", "city.txt")

    assert "2 new" in shown and "certified by Stadt" in shown and "for Musterstadt" in shown
    assert desk.believed() == ["Feuerwehr", "Stadt"]
    desk.says("bulletin", "post", "Wasser am Platz", "--sign", "brigade.key")
    assert "official: Feuerwehr" in desk.says("bulletin", "list")

    desk.says("trust", "revoke", "city.key", "--by", "root.key", "--reason", "gestohlen",
              "--to", "gone.txt")  # fmt: skip
    assert "1 records are worth something else now" in desk.says("trust", "import", "gone.txt")

    assert desk.believed() == []
    assert "not shown: its key has no certificate" in desk.says("bulletin", "list")
    assert "revoked: gestohlen" in desk.says("trust", "list")


def test_importing_twice_changes_nothing_the_second_time(desk: Desk) -> None:
    desk.box(desk.key("root"))
    public = desk.key("issuer")
    desk.says("trust", "certify", public, "--by", "root.key", "--name", "A", "--to", "a.txt")

    assert "1 new" in desk.says("trust", "import", "a.txt")
    assert "0 new" in desk.says("trust", "import", "a.txt", "a.txt")


def test_a_key_file_is_for_its_owner_only_and_never_overwritten(desk: Desk) -> None:
    desk.key("root")
    path = desk.folder / "root.key"
    before = path.read_text()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "is there already" in desk.says("trust", "key", "root.key", ok=False)
    assert path.read_text() == before


def test_a_sealed_key_signs_with_its_passphrase_only(desk: Desk) -> None:
    (desk.folder / "word").write_text("drei alte Linden\n")
    (desk.folder / "wrong").write_text("drei junge Linden\n")
    public = desk.key("root", "--passphrase-file", "word")
    call = ["trust", "certify", public, "--by", "root.key", "--name", "A"]

    assert "certificate " in desk.says(*call, "--passphrase-file", "word")
    assert "does not open" in desk.says(*call, "--passphrase-file", "wrong", ok=False)
    assert "nobody is there to ask" in desk.says(*call, ok=False)
    assert '"secret"' not in (desk.folder / "root.key").read_text()


def test_what_is_cut_on_the_way_is_named_and_nothing_is_taken(desk: Desk) -> None:
    desk.box(desk.key("root"))
    text = desk.says("trust", "certify", desk.key("a"), "--by", "root.key", "--name", "A")
    (desk.folder / "cut.txt").write_text(text[:-20])

    assert "cut.txt, line 2" in desk.says("trust", "import", "cut.txt", ok=False)
    assert desk.believed() == []


def test_a_box_without_a_root_says_what_is_missing(desk: Desk) -> None:
    desk.box("0" * 64)
    toml = desk.folder / "kiezbox.toml"
    toml.write_text(toml.read_text().replace(f'["{"0" * 64}"]', "[]"))
    (desk.folder / "a.txt").write_text("")

    assert "[trust] roots" in desk.says("trust", "import", "a.txt", ok=False)


@pytest.mark.parametrize(
    "words, why",
    [
        (["certify", "x.key", "--by", "root.key", "--name", "A"], "neither a key file"),
        (["certify", "root.key", "--by", "root.key"], "needs --name"),
        (["certify", "root.key", "--name", "A"], "needs --by"),
        (["certify", "root.key", "--by", "kiezbox.toml", "--name", "A"], "no key file"),
        (
            ["certify", "root.key", "--by", "root.key", "--name", "A", "--days", "4000"],
            "--days 4000",
        ),
        (["certify", "root.key", "--by", "root.key", "--name", "A", "--rights", "all"], "rights"),
        (["revoke", "root.key"], "needs --by"),
        (["key"], "needs a FILE"),
        (["list", "x"], "nothing more"),
    ],
)
def test_a_wrong_call_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("root.key").write_text(pack_key(new_key("root")))
    Path("kiezbox.toml").write_text("[box]\n")

    with pytest.raises(KiezboxError) as caught:
        main(words)

    assert why in str(caught.value)
