"""``kiezbox consent`` by hand."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from kiezbox import i18n
from kiezbox.cli import run
from kiezbox.clock import ManualClock
from kiezbox.i18n import text_of
from kiezbox.node.private import Privacy

TOML = """
[box]
id = "kb-1"
[store]
path = "{folder}/kiezbox.db"
run_dir = "{folder}"
[clock]
wall_anchor = 1780000000.0
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

    def change(self, before: str, after: str) -> None:
        """Edit kiezbox.toml."""
        text = self.settings.read_text(encoding="utf-8")
        assert before in text
        self.settings.write_text(text.replace(before, after), encoding="utf-8")

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
    ledger = consent.settings.parent / "consents.jsonl"
    Privacy(sensors, str(ledger), ManualClock(1_780_000_000.0)).tell_the_portal()
    before = json.loads(table.read_text(encoding="utf-8"))
    assert before.pop("consents.jsonl") == ledger.stat().st_size

    consent(*GIVE)

    after = json.loads(table.read_text(encoding="utf-8"))
    assert after.pop("consents.jsonl") == ledger.stat().st_size
    assert after == before


def test_who_agrees_is_shown_to_where_it_goes(consent: Desk) -> None:
    assert 'mqtt: driver = "mqtt", host = "127.0.0.1"' in consent("text", "--to", "mqtt")[1]

    said = consent(*GIVE)[1]

    assert 'It holds for mqtt: driver = "mqtt", host = "127.0.0.1"' in said
    assert 'to mqtt: driver = "mqtt", host = "127.0.0.1"' in consent("list")[1]


def test_who_agrees_reads_it_in_a_language_they_read_and_that_is_recorded(consent: Desk) -> None:
    german = consent("text", "--to", "portal", "--language", "de")[1]
    assert "Ohne Ihre Einwilligung bleibt" in german
    assert "Empfänger: die öffentlichen Seiten dieser Box" in german
    assert "Sagen Sie Ja?" in consent("text", "--language", "de_simple")[1]
    _, turkish, warned = consent("text", "--language", "tr")
    assert "Onayınız olmadan" in turkish and "a machine translated this" in warned
    assert "machine" not in consent("text", "--language", "de")[2]

    consent(*GIVE, "--language", "de")

    (found,) = json.loads(consent("list", "--json")[1])
    assert (
        found["text_version"].startswith("de-") and f"Version {found['text_version']}\n" in german
    )


def test_no_word_of_what_people_agree_to_changes_without_another_version(
    consent: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version() -> str:
        return consent("text", "--language", "it")[1].partition("\n")[0]

    before, text = version(), text_of("it", "consent")
    assert before.startswith("Version it-") and version() == before
    changed = (*text["text"][:-1], text["text"][-1] + "!")
    monkeypatch.setitem(i18n._loaded, ("it", "consent"), {**text, "text": changed})

    assert version() != before


def test_with_another_address_it_stops_and_says_so_until_somebody_was_asked_again(
    consent: Desk,
) -> None:
    consent(*GIVE, "--quantity", "humidity_percent")
    consent.change('host = "127.0.0.1"', 'host = "other.example"')

    out = consent("list")[1]
    assert "STOPPED" in out and "127.0.0.1" in out and "other.example" in out
    assert "kiezbox consent renew 1" in out
    (found,) = json.loads(consent("list", "--json")[1])
    assert found["holds"] is False and "other.example" in found["stopped"]

    assert "who" in consent("renew", "1")[2] or "--person" in consent("renew", "1")[2]
    assert consent("renew", "1", "--person", "tenant")[0] == 0
    (found,) = json.loads(consent("list", "--json")[1])
    assert found["holds"] and found["quantities"] == ["humidity_percent"]
    assert 'host = "other.example"' in found["address"] and found["purpose"] == "mould"
    assert "cannot be renewed" in consent("renew", "1", "--person", "tenant")[2]


def test_a_line_from_before_addresses_were_recorded_gives_nothing_and_says_so(
    consent: Desk,
) -> None:
    consent(*GIVE)
    ledger = consent.settings.parent / "consents.jsonl"
    line = json.loads(ledger.read_text(encoding="utf-8"))
    del line["address"]
    ledger.write_text(json.dumps(line) + "\n", encoding="utf-8")

    out = consent("list")[1]

    assert "STOPPED: it does not say to which address" in out and "renew 1" in out


def test_a_publisher_that_is_gone_is_said(consent: Desk) -> None:
    consent(*GIVE)
    consent.change("publishers.mqtt", "publishers.other")

    assert "no such publisher any more" in consent("list")[1]


def test_with_a_clock_that_nobody_set_none_is_recorded_but_each_can_be_ended(
    consent: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent(*GIVE)
    monkeypatch.setattr("kiezbox.clock.ScaledClock.is_trusted", lambda self: False)

    code, _, err = consent(*GIVE)
    assert code != 0 and "nobody has set this box's clock" in err
    assert "nothing goes out by any" in consent("list")[2]
    assert consent("revoke", "1")[0] == 0
    assert "no consent" in consent("list")[1]


def test_a_damaged_ledger_is_said_with_what_it_means(consent: Desk) -> None:
    consent(*GIVE)
    with open(consent.settings.parent / "consents.jsonl", "a", encoding="utf-8") as behind:
        behind.write("scribble\n")

    code, _, err = consent("list")

    assert code != 0
    assert "line 2" in err and "Nothing of indoor sensors is published" in err
