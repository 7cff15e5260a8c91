"""``kiezbox sync``: words that travel in a file, between real boxes on disk."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import tempfile
from pathlib import Path

import cborx
import pytest
from peers.boxes import LIMIT_S, Box, settled

from kiezbox.peers.stick import BadFile, Stick
from kiezbox.records import MOST_FRAME, Scope


@pytest.fixture
def boxes(tmp_path: Path) -> list[Box]:
    return settled(tmp_path, "kb-a", "kb-b", "kb-c")


def exported(box: Box, name: str = "stick") -> Path:
    path = box.folder.parent / name
    done = box.sync("export", str(path))
    assert done.returncode == 0, done.stderr
    return path


def test_words_go_from_box_to_box_to_box_in_files(boxes: list[Box]) -> None:
    a, b, c = boxes
    a.post("Biete Kerzen", "Suche Kocher")
    b.post("Wasser am Platz")

    first = b.sync("import", str(exported(a, "1")))
    second = c.sync("import", str(exported(b, "2")))

    assert (first.returncode, first.stdout) == (0, "from kb-a: 2 new, 0 known already\n")
    assert (second.returncode, second.stdout) == (0, "from kb-b: 3 new, 0 known already\n")
    assert c.texts() == {"Biete Kerzen", "Suche Kocher", "Wasser am Platz"}


def test_the_same_file_twice_brings_nothing_new(boxes: list[Box]) -> None:
    a, b, _ = boxes
    a.post("Biete Kerzen")
    path = exported(a)
    b.sync("import", str(path))

    again = b.sync("import", str(path))

    assert (again.returncode, again.stdout) == (0, "from kb-a: 0 new, 1 known already\n")


def test_words_for_one_box_alone_are_not_in_the_file(boxes: list[Box]) -> None:
    a, _, _ = boxes
    a.post("Nur hier", scope=Scope.BOX)

    assert b"Nur hier" not in exported(a).read_bytes()


def test_a_stranger_s_file_is_counted_and_left(boxes: list[Box], tmp_path: Path) -> None:
    a, b, _ = boxes
    stranger = Box(tmp_path, "kb-x")
    stranger.settle([a, b])
    stranger.post("Geld an der Ecke abgeben")

    done = b.sync("import", str(exported(stranger)))

    assert done.returncode == 1
    assert "1 are of boxes that are not in [kiez.members]" in done.stdout
    assert b.texts() == set()


def test_who_takes_another_s_name_proves_nothing(boxes: list[Box], tmp_path: Path) -> None:
    a, b, _ = boxes
    (tmp_path / "evil").mkdir()
    evil = Box(tmp_path / "evil", "kb-a")
    evil.settle([a, b])
    evil.post("Geld an der Ecke abgeben")

    done = b.sync("import", "--json", str(exported(evil)))

    assert json.loads(done.stdout)["refused"] == {"not proven": 1}
    assert b.texts() == set()


def test_the_file_is_canonical_cbor_as_a_foreign_reader_sees_it(boxes: list[Box]) -> None:
    a, _, _ = boxes
    a.post("eins", "zwei")
    data = exported(a).read_bytes()

    assert data[0] == 1
    rest, found = data[1:], []
    while rest:
        decoder = cborx.loads
        for size in range(1, len(rest) + 1):
            try:
                item = decoder(rest[:size])
            except Exception:
                continue
            found.append(item)
            rest = rest[size:]
            break
        else:
            pytest.fail("no CBOR")
    assert found[0][:2] == ["kiezbox sync", "kb-a"]
    assert [len(each[0]) for each in found[1:-1]] == [64, 64]
    assert found[-1] == ["end", 2]


def test_a_file_that_was_cut_gives_what_is_whole_and_says_so(boxes: list[Box]) -> None:
    a, b, _ = boxes
    a.post(*(f"Wort {n}" for n in range(20)))
    path = exported(a)
    path.write_bytes(path.read_bytes()[:-100])

    done = b.sync("import", str(path))

    assert done.returncode == 1
    assert "19 new" in done.stdout and "has been cut" in done.stdout
    assert len(b.texts()) == 19


def test_a_hole_costs_only_what_lay_in_it(boxes: list[Box]) -> None:
    a, b, _ = boxes
    a.post(*(f"Wort {n}" for n in range(50)))
    path = exported(a)
    data = bytearray(path.read_bytes())
    data[2048:2560] = bytes(512)
    path.write_bytes(data)

    done = json.loads(b.sync("import", "--json", str(path)).stdout)

    assert not done["is_whole"]
    assert 44 <= done["new"] == len(b.texts()) < 50


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x82\x6ckiezbox sync\x01",
        b"\x01\x83\x6ckiezbox sync\x64\x1b[2J\x01",
        b"",
        b"\x01",
        b"\x00",
        b"PK\x03\x04",
        b"\x01\x83",
        bytes(1000),
        b"\x01\x83\x6ckiezbox",
    ],
)
def test_what_is_no_such_file_is_said_and_changes_nothing(
    boxes: list[Box], tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "no"
    path.write_bytes(data)

    done = boxes[0].sync("import", str(path))

    assert done.returncode == 1 and "no file of `kiezbox sync export`" in done.stderr
    assert not boxes[0].words.exists()


def test_a_newer_box_s_file_asks_for_an_update(boxes: list[Box]) -> None:
    path = exported(boxes[0])
    path.write_bytes(b"\x02" + path.read_bytes()[1:])

    assert "update this one" in boxes[1].sync("import", str(path)).stderr


def test_a_file_that_is_not_there_is_said(boxes: list[Box], tmp_path: Path) -> None:
    done = boxes[0].sync("import", str(tmp_path / "nowhere"))

    assert done.returncode == 2 and "cannot read" in done.stderr


def test_hostile_bytes_end_and_never_raise(boxes: list[Box]) -> None:
    a, _, _ = boxes
    a.post(*(f"Wort {n}" for n in range(10)))
    good = exported(a).read_bytes()
    dice = random.Random(6)
    beginning = good[:40]
    for number in range(400):
        data = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(40, len(data))
            data[at : at + dice.randrange(4)] = dice.randbytes(dice.randrange(4))
        if number % 4 == 0:
            data = bytearray(beginning + b"\x82\x58\x40" * dice.randrange(20_000))
        bodies = list(Stick(io.BytesIO(bytes(data))))
        assert all(64 <= len(body) <= 64 + MOST_FRAME for body in bodies)


def test_a_file_without_a_beginning_is_no_file() -> None:
    with pytest.raises(BadFile):
        Stick(io.BytesIO(b"\x01\x82\x63end\x00"))


def test_an_import_killed_in_the_middle_loses_nothing_and_is_done_again(boxes: list[Box]) -> None:
    a, b, _ = boxes
    texts = {f"Wort {n}" for n in range(1500)}
    a.post(*texts)
    path = exported(a)
    dice = random.Random(7)
    kills = 0
    b.post("Schon da")
    for _ in range(8):
        before = len(b.texts())
        running = subprocess.Popen(
            b.command("sync", "import", str(path)), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            running.wait(0.15 + dice.random() * 0.5)
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            kills += 1
        running.wait(LIMIT_S)
        assert len(b.texts()) >= before
    done = b.sync("import", str(path))

    assert kills, "every import was over before it was killed"
    assert done.returncode == 0, done.stderr
    assert b.texts() == texts | {"Schon da"}
    # And they are b's to hand on.
    assert json.loads(b.sync("export", "--json", str(path) + ".b").stdout)["records"] == 1501


def test_an_export_that_is_stopped_leaves_no_file_of_that_name(boxes: list[Box]) -> None:
    a, b, _ = boxes
    a.post(*(f"Wort {n}" for n in range(500)))
    path = a.folder.parent / "stick"
    running = subprocess.Popen(a.command("sync", "export", str(path)), stdout=subprocess.DEVNULL)
    part = Path(f"{path}.part")
    while not part.exists() and running.poll() is None:
        pass
    running.send_signal(signal.SIGKILL)
    running.wait(LIMIT_S)

    if not path.exists():
        assert a.sync("export", str(path)).returncode == 0
    assert b.sync("import", str(path)).returncode == 0
    assert len(b.texts()) == 500


def test_the_key_that_is_said_is_the_line_for_the_others(boxes: list[Box]) -> None:
    a, _, _ = boxes

    assert a.sync("key").stdout == f'kb-a = "{a.key.public.hex()}"\n'


@pytest.mark.skipif(os.geteuid() != 0, reason="skipped, because only root can become another")
def test_what_root_does_by_hand_stays_the_node_s() -> None:
    # Not below pytest's own folder, into which nobody else comes.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        a, b = settled(folder, "kb-a", "kb-b")
        a.post("Biete Kerzen")
        path = exported(a)
        path.chmod(0o600)
        for each in (b.folder, *b.folder.rglob("*")):
            os.chown(each, 65534, 65534)

        done = b.sync("import", str(path))

        assert done.returncode == 0, done.stderr
        assert {each.stat().st_uid for each in b.folder.rglob("*")} == {65534}
