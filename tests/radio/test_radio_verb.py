"""``kiezbox radio``: the key's file, and looking into frames."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from peers.boxes import LIMIT_S, Box, settled

from kiezbox.exchange import Digest, Entry, Ranges, Want
from kiezbox.frames.messages import pack_message
from kiezbox.radio.keys import channel_key


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return settled(tmp_path, "kb-a", "kb-b")[0]


def radio(box: Box, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        box.command("radio", *words), capture_output=True, text=True, timeout=LIMIT_S
    )


def test_a_key_is_made_once_and_for_the_node_alone(box: Box) -> None:
    made = radio(box, "key", "new")
    path = box.folder / "kiez.key"

    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    word = made.stdout.split()[1]
    assert radio(box, "key").stdout.split()[1] == word
    assert path.read_text().strip() not in made.stdout
    again = radio(box, "key", "new")
    assert (again.returncode, "already" in again.stderr) == (2, True)


def test_a_copy_has_the_same_word_and_another_key_another(tmp_path: Path) -> None:
    a, b = settled(tmp_path, "kb-a", "kb-b")
    radio(a, "key", "new")
    (b.folder / "kiez.key").write_bytes((a.folder / "kiez.key").read_bytes())
    (b.folder / "kiez.key").chmod(0o600)

    words = [json.loads(radio(box, "key", "--json").stdout)["word"] for box in (a, b)]
    (b.folder / "kiez.key").unlink()
    radio(b, "key", "new")

    assert words[0] == words[1] != json.loads(radio(b, "key", "--json").stdout)["word"]


@pytest.mark.parametrize(
    "text, mode, why",
    [
        ("4f" * 32, 0o644, "chmod 600"),
        ("4f" * 31, 0o600, "64 digits"),
        ("zz" * 32, 0o600, "64 digits"),
        ("", 0o600, "64 digits"),
    ],
)
def test_what_is_no_key_is_said_so(box: Box, text: str, mode: int, why: str) -> None:
    path = box.folder / "kiez.key"
    path.write_text(text)
    path.chmod(mode)

    done = radio(box, "key")

    assert done.returncode == 3
    assert why in done.stderr


def test_the_channel_s_key_does_not_tell_the_kiez_s() -> None:
    one, other = channel_key(bytes(32)), channel_key(b"\1" + bytes(31))

    assert len(one) == len(other) == 32
    assert one != other != bytes(32)


def with_key(box: Box) -> bytes:
    radio(box, "key", "new")
    return bytes.fromhex((box.folder / "kiez.key").read_text())


def test_a_digest_is_read_aloud(box: Box) -> None:
    holes = Ranges([(3, 4)])
    digest = Digest(b"\1\2\3\4\5\6", (Entry("kb-a", 1, 9, holes),))

    said = json.loads(
        radio(box, "frame", pack_message(digest, "kb-b", with_key(box)).hex(), "--json").stdout
    )

    assert said == {
        "kind": "digest", "bytes": 26, "from": "kb-b", "fingerprint": "010203040506",
        "holds": {"kb-a": "1 to 9, 2 missing"}, "is_sealed_by_us": True,
    }  # fmt: skip


def test_a_frame_of_another_kiez_is_not_believed(box: Box) -> None:
    with_key(box)
    frame = pack_message(Want("kb-a", (("kb-b", Ranges([(2, 5)])),)), "kb-b", bytes(32))

    said = radio(box, "frame", frame.hex())

    assert "a frame that nobody of this Kiez has sealed" in said.stdout
    assert "is_sealed_by_us  False" in said.stdout


@pytest.mark.parametrize("text", ["xyz", "ff", "00", "2"])
def test_what_is_no_frame_is_said_so(box: Box, text: str) -> None:
    done = radio(box, "frame", text)

    assert (done.returncode, "this is no frame" in done.stderr) == (2, True)


def test_a_box_without_a_radio_says_so(box: Box) -> None:
    done = radio(box, "status")

    assert done.returncode == 8
    assert "radio.address" in done.stderr
    assert os.listdir(box.folder).count("airtime.json") == 0


def test_the_state_of_the_radio_is_said_in_sentences() -> None:
    from kiezbox.cli.radio import sentences

    facts = {
        "state": "connected", "why": "", "address": "/dev/ttyACM0", "node": "!00000101",
        "firmware": "2.7.26", "region": "EU_868", "preset": "MEDIUM_FAST", "channel": "Kiez",
        "channel_utilization": 0.124, "air_util_tx": 0.01, "waiting": 3,
        "queue": {"here": 1, "free": 14, "most": 16},
        "airtime": {
            "limit_s": 360.0, "used_s": 40.0, "others_s": 6.5, "left_s": {"1": 320.0, "6": 248.0},
            "by_class": {"0": 1.5, "5": 32.0},
        },
        "boxes": [
            {"name": "kb-b", "heard_at": 970.0, "snr_db": 6.25, "node": 0x102, "hops": 0},
        ],
        "neighbours": [
            {"number": 0x102, "heard_at": 980.0, "snr_db": 6.0, "rssi_dbm": -90, "hops": 0},
            {"number": 0x103, "heard_at": 400.0, "snr_db": -7.5, "rssi_dbm": -120, "hops": 2},
        ],
        "counts": {"dropped: no member": 2},
    }  # fmt: skip

    assert sentences(facts, 1000.0) == [
        "radio      connected (/dev/ttyACM0)",
        "settings   node !00000101, firmware 2.7.26, EU_868, MEDIUM_FAST, channel 'Kiez'",
        "air        40.0 of 360 s in the last hour, 6.5 s of it the radio's own and relayed;"
        " 248.0 s left, for life 320.0 s",
        "  official alerts     1.5 s",
        "  the board           32.0 s",
        "channel    12% busy; 3 frames wait, 1 on their way; the radio has 14 of 16 places free",
        "box        kb-b heard 30 s ago, SNR 6.2 dB, directly (!00000102)",
        "node       !00000103 heard 10 min ago, SNR -7.5 dB, relayed 2 times",
        "count      2 dropped: no member",
    ]
