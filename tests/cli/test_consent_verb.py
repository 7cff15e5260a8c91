"""``kiezbox consent`` by hand."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from kiezbox.cli import run
from kiezbox.clock import ManualClock
from kiezbox.node.private import Privacy

TOML = """
[box]
id = "kb-1"
[store]
path = "{folder}/kiezbox.db"
run_dir = "{folder}"
[publishers.mqtt]
host = "127.0.0.1"
[sensors.flat]
driver = "bme280"
[sensors.roof]
driver = "bme280"
where = "outdoor"
"""

GIVE = ("give", "flat", "--to", "mqtt", "--person", "tenant", "--purpose", "mould", "--for", "365d")


class Desk:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: object) -> None:
        self.settings = folder / "kiezbox.toml"
        self.settings.write_text(TOML.format(folder=folder), encoding="utf-8")
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        argv = ["kiezbox", "consent", "--settings", str(self.settings), *arguments]
        self._monkeypatch.setattr("sys.argv", argv)
        code = run()
        said = self._capsys.readouterr()  # type: ignore[attr-defined]
        return code, said.out, said.err


@pytest.fixture
def consent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    return Desk(tmp_path, monkeypatch, capsys)


def test_without_one_it_says_what_that_means(consent: Desk) -> None:
    code, out, _ = consent("list")

    assert (code, out) == (0, "no consent: nothing of an indoor sensor leaves this box\n")


def test_who_what_to_whom_what_for_and_until_when_are_recorded(consent: Desk) -> None:
    assert consent(*GIVE, "--quantity", "humidity_percent")[0] == 0

    (found,) = json.loads(consent("list", "--json")[1])
    assert found["holds"] is True
    assert (found["person"], found["recipient"], found["purpose"]) == ("tenant", "mqtt", "mould")
    assert found["quantities"] == ["humidity_percent"]
    assert found["until"] - found["given_at"] == 365 * 86400
    assert found["text_version"] in consent("text")[1]


def test_revoking_ends_it_and_the_ledger_still_shows_it(consent: Desk) -> None:
    consent(*GIVE)

    assert "nothing of flat goes to mqtt" in consent("revoke", "1")[1]

    assert "no consent" in consent("list")[1]
    assert "ended" in consent("list", "--all")[1]


def test_who_moves_in_starts_without(consent: Desk) -> None:
    consent(*GIVE)
    consent(*GIVE)

    assert "2 consents for flat have ended" in consent("moved", "flat")[1]
    assert "no consent" in consent("list")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("give", "flat"), "--to"),
        ((*GIVE[:5], " ", *GIVE[6:]), "--person"),
        (("give", "cellar", *GIVE[2:]), "kiezbox.toml has: flat, roof"),
        (("give", "roof", *GIVE[2:]), "need no consent"),
        (("give", "flat", "--to", "nobody", *GIVE[4:]), "--to takes one of: mqtt, portal"),
        ((*GIVE, "--quantity", "dreams"), "is no quantity"),
        ((*GIVE[:-1], "soon"), "not a duration"),
        (("revoke", "7"), "there is no consent 7"),
        (("revoke",), "number"),
        (("moved", "cellar"), "there is no sensor"),
    ],
)
def test_a_wrong_call_says_what_to_do(consent: Desk, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = consent(*arguments)

    assert code != 0 and said in err and "Traceback" not in err
    assert "no consent" in consent("list")[1]


def test_the_pages_go_on_showing_what_they_showed(consent: Desk) -> None:
    # The node's own words, and those of the command line: one table.
    table = consent.settings.parent / "public.json"
    sensors = tomllib.loads(consent.settings.read_text(encoding="utf-8"))["sensors"]
    ledger = str(consent.settings.parent / "consents.jsonl")
    Privacy(sensors, ledger, ManualClock(1_780_000_000.0)).tell_the_portal()
    before = table.read_text(encoding="utf-8")

    consent(*GIVE)

    assert table.read_text(encoding="utf-8") == before


def test_a_damaged_ledger_is_said_with_what_it_means(consent: Desk) -> None:
    consent(*GIVE)
    with open(consent.settings.parent / "consents.jsonl", "a", encoding="utf-8") as behind:
        behind.write("scribble\n")

    code, _, err = consent("list")

    assert code != 0
    assert "line 2" in err and "Nothing of indoor sensors is published" in err
