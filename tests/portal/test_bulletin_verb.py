"""``kiezbox bulletin``: what the operator tells the neighbours."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from street import LIMIT_S, post

from kiezbox.cli.bulletin import MOST_BYTES, checked, main
from kiezbox.clock import SystemClock
from kiezbox.errors import UsageError
from kiezbox.portal.sight import Sight
from kiezbox.store.log import Draft, Log
from kiezbox.trust import Certificate, Key, certify, new_key, pack_certificate, pack_key

#: A box whose clock is set, whatever this machine says of its own.
TOML = """
[box]
id = "kb-musterplatz-1"
[store]
path = "{folder}/kiezbox.db"
run_dir = "{folder}/run"
[trust]
roots = ["{root}"]
[clock]
wall_anchor = 1.0
"""


class Operator:
    """At the command line of a box."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = new_key("root")
        self.settings = folder / "kiezbox.toml"
        self.settings.write_text(TOML.format(folder=folder, root=self.root.public.hex()))

    def seen(self) -> list[tuple[str, str]]:
        """Standing, and text or code, as residents get it."""
        sight = Sight(str(self.folder / "run"), str(self.folder / "kiezbox.db"))
        facts = {**sight.facts(), "clock_trusted": True}
        found = sight.bulletins(facts)
        assert found is not None
        return [(each.standing, each.text or each.code) for each in found]

    def issuer(self, name: str, **fields: Any) -> str:
        """The file of a key that this box believes."""
        key, now = new_key(name), int(time.time())
        given = {"rights": ("bulletin",), "valid_from": now - 60, "valid_until": now + 5_000_000}
        signed = certify(
            Certificate(name=name, public_key=key.public, **{**given, **fields}), self.root
        )
        log = Log.open(str(self.folder / "words" / "words.db"), SystemClock())
        with closing(log):
            packed = {"certificate": pack_certificate(signed)}
            log.add(Draft(kind="certificate", fields=packed))
        return self.key_file(key)

    def key_file(self, key: Key) -> str:
        path = self.folder / f"{key.id.hex()}.key"
        path.write_text(pack_key(key))
        return str(path)

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
    post(folder, "steht")
    return folder


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    Log.open(str(tmp_path / "words" / "words.db"), SystemClock(), box="kb-musterplatz-1").close()
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
    assert operator.seen() == [("operator", "Zweite"), ("operator", "Wasser am Platz 😀")]
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
        (["post", "two", "texts"], "needs a text in quotes"),
        (["list", "all"], "needs nothing more"),
        (["withdraw"], "needs an ID"),
        (["withdraw", "99"], "there is no bulletin 99"),
        (["withdraw", "other-box/1"], "there is no bulletin other-box/1"),
        (["shout", "x"], "there is no 'shout' here"),
        (["post", "--code", "locusts"], "there is no code locusts"),
        (["post", "--code", "water_open"], "says nothing without --place"),
        (["post", "x", "--code", "heat"], "needs a text or a code"),
        (["post", "x", "--language", "xx"], "none that this box has"),
        (["post", "--code", "power_at", "--at", "soon"], "soon is no time"),
        (["post", "x", "--scope", "city"], "signed, by two issuers"),
        ([], "required"),
    ],
)
def test_a_wrong_call_changes_nothing_and_says_why(
    folder: Path, words: list[str], hint: str
) -> None:
    settings = str(Operator(folder).settings)

    with pytest.raises(UsageError, match=hint):
        main([*words, "--settings", settings])

    assert Operator(folder).seen() == [("operator", "steht")]


def test_before_the_node_ever_ran_it_says_so(tmp_path: Path) -> None:
    done = Operator(tmp_path).says("post", "x")

    assert done.returncode == 5
    assert "no log of words at" in done.stderr and "kiezbox run" in done.stderr
    assert "Traceback" not in done.stderr


# --- signed and coded ----------------------------------------------------------------------------


