"""The journal: a file laid out once, written a few sectors a minute, read back after a cut.

SQLite alone costs a card 11.7 kB a minute at best (two pages, the WAL's header and the file
system's own books for each commit); a frame of one sector in a file whose blocks all exist costs
one sector and one flush. A frame is whole sectors: magic, checksum, sequence, length, which
frame of its flush it is, payload.
Sequences rise by one for ever. Nothing is erased: what the database has (``folded``) is known
by its sequence, and after a fold the writing starts again at the beginning.

The file may be a link to a block device. On ext4 every write to a file also moves its time of
change, and five seconds later that costs 12,288 bytes and two flushes for the file system's own
journal (measured with a write every 7 s; ``lazytime`` did not help on Linux 6.18, a long
``commit=`` did); a partition of a few hundred KiB has no such books.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple
from zlib import crc32

from kiezbox.store.packing import Frame, measure

SECTOR = 512
#: The largest journal the settings allow.
MOST_BYTES = 64 << 20
#: 0xF5 occurs in no UTF-8 text, so that no document can look like a frame's beginning.
MAGIC = b"\xf5KJ1"
_HEADER = struct.Struct("<4sIQHH")
_SEQUENCE_AND_LENGTH = struct.Struct("<QHH")
_BUFFER_BYTES = 65536


class Scan(NamedTuple):
    """What a journal holds that the database does not."""

    frames: list[tuple[int, Frame]]
    #: Where the next frame goes.
    end: int
    #: Highest sequence and serial among them (0: none). Where the database was lost, all frames
    #: are among them, and its ids are not used again.
    newest_sequence: int
    newest_serial: int
    #: Sectors before ``end`` that belong to no readable frame: a card that forgets.
    damaged_sectors: int


class _Found(NamedTuple):
    sequence: int
    #: Which frame of its flush it is, from 0.
    nth: int
    end: int
    sectors: int
    frame: Frame


def scan(data: bytes, folded: int) -> Scan:
    """Every readable frame with a sequence above ``folded``, in the order of sequences.

    A damaged frame loses only itself: the search goes on at the next sector. But a newest flush
    with a tear in it was cut short by the power and never confirmed: of that, nothing behind the
    tear is taken, and the tear is no damage.
    """
    found: list[_Found] = []
    # A frame begins a sector. To look at their first bytes only takes a hundredth of the time that
    # looking everywhere does, and every reader does it at every question.
    begins = data[::SECTOR]
    at = begins.find(MAGIC[0])
    while at != -1:
        sectors = 1
        if data.startswith(MAGIC, at * SECTOR):
            opened = _open_frame(data, at * SECTOR, folded)
            if opened is not None:
                found.append(opened)
                sectors = opened.sectors
        at = begins.find(MAGIC[0], at + sectors)
    found.sort(key=lambda item: item.sequence)
    whole = _without_torn_end(found)
    end = whole[-1].end if whole else 0
    return Scan(
        frames=[(item.sequence, item.frame) for item in whole],
        end=end,
        newest_sequence=found[-1].sequence if found else 0,
        newest_serial=max((item.frame.last for item in found), default=0),
        damaged_sectors=end // SECTOR - sum(item.sectors for item in whole),
    )


def _without_torn_end(found: list[_Found]) -> list[_Found]:
    """All but what lies behind a tear in the newest flush."""
    if not found:
        return found
    begin = found[-1].sequence - found[-1].nth
    expected = begin
    for position, item in enumerate(found):
        if item.sequence < begin:
            continue
        if item.sequence != expected:
            return found[:position]
        expected += 1
    return found


def _open_frame(data: bytes, offset: int, folded: int) -> _Found | None:
    """The frame that begins there; None where no whole frame of interest does."""
    if offset + _HEADER.size > len(data):
        return None
    _, checksum, sequence, length, index = _HEADER.unpack_from(data, offset)
    end = offset + _HEADER.size + length
    if sequence <= folded or end > len(data):
        return None
    if crc32(memoryview(data)[offset + 8 : end]) != checksum:
        return None
    try:
        frame = measure(data[offset + _HEADER.size : end])
    except ValueError:
        return None
    sectors = _sectors(length)
    return _Found(sequence, index, offset + sectors * SECTOR, sectors, frame)


def _sectors(length: int) -> int:
    return -(-(_HEADER.size + length) // SECTOR)


def read(path: str, size: int = MOST_BYTES) -> bytes:
    """The file, or so much of a device; empty where there is none. Raises OSError otherwise."""
    try:
        with open(path, "rb") as file:
            size = min(size, file.seek(0, os.SEEK_END))
            file.seek(0)
            return file.read(size)
    except FileNotFoundError:
        return b""


def is_device(path: str) -> bool:
    """Whether the name leads to a block device. Raises OSError where it leads nowhere."""
    return stat.S_ISBLK(os.stat(path).st_mode)


def belong_to_folder(path: str, descriptor: int) -> None:
    """What root makes by hand must be the node's own later."""
    if os.geteuid() == 0:
        folder = os.stat(os.path.dirname(os.path.abspath(path)))
        with suppress(OSError):  # FAT knows no owners.
            os.fchown(descriptor, folder.st_uid, folder.st_gid)


