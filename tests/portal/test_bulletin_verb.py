"""``kiezbox bulletin``: what the operator tells the neighbours."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from street import LIMIT_S, make_store

from kiezbox.cli.bulletin import MOST_BYTES, checked, main
from kiezbox.errors import UsageError
from kiezbox.portal.sight import Sight
from kiezbox.store import StoreReader, StoreWriter


class Operator:
    """At the command line of a box."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "kiezbox.toml"
        self.settings.write_text(
            f'[box]\nid = "kb-musterplatz-1"\n[store]\npath = "{folder}/kiezbox.db"\n'
            f'run_dir = "{folder}/run"\n'
        )

    def says(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kiezbox", "bulletin", *words]
        return subprocess.run(
            [*command, "--settings", str(self.settings)],
            capture_output=True, text=True, timeout=LIMIT_S,
        )  # fmt: skip

    def listed(self) -> list[dict[str, object]]:
        done = self.says("list", "--json")
        assert done.returncode == 0, done.stderr
        found: list[dict[str, object]] = json.loads(done.stdout)
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a box on which one bulletin is up."""
    folder = tmp_path_factory.mktemp("box")
    with StoreWriter(str(make_store(folder))) as store:
        store.post("steht", time.time() + 3600)
    return folder


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    make_store(tmp_path)
    return Operator(tmp_path)


def test_what_is_posted_is_on_the_page_and_in_the_list_until_it_is_withdrawn(
    operator: Operator,
) -> None:
    assert operator.says("post", "Wasser am Platz 😀").returncode == 0
    assert operator.says("post", "Zweite", "--hours", "2").returncode == 0

    second, first = operator.listed()
    assert (first["text"], second["text"]) == ("Wasser am Platz 😀", "Zweite")
    assert abs(float(str(first["expires_at"])) - time.time() - 24 * 3600) < 60
    assert abs(float(str(second["expires_at"])) - time.time() - 2 * 3600) < 60
    seen = Sight(str(operator.folder / "run"), str(operator.folder / "kiezbox.db")).bulletins()
    assert seen is not None and [each.text for each in seen] == ["Zweite", "Wasser am Platz 😀"]
    assert "Wasser am Platz 😀" in operator.says("list").stdout

    assert operator.says("withdraw", str(first["sequence"])).returncode == 0
    assert operator.says("withdraw", f"kb-musterplatz-1/{second['sequence']}").returncode == 0
    assert operator.listed() == []


@pytest.mark.parametrize(
    "words, hint",
    [
        (["post"], "needs a text in quotes"),
        (["post", ""], "is empty"),
        (["post", " \u202e\u200b\n "], "is empty"),
        (["post", "ä" * 501], "1002 bytes, and 1000 fit"),
        (["post", "caf\udce9"], "not UTF-8"),
        (["post", "x", "--hours", "0"], "outside 0 to 744"),
        (["post", "x", "--hours", "nan"], "outside 0 to 744"),
        (["post", "x", "--hours", "745"], "outside 0 to 744"),
        (["post", "x", "--hours", "soon"], "invalid float"),
        (["post", "two", "texts"], "unrecognized arguments"),
        (["list", "all"], "needs nothing more"),
        (["withdraw"], "needs an ID"),
        (["withdraw", "99"], "there is no bulletin 99"),
        (["withdraw", "other-box/1"], "there is no bulletin other-box/1"),
        (["shout", "x"], "invalid choice"),
        ([], "required"),
    ],
)
def test_a_wrong_call_changes_nothing_and_says_why(
    folder: Path, words: list[str], hint: str
) -> None:
    settings = str(Operator(folder).settings)

    with pytest.raises(UsageError, match=hint):
        main([*words, "--settings", settings])

    with StoreReader(str(folder / "kiezbox.db")) as store:
        assert [each.text for each in store.bulletins()] == ["steht"]


def test_before_the_node_ever_ran_it_says_so(tmp_path: Path) -> None:
    done = Operator(tmp_path).says("post", "x")

    assert done.returncode == 5
    assert "no store at" in done.stderr and "kiezbox run" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_text_of_exactly_a_thousand_bytes_is_taken_whole() -> None:
    text = "ä" * 500

    assert len(text.encode()) == MOST_BYTES
    assert checked(text) == text


def test_marks_that_turn_text_around_never_get_into_the_store() -> None:
    assert checked("Tor \u202eneffo\u202c\r\n zu\t\x07!") == "Tor neffo\n zu  !"


def test_half_a_character_is_refused() -> None:
    # What Python makes of an argument that is Latin-1 in a UTF-8 terminal.
    with pytest.raises(UsageError, match="not UTF-8"):
        checked("caf\udce9")
