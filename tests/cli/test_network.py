"""`kiezbox network`, as a maker reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiezbox.cli import network
from kiezbox.errors import UsageError
from kiezbox.network import Interface, Machine, Radio
from kiezbox.network import prepare as room

TOML = """
[box]
id = "kb-1"
[network]
run_dir = "{folder}/net"
[network.access_point]
country = "DE"
[network.mesh]
interface = "wlan1"
"""

MACHINE = Machine(
    interfaces=(Interface(name="wlan0", phy="phy0"), Interface(name="wlan1", phy="phy1")),
    radios=(Radio(phy="phy0", driver="brcmfmac", most_guests=7), Radio(phy="phy1")),
    mesh_key="a-mesh-secret-of-19",
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A box on a computer with two radios, whatever this one has."""
    monkeypatch.setattr(room, "survey", lambda settings: MACHINE)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    file = tmp_path / "kiezbox.toml"
    file.write_text(TOML.format(folder=tmp_path), encoding="utf-8")
    return str(file)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = network.main(list(words))
    return code, capsys.readouterr().out


def test_a_plan_names_interfaces_addresses_parts_and_files(
    settings: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(capsys, "plan", "emergency", "--settings", settings)

    assert code == 0
    for word in ("kb-street", "10.42.0.1/22", "198.51.100.1/32", "hostapd.conf", "part "):
        assert word in text
    assert "its firmware admits about 7 guests" in text


@pytest.mark.parametrize(
    ("word", "posture"),
    [("normal", "closed"), ("saving", "emergency"), ("exercise", "emergency"),
     ("maintenance", "closed"), ("dark", "dark"), ("shared", "shared")],
)  # fmt: skip
def test_a_mode_is_planned_as_its_posture(
    word: str, posture: str, settings: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = said(capsys, "plan", word, "--json", "--settings", settings)

    assert json.loads(text)["posture"] == posture


def test_for_programs_there_is_every_text_but_the_secret_ones(
    settings: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = said(capsys, "plan", "emergency", "--json", "--settings", settings)

    files = json.loads(text)["files"]
    assert "interface=wlan0" in files["hostapd.conf"]
    assert files["mesh/wpa_supplicant.conf"] is None
    assert "secret" not in text


def test_what_is_missing_is_said_with_what_to_do(
    settings: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "survey", lambda settings: Machine(programs=frozenset({"ip"})))

    code, text = said(capsys, "plan", "emergency", "--settings", settings)

    assert code == 9
    assert "hostapd is not installed" in text and "apt install hostapd" in text
    assert "there is no interface wlan0" in text


def test_planning_changes_and_writes_nothing(
    settings: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said(capsys, "plan", "emergency", "--settings", settings)

    assert [path.name for path in tmp_path.iterdir()] == ["kiezbox.toml"]


@pytest.mark.parametrize(
    "words", [("plan", "blackout"), ("scan", "emergency"), ("status", "dark"), ("open",), ()]
)
def test_a_wrong_call_is_told_so(words: tuple[str, ...], settings: str) -> None:
    with pytest.raises(UsageError):
        network.main([*words, "--settings", settings])


def test_status_of_a_box_that_was_never_prepared_says_so(
    settings: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(capsys, "status", "--settings", settings)

    assert code == 0
    assert "none yet" in text and "kiezbox network prepare" in text


def test_preparing_lays_out_every_posture(
    settings: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, text = said(capsys, "prepare", "--settings", settings)

    assert code == 0
    assert text == f"{tmp_path}/net: every posture is prepared, none holds\n"
    assert (tmp_path / "net" / "shared" / "dnsmasq.conf").exists()