def test_what_an_issuer_signs_is_official_until_the_issuer_takes_it_back(
    operator: Operator,
) -> None:
    brigade, office = operator.issuer("Feuerwehr"), operator.issuer("Bezirk")
    operator.says("post", "Suppe")

    done = operator.says("post", "--code", "warm_room", "--place", "Turnhalle", "--sign", brigade)

    assert done.returncode == 0, done.stderr
    assert "official: Feuerwehr" in done.stdout and "Place: Turnhalle" in done.stdout
    assert operator.seen() == [("official", "warm_room"), ("operator", "Suppe")]
    (up, _) = operator.listed()
    assert (up["standing"], up["code"]) == ("official: Feuerwehr", "warm_room")
    for wrong in ([], ["--sign", office]):
        assert operator.says("withdraw", str(up["id"]), *wrong).returncode != 0
    assert operator.says("withdraw", str(up["id"]), "--sign", brigade).returncode == 0
    assert operator.seen() == [("operator", "Suppe")]


def test_a_bulletin_takes_the_place_of_an_earlier_one_of_its_issuer(operator: Operator) -> None:
    brigade = operator.issuer("Feuerwehr")
    operator.says("post", "bis 18 Uhr", "--sign", brigade)
    (up,) = operator.listed()

    operator.says("post", "bis 20 Uhr", "--sign", brigade, "--replaces", str(up["id"]))

    assert operator.seen() == [("official", "bis 20 Uhr")]


def test_a_bulletin_with_an_end_comes_down_then(operator: Operator) -> None:
    until = time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() + 3 * 3600))

    operator.says("post", "--code", "food", "--place", "Schule", "--until", until)

    (up,) = operator.listed()
    assert 2.9 * 3600 < float(str(up["expires_at"])) - time.time() <= 3 * 3600


def test_what_this_box_would_not_call_official_is_refused_and_not_posted(
    operator: Operator,
) -> None:
    little = operator.issuer("Verein", severity=1)
    stranger = operator.key_file(new_key("Feuerwehr"))

    graver = operator.says("post", "--code", "leave_area", "--sign", little)
    unknown = operator.says("post", "Räumen!", "--sign", stranger)

    assert "graver than its issuer may say" in graver.stderr
    assert "no certificate that this box believes" in unknown.stderr
    assert operator.seen() == []


def test_for_a_whole_city_two_issuers_sign(operator: Operator) -> None:
    one, other = operator.issuer("Feuerwehr", scope=2), operator.issuer("Bezirk", scope=2)

    alone = operator.says("post", "x", "--scope", "city", "--sign", one)
    both = operator.says("post", "x", "--scope", "city", "--sign", one, "--second", other)

    assert "two issuers must sign" in alone.stderr
    assert both.returncode == 0 and operator.seen() == [("official", "x")]


def test_where_the_clock_is_not_set_the_issuer_says_what_time_it_is(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    operator.settings.write_text(operator.settings.read_text().replace("[clock]", "[desk]").replace(
        "wall_anchor = 1.0", ""))  # fmt: skip
    Log.open(str(tmp_path / "words" / "words.db"), SystemClock(), box="kb-musterplatz-1").close()
    brigade = operator.issuer("Feuerwehr")
    if SystemClock().is_trusted():
        pytest.skip("this machine's clock is set")

    blind = operator.says("post", "x", "--sign", brigade)
    told = operator.says("post", "x", "--sign", brigade, "--time", time.strftime("%Y-%m-%dT%H:%M"))

    assert "clock of this box is not set" in blind.stderr and "--time" in blind.stderr
    assert told.returncode == 0, told.stderr


def test_the_codes_are_listed_with_what_they_need(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["codes"]) == 0

    shown = capsys.readouterr().out
    assert "water_open --place\n  Drinking water is handed out" in shown and "all_clear\n" in shown


# --- texts ---------------------------------------------------------------------------------------


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
