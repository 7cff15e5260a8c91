"""The whole bundle: what is inside, and what is not, from a box that is full of secrets."""

from __future__ import annotations

import json
import secrets
import stat
import tarfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kiezbox.cli import main

MESH_KEY = "mesh-" + secrets.token_urlsafe(18)
MQTT = "mqtt-" + secrets.token_urlsafe(12)
WLAN = "wlan " + secrets.token_urlsafe(12)
DNS = secrets.token_hex(20)
OLD = "old-" + secrets.token_urlsafe(12)
IN_URL = "url-" + secrets.token_urlsafe(12)

#: What nobody of the neighbourhood wants to read in a bug tracker.
PRIVATE = ["4e:1f:22:a0:b3:c4", "Annas-iPhone", "10.42.0.17", "Familie Schmidt", "52.5170"]

#: What programs of the machine say, in their place (journalctl, nft, iw), with everything in it.
SAYS = {
    "journalctl": "\n".join(
        f"2026-11-22T18:30:0{second}+0000 {line}"
        for second, line in enumerate(
            [
                f"kiezbox[411]: publisher.mqtt: refused, password {MQTT}",
                f"wpa_supplicant[412]: SSID='Familie Schmidt' PSK {WLAN} sae_password={MESH_KEY}",
                "dnsmasq[413]: DHCPACK(kb-street) 10.42.0.17 4e:1f:22:a0:b3:c4 Annas-iPhone",
                f"certbot[414]: dns secret {DNS}",
                "kiezbox[411]: store: 120 readings folded",
            ]
        )
    ),
    "nft": "table inet kiezbox { set guests { elements = { 10.42.0.17 } } }",
    "iw": "phy#0\n\tInterface wlan0\n\t\taddr 4e:1f:22:a0:b3:c4\n\t\tssid Kiezbox-Notfall",
}  # fmt: skip


class Box(NamedTuple):
    folder: Path
    toml: Path

    def support(self, *options: str) -> Path:
        target = self.folder / f"bundle-{secrets.token_hex(4)}.tar.gz"
        main(["support", "--settings", str(self.toml), "--to", str(target), *options])
        return target


