"""The journal's frames: what a cut, a bad sector or a foreign byte can do to them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storing import fill, serials, switch_off

from kiezbox.store import StoreReader
from kiezbox.store.journal import MAGIC, SECTOR, Journal, lay_out, read, scan
from kiezbox.store.packing import Frame, changes_of, measure, pack, rows_of

TIMES = st.integers(-(2**62), 2**62)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2**24 - 1),
        TIMES,
        TIMES,
        st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.integers(0, 2),
        st.text(max_size=60),
        st.integers(0, 1),
    ),
    max_size=20,
)


@given(
    rows=ROWS,
    first=st.integers(1, 2**62),
    gaps=st.lists(st.integers(1, 5), min_size=20, max_size=20),
    changes=st.lists(
        st.tuples(st.text(max_size=8), st.lists(st.integers() | st.text())), max_size=5
    ),
    most=st.integers(400, 9000),
)
def test_packing_and_unpacking_gives_back_every_reading_and_change(
    rows: Any, first: int, gaps: list[int], changes: Any, most: int
) -> None:
    serial, given = first, []
    for row, gap in zip(rows, gaps, strict=False):
        serial += gap
        given.append((serial, *row))

    frames = pack(given, changes, most)

    assert [row for frame in frames for row in rows_of(frame.payload)] == given
    unpacked = [change for frame in frames for change in changes_of(frame.payload)]
    assert [(name, list(values)) for name, values in unpacked] == [
        (name, values) for name, values in changes
    ]
    assert [measure(frame.payload) for frame in frames] == frames


def test_seven_readings_two_cursors_and_a_battery_fit_one_sector(tmp_path: Path) -> None:
    from kiezbox.model import serial_of

    serial = serial_of(5_990_000, 1)
    rows: Any = [
        (serial + n, 15178133, 1795600000123 + n, 86_400_123 + n, 20.5, None, 0, "", 1)
        for n in range(7)
    ]
    changes: Any = [
        ("cursor", ["mqtt", serial + 7, 0, 0]),
        ("cursor", ["sensor_community", serial + 7, 0, 0]),
        ("kept", ["battery", 123456, '{"charge_low_ah":10.25,"charge_high_ah":11.5,"at":1795600}']),
    ]
    path = str(tmp_path / "j")
    journal = Journal(path, 16384)
    journal.open()

    journal.append(pack(rows, changes, journal.frame_bytes))

    assert journal.used == SECTOR
    journal.close()


@pytest.fixture(scope="module")
def three_frames(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[list[Any]]]:
    """A journal of three frames, the second of two sectors, and the readings of each."""
    path = str(tmp_path_factory.mktemp("journal") / "j")
    journal = Journal(path, 16384)
    journal.open()
    contents = []
    serial = 1
    for count in (3, 30, 5):
        rows: Any = [(serial + n, 7, 1000 + n, n, n / 3, None, 0, "", 1) for n in range(count)]
        journal.append(pack(rows, [("cursor", ["mqtt", serial, 0, 0])], journal.frame_bytes))
        contents.append(rows)
        serial += count
    assert journal.used == 4 * SECTOR
    journal.close()
    return read(path), contents


def found(data: bytes) -> list[list[Any]]:
    return [rows_of(frame.payload) for _, frame in scan(data, 0).frames]


def test_a_journal_cut_at_any_byte_gives_every_frame_before_the_cut(
    three_frames: tuple[bytes, list[list[Any]]],
) -> None:
    data, contents = three_frames
    ends = [_end_of(data, start) for start in (0, SECTOR, 3 * SECTOR)]

    for cut in range(5 * SECTOR):
        whole = sum(end <= cut for end in ends)
        assert found(data[:cut]) == contents[:whole], cut
        # The same, where the file keeps its size and the rest was never written.
        zeroed = data[:cut] + bytes(len(data) - cut)
        assert found(zeroed) in (contents[:whole], contents[: whole + 1]), cut


def _end_of(data: bytes, start: int) -> int:
    return start + 20 + int.from_bytes(data[start + 16 : start + 20], "little")


def test_a_bit_flipped_anywhere_costs_at_most_its_own_frame(
    three_frames: tuple[bytes, list[list[Any]]],
) -> None:
    data, contents = three_frames
    of_sector = [0, 1, 1, 2]

    for place in range(4 * SECTOR):
        for bit in (0, 7):
            broken = bytearray(data)
            broken[place] ^= 1 << bit
            got = found(bytes(broken))
            others = [c for n, c in enumerate(contents) if n != of_sector[place // SECTOR]]
            assert got in (contents, others), (place, bit)


def test_a_lost_sector_in_the_middle_is_counted(
    three_frames: tuple[bytes, list[list[Any]]],
) -> None:
    data, contents = three_frames
    broken = data[:SECTOR] + bytes(SECTOR) + data[2 * SECTOR :]

    result = scan(broken, 0)

    assert [rows_of(frame.payload) for _, frame in result.frames] == [contents[0], contents[2]]
    assert result.damaged_sectors == 2
    assert scan(data, 0).damaged_sectors == 0


def test_frames_that_were_folded_are_not_read_again(
    three_frames: tuple[bytes, list[list[Any]]],
) -> None:
    data, contents = three_frames

    assert found(data) == contents
    for folded in range(4):
        assert [rows_of(frame.payload) for _, frame in scan(data, folded).frames] == contents[
            folded:
        ]
        assert scan(data, folded).newest_sequence == (3 if folded < 3 else 0)
        assert scan(data, folded).newest_serial == (38 if folded < 3 else 0)


@given(st.binary(max_size=3000))
def test_bytes_of_any_kind_are_no_journal_and_no_crash(noise: bytes) -> None:
    assert scan(noise, 0).frames == []
    assert scan(MAGIC + noise, 0).frames == []
    assert scan(bytes(SECTOR) + MAGIC + noise, 5).frames == []


ENTRIES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=50).map(lambda text: _entry(text.encode())),
    st.sampled_from([b"[]", b"[1,2]", b'["a",1]', b"{}", b"null", b"[" * 60_000]).map(
        lambda body: _entry(body)
    ),
)


def _entry(body: bytes) -> bytes:
    return b"\x02" + len(body).to_bytes(2, "little") + body


@given(ENTRIES)
def test_a_payload_of_any_bytes_is_unpacked_or_refused(noise: bytes) -> None:
    try:
        frame = measure(noise)
    except ValueError:
        return

    assert len(rows_of(noise)) == frame.readings
    assert all(isinstance(name, str) for name, _ in changes_of(noise))


def test_a_write_that_failed_uses_up_its_sequence(tmp_path: Path, monkeypatch: Any) -> None:
    journal = Journal(str(tmp_path / "j"), 16384)
    journal.open()
    frames = [Frame(b"", 0, 0, 0)]
    fail = OSError(5, "Input/output error")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", lambda fd: (_ for _ in ()).throw(fail))
        with pytest.raises(OSError, match="Input/output"):
            journal.append(frames)

    journal.append(frames)

    assert journal.used == SECTOR
    assert [sequence for sequence, _ in scan(read(journal.path), 0).frames] == [2]
    journal.close()


def test_a_journal_that_cannot_be_laid_out_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: Any
) -> None:
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(full))

    with pytest.raises(OSError, match="No space"):
        lay_out(str(tmp_path / "j"), 16384)

    assert list(tmp_path.iterdir()) == []


def test_on_a_block_device_the_journal_takes_the_place_of_a_file(
    open_store: Any, clock: Any, settings: Any, tmp_path: Path
) -> None:
    device = _loop_device(tmp_path, 256)
    try:
        os.symlink(device, settings.path + ".journal")
        store = open_store()
        added: list[int] = []
        for _ in range(30):
            added += fill(store, clock, 5)
            store.flush()
        # Nobody but the journal has them yet.
        assert store._card._journal.used > 0
        switch_off(store)

        assert read(device)[:4] == MAGIC
        assert serials(StoreReader(settings.path).after(0, 1000)) == added
        store = open_store()
        assert serials(store.after(0, 1000)) == added
        assert os.path.islink(settings.path + ".journal")
        switch_off(store)
    finally:
        subprocess.run(["losetup", "-d", device], check=True, timeout=10)


def test_a_device_that_holds_something_else_is_left_alone(
    open_store: Any, clock: Any, settings: Any, tmp_path: Path
) -> None:
    device = _loop_device(tmp_path, 256, content=b"somebody's partition")
    try:
        os.symlink(device, settings.path + ".journal")
        store = open_store()
        added = fill(store, clock, 3)

        assert store.flush() == added[-1]  # Into the database, then.

        assert read(device, 20) == b"somebody's partition"
        assert [fault.kind for fault in store.faults()] == ["journal"]
        switch_off(store)
    finally:
        subprocess.run(["losetup", "-d", device], check=True, timeout=10)


def _loop_device(folder: Path, kib: int, content: bytes = b"") -> str:
    if os.geteuid() != 0 or not os.path.exists("/dev/loop-control"):
        pytest.skip("a loop device needs root and /dev/loop-control")
    image = folder / "image"
    image.write_bytes(content.ljust(kib * 1024, b"\0"))
    done = subprocess.run(
        ["losetup", "-f", "--show", str(image)], capture_output=True, text=True, timeout=10
    )
    if done.returncode:
        pytest.skip(f"no loop device: {done.stderr.strip()}")
    return done.stdout.strip()