def sync_folder(path: str) -> None:
    """Make the names in the folder of ``path`` durable."""
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def lay_out(path: str, size: int) -> None:
    """Make the file, all its blocks written and durable, in one step visible to others.

    ``posix_fallocate`` would not do: an unwritten extent becomes a written one at the first
    write, and that costs the file system a commit of its own each time.
    """
    fresh = path + ".new"
    try:
        with open(fresh, "wb") as file:
            for start in range(0, size, _BUFFER_BYTES):
                file.write(bytes(min(_BUFFER_BYTES, size - start)))
            file.flush()
            belong_to_folder(path, file.fileno())
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError:
        # Half a journal must not be what fills the card.
        with suppress(OSError):
            os.remove(fresh)
        raise
    sync_folder(path)


class Journal:
    """The writer's end. One at a time (the store holds the lock)."""

    def __init__(self, path: str, size: int) -> None:
        self.path = path
        self.next_sequence = 1
        #: Bytes written since the last fold.
        self.used = 0
        self._size = max(size, 16 * SECTOR) // SECTOR * SECTOR
        self._capacity = 0
        self._fd = -1
        self._is_direct = False
        # O_DIRECT wants memory aligned to the device's sectors; a mapping is aligned to a page.
        self._buffer = mmap.mmap(-1, _BUFFER_BYTES)

    @property
    def frame_bytes(self) -> int:
        """Largest payload of one frame: several must fit even the smallest journal."""
        return min(_BUFFER_BYTES, self._size // 4) - _HEADER.size

    def load(self, folded: int) -> Scan:
        """What the file holds and the database does not; writing goes on behind it.

        Raises:
            OSError: there is a file, but it cannot be read.
        """
        self.next_sequence = folded + 1
        result = scan(read(self.path), folded)
        self.next_sequence = max(result.newest_sequence, folded) + 1
        self.used = result.end
        return result

    def open(self) -> None:
        """Make ready to write, laying the file out where it is missing.

        Raises:
            OSError: no space, read-only, no permission, a device that holds something else.
        """
        if not os.path.exists(self.path):
            lay_out(self.path, self._size)
        elif is_device(self.path):
            start = read(self.path, SECTOR)
            if start.strip(b"\0") and not start.startswith(MAGIC):
                raise OSError(errno.EEXIST, "the device holds something else", self.path)
        self._open(is_direct=True)

    def _open(self, *, is_direct: bool) -> None:
        self.close()
        flags = os.O_RDWR | os.O_CLOEXEC
        self._is_direct = is_direct
        if is_direct:
            # Past the page cache, a sector is a sector; through it, ext4 writes its block of
            # 4 KiB for every 512 bytes.
            try:
                self._fd = os.open(self.path, flags | os.O_DIRECT)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                self._is_direct = False
        if not self._is_direct:
            self._fd = os.open(self.path, flags)
        size = os.lseek(self._fd, 0, os.SEEK_END)
        self._capacity = min(size, MOST_BYTES) // SECTOR * SECTOR

    def is_in_place(self) -> bool:
        """Whether it is open and still the file of that name."""
        if self._fd == -1:
            return False
        try:
            named, opened = os.stat(self.path), os.fstat(self._fd)
        except OSError:
            return False
        return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)

    def has_room(self, frames: Sequence[Frame]) -> bool:
        needed = sum(_sectors(len(frame.payload)) for frame in frames) * SECTOR
        return self.used + needed <= self._capacity

    def append(self, frames: Sequence[Frame]) -> None:
        """Write and flush; returning means durable. There must be room.

        Raises:
            OSError: nothing of it counts as written; the same frames may come again (their
                sequences are used up, so that a half-written one can never pass for a later one).
        """
        data = b"".join(self._sealed(frame.payload, n) for n, frame in enumerate(frames))
        try:
            self._write(data)
        except OSError as error:
            if error.errno != errno.EINVAL or not self._is_direct:
                raise
            # The device's sectors are larger than ours.
            self._open(is_direct=False)
            self._write(data)
        os.fdatasync(self._fd)
        self.used += len(data)

    def _sealed(self, payload: bytes, index: int) -> bytes:
        # A flush of 65,536 frames does not fit any journal; if one did, it would count as two.
        body = _SEQUENCE_AND_LENGTH.pack(self.next_sequence, len(payload), index & 0xFFFF)
        body += payload
        self.next_sequence += 1
        frame = MAGIC + crc32(body).to_bytes(4, "little") + body
        return frame.ljust(_sectors(len(payload)) * SECTOR, b"\0")

    def _write(self, data: bytes) -> None:
        done = 0
        while done < len(data):
            chunk = data[done : done + _BUFFER_BYTES]
            self._buffer[: len(chunk)] = chunk
            with memoryview(self._buffer) as view, view[: len(chunk)] as part:
                written = os.pwrite(self._fd, part, self.used + done)
            if written == 0 or written % SECTOR:
                raise OSError(errno.EIO, "frame cut short", self.path)
            done += written

    def restart(self) -> None:
        """All frames are in the database: begin anew, in a new file where that is needed.

        Raises:
            OSError: as ``open``.
        """
        self.used = 0
        if not self.is_in_place():
            self.open()
        if self._capacity != self._size and not is_device(self.path):
            lay_out(self.path, self._size)
            self._open(is_direct=True)

    def close(self) -> None:
        """Idempotent."""
        if self._fd != -1:
            os.close(self._fd)
            self._fd = -1