def contents(bundle: Path) -> dict[str, str]:
    with tarfile.open(bundle) as archive:
        return {
            Path(entry.name).name: archive.extractfile(entry).read().decode()  # type: ignore[union-attr]
            for entry in archive
        }


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in SAYS.items():
        (tmp_path / f"{name}.txt").write_text(text)
        (programs / name).write_text(f"#!/bin/sh\nexec cat '{tmp_path}/{name}.txt'\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    (tmp_path / "mesh.key").write_text(MESH_KEY + "\n")
    (tmp_path / "mqtt.password").write_text(MQTT + "\n")
    (tmp_path / "wlan.password").write_text(WLAN)
    (tmp_path / "dns.ini").write_text(f"dns_rfc2136_secret = {DNS}\n")
    (tmp_path / "run").mkdir()
    facts: dict[str, Any] = {
        "written_at": time.time(),
        "box": {"id": "kb-test", "name": "Späti", "latitude": 52.517037, "longitude": 13.38886},
        "mode": {"name": "normal", "since": time.time() - 60, "causes": [], "wanted": None,
                 "wanted_in_s": None, "order": None, "is_exercise": False},
        "grid": {"is_sensed": False},
        "store": {"state": "ok", "buffered": 0},
        "latest": {
            "roof/temperature_c": {"value": 3.25, "flag": 0, "reason": "",
                                   "taken_at": time.time()},
            "bedroom/temperature_c": {"value": 27.125, "flag": 0, "reason": "",
                                      "taken_at": time.time()},
        },
        "advice": [{"code": "air_now", "room": "bedroom", "value": 27.125}],
        "steps": [{"sensor": "bedroom", "quantity": "temperature_c", "value": 27.125}],
        "faults": [{"message": f"refused with {MQTT}", "hint": "", "times": 1}],
    }  # fmt: skip
    (tmp_path / "run" / "now.json").write_text(json.dumps(facts))
    toml = tmp_path / "kiezbox.toml"
    toml.write_text(
        f"""# mqtt password before: {OLD}
[box]
id = "kb-test"
name = "https://anna:{IN_URL}@example.org/"
latitude = 52.517037
longitude = 13.38886
[store]
run_dir = "{tmp_path}/run"
path = "{tmp_path}/kb.db"
[sensors.roof]
driver = "bme280"
where = "outdoor"
[sensors.bedroom]
driver = "bme280"
[publishers.mqtt]
host = "broker.example.org"
password_file = "{tmp_path}/mqtt.password"
[network.mesh]
key_file = "{tmp_path}/mesh.key"
[network.uplink]
password_file = "{tmp_path}/wlan.password"
[network.certificate]
acme_credentials = "{tmp_path}/dns.ini"
acme_email = "anna@example.org"
"""
    )
    return Box(tmp_path, toml)


def test_no_secret_and_nothing_private_is_anywhere_in_the_bundle(box: Box) -> None:
    inside = contents(box.support())

    for name, text in inside.items():
        for word in [MESH_KEY, MQTT, WLAN, DNS, OLD, IN_URL, "anna", *PRIVATE]:
            assert word not in text, name


def test_what_a_flat_measures_is_not_in_it(box: Box) -> None:
    inside = contents(box.support())

    assert "3.25" in inside["now.json"] and "roof/temperature_c" in inside["status.txt"]
    for name in ("now.json", "status.txt"):
        assert "27.1" not in inside[name] and "bedroom" not in inside[name]


def test_what_helps_is_in_it(box: Box) -> None:
    inside = contents(box.support())

    assert json.loads(inside["settings.json"])["publishers"]["mqtt"]["host"] == "broker.example.org"
    assert json.loads(inside["now.json"])["box"]["latitude"] == 52.5
    assert "store: 120 readings folded" in inside["log.txt"]
    assert "publisher.mqtt: refused" in inside["log.txt"]
    assert "ssid Kiezbox-Notfall" in inside["radio.txt"]
    assert "mode       normal" in inside["status.txt"]
    assert "there is no interface" in inside["checks.txt"]
    assert "emergency" in json.loads(inside["plan.json"])
    assert inside["versions.txt"].startswith("kiezbox ")
    assert set(inside) >= {"firewall.txt", "systemd.txt"}


def test_it_prints_what_is_inside_and_that_one_should_look(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = box.support()

    said = capsys.readouterr().out
    assert [name for name in contents(bundle) if name not in said] == []
    assert "Look into it before you send it" in said


def test_the_bundle_is_its_owner_s_and_is_never_written_over_something(box: Box) -> None:
    bundle = box.support()
    before = bundle.read_bytes()

    from kiezbox.errors import KiezboxError

    with pytest.raises(KiezboxError, match="is there already"):
        main(["support", "--settings", str(box.toml), "--to", str(bundle)])

    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    assert bundle.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "[box\nid = kb-1 SECRET\n",
        '[box]\nid = "kb-1"\npassword = "SECRET"\n',
        '[box]\nid = "kb-1"\nnmae = "SECRET"\n',
        '[network.uplink]\npassword_file = 7\nssid = "SECRET"\n',
    ],
)
def test_settings_that_are_wrong_are_told_as_wrong_and_give_nothing_away(
    box: Box, text: str
) -> None:
    box.toml.write_text(text.replace("SECRET", OLD))

    inside = contents(box.support())

    assert "settings.json" in inside
    for name, each in inside.items():
        assert OLD not in each, name


def test_what_breaks_on_the_way_is_part_of_the_report(box: Box) -> None:
    """A node of another version, whose facts nobody here understands."""
    odd = {"written_at": time.time(), "mode": 7, "faults": MQTT}
    (box.folder / "run" / "now.json").write_text(json.dumps(odd))

    inside = contents(box.support())

    assert "Traceback" in inside["status.txt"]
    assert inside["versions.txt"].startswith("kiezbox ")
    assert not any(MQTT in text for text in inside.values())


def test_a_box_that_is_off_still_makes_a_bundle(box: Box) -> None:
    (box.folder / "run" / "now.json").unlink()

    inside = contents(box.support())

    assert "not to be had: the node does not run" in inside["now.json"]
    assert "the node does not run" in inside["checks.txt"]
