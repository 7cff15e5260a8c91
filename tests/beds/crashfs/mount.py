"""The power-cut file system, mounted: many small disks side by side, cut one at a time.

A process of its own serves ``BED.path/NUMBER/…``, a volume per number; the harness talks to it
over a socket (``Bed``). A cut is exact: the server itself sends SIGKILL to the process in the
middle of its system call, so that the process never learns how the call ended.
"""

from __future__ import annotations

import ctypes
import errno
import os
import pickle
import shutil
import signal
import socket
import stat
import struct
import tempfile
import threading
from dataclasses import dataclass
from typing import Any

from beds.crashfs.disk import File, Folder, Node, Volume

#: <linux/sched.h>, <linux/mount.h>, <sys/mount.h>, <linux/prctl.h>
CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1

START_LIMIT_S = 10.0


class Unavailable(Exception):
    """No power cuts on this machine; the message says what is missing."""


@dataclass(slots=True)
class Target:
    """A volume, who works on it, and in which operation it is cut."""

    volume: Volume
    pid: int = 0
    #: In the n-th operation on a name that ends so ("": on any).
    cut_at: int | None = None
    cut_on: str = ""
    #: An fsync that is cut into was honoured, but its caller never heard of it.
    after: bool = False
    is_dead: bool = False

    def begin(self, path: str, *, is_sync: bool = False) -> None:
        """Before each operation that can change what survives."""
        self.volume.moment += 1
        if self.cut_at is not None and path.endswith(self.cut_on):
            self.cut_at -= 1
            if is_sync and self.cut_at == 0 and not self.after:
                self._cut()

    def end(self) -> None:
        """After it, before its caller hears of it."""
        if self.cut_at == 0:
            self._cut()

    def _cut(self) -> None:
        self.is_dead = True
        os.kill(self.pid, signal.SIGKILL)
        raise OSError(errno.EIO, "the power is off")


class PowerCutFS:
    """The operations, as mfusepy calls them; ``turn`` keeps the harness's commands apart."""

    use_ns = True

    def __init__(self) -> None:
        self.targets: dict[str, Target] = {}
        self.turn = threading.Lock()
        self._open: dict[int, tuple[Target, File]] = {}
        self._handles = 0

    def _target(self, path: str) -> tuple[Target, str]:
        number, _, rest = path[1:].partition("/")
        try:
            target = self.targets[number]
        except KeyError:
            raise OSError(errno.ENOENT, "no such volume", path) from None
        if target.is_dead:
            raise OSError(errno.EIO, "the power is off", path)
        return target, rest

    def _file(self, path: str, fi: Any) -> tuple[Target, File]:
        if fi is not None and fi.fh in self._open:
            target, file = self._open[fi.fh]
            if target.is_dead:
                raise OSError(errno.EIO, "the power is off", path)
            return target, file
        target, rest = self._target(path)
        return target, target.volume.file(rest)

    def _handle(self, target: Target, file: File, fi: Any) -> int:
        self._handles += 1
        self._open[self._handles] = (target, file)
        fi.fh = self._handles
        return 0

    # --- looking ---------------------------------------------------------------------------

    def getattr(self, path: str, fi: Any = None) -> dict[str, int]:
        with self.turn:
            if path == "/":
                return _attributes(Folder())
            if fi is not None and fi.fh in self._open:
                return _attributes(self._file(path, fi)[1])
            target, rest = self._target(path)
            return _attributes(target.volume.find(rest))

    def readdir(self, path: str, fi: Any) -> list[str]:
        with self.turn:
            if path == "/":
                return [".", "..", *self.targets]
            target, rest = self._target(path)
            return [".", "..", *target.volume.below(rest)]

    def open(self, path: str, fi: Any) -> int:
        with self.turn:
            target, file = self._file(path, None)
            return self._handle(target, file, fi)

    def read(self, path: str, size: int, offset: int, fi: Any) -> bytes:
        with self.turn:
            _, file = self._file(path, fi)
            return bytes(memoryview(file.content)[offset : offset + size])

    def release(self, path: str, fi: Any) -> int:
        self._open.pop(fi.fh, None)
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 1 << 20, "f_bfree": 1 << 20,
                "f_bavail": 1 << 20, "f_files": 1 << 16, "f_ffree": 1 << 16,
                "f_namemax": 255}  # fmt: skip

    def chmod(self, path: str, mode: int, fi: Any = None) -> int:
        return 0

    def chown(self, path: str, uid: int, gid: int, fi: Any = None) -> int:
        return 0

    def utimens(self, path: str, times: Any = None, fi: Any = None) -> int:
        return 0

    # --- changing --------------------------------------------------------------------------

    def write(self, path: str, data: bytes, offset: int, fi: Any) -> int:
        with self.turn:
            target, file = self._file(path, fi)
            target.begin(path)
            target.volume.write(file, offset, data)
            target.end()
            return len(data)

    def truncate(self, path: str, length: int, fi: Any = None) -> int:
        with self.turn:
            target, file = self._file(path, fi)
            target.begin(path)
            target.volume.resize(file, length)
            target.end()
            return 0

    def fallocate(self, path: str, mode: int, offset: int, size: int, fi: Any) -> int:
        """Mode 0 as ext4 does it: the size grows, the new range reads as zeros."""
        if mode != 0:
            raise OSError(errno.EOPNOTSUPP, "only plain fallocate", path)
        with self.turn:
            target, file = self._file(path, fi)
            target.begin(path)
            if offset + size > len(file.content):
                target.volume.resize(file, offset + size)
            target.end()
            return 0

    def create(self, path: str, mode: int, fi: Any) -> int:
        with self.turn:
            target, rest = self._target(path)
            target.begin(path)
            file = File()
            target.volume.create(rest, file)
            target.end()
            return self._handle(target, file, fi)

    def mkdir(self, path: str, mode: int) -> int:
        with self.turn:
            target, rest = self._target(path)
            target.begin(path)
            target.volume.create(rest, Folder())
            target.end()
            return 0

    def unlink(self, path: str) -> int:
        with self.turn:
            target, rest = self._target(path)
            target.begin(path)
            target.volume.remove(rest)
            target.end()
            return 0

    def rmdir(self, path: str) -> int:
        with self.turn:
            target, rest = self._target(path)
            target.begin(path)
            target.volume.remove(rest, folder=True)
            target.end()
            return 0

    def rename(self, old: str, new: str) -> int:
        with self.turn:
            target, rest = self._target(old)
            if self._target(new)[0] is not target:
                raise OSError(errno.EXDEV, "another volume", new)
            target.begin(old)
            target.volume.rename(rest, self._target(new)[1])
            target.end()
            return 0

    def fsync(self, path: str, datasync: int, fi: Any) -> int:
        with self.turn:
            target, file = self._file(path, fi)
            target.begin(path, is_sync=True)
            target.volume.sync_file(file)
            target.end()
            return 0

    def fsyncdir(self, path: str, datasync: int, fi: Any) -> int:
        with self.turn:
            target, rest = self._target(path)
            target.begin(path, is_sync=True)
            target.volume.sync_folder(rest)
            target.end()
            return 0


def _attributes(node: Node) -> dict[str, int]:
    if isinstance(node, Folder):
        return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
    size = len(node.content)
    return {
        "st_mode": stat.S_IFREG | 0o644,
        "st_nlink": 1,
        "st_size": size,
        "st_blocks": -(-size // 512),
    }


# --- the harness's side ------------------------------------------------------------------------


class Bed:
    """A mounted power-cut file system. Needs root and /dev/fuse; nothing is left behind.

    The mount lives in a mount namespace of its own, into which the *calling process* moves: it
    is for a process that does nothing else (``cuts.py``).

    Raises:
        Unavailable: with the reason.
    """

    def __init__(self) -> None:
        if not os.path.exists("/dev/fuse"):
            raise Unavailable("power cuts need /dev/fuse (apt install fuse3)")
        if os.geteuid() != 0:
            raise Unavailable("power cuts need root, to mount a file system")
        try:
            import mfusepy  # noqa: F401
        except (ImportError, OSError) as error:
            raise Unavailable(f"power cuts need mfusepy and libfuse: {error}") from error
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None):
            raise Unavailable(f"no mount namespace: {os.strerror(ctypes.get_errno())}")
        self.path = tempfile.mkdtemp(prefix="kiezbox-crashfs-")
        self._libc = libc
        self._socket, theirs = socket.socketpair()
        self._volumes = 0
        self._server = os.fork()
        if self._server == 0:
            self._socket.close()
            _serve(self.path, theirs)
        theirs.close()
        self._socket.settimeout(START_LIMIT_S)
        try:
            self._ask("hello")
        except (OSError, EOFError) as error:
            self.close()
            raise Unavailable(f"the file system does not mount: {error}") from error

    def new_volume(self, *, lies: bool = False) -> str:
        """An empty disk; returns its number, a folder below ``path``."""
        self._volumes += 1
        number = str(self._volumes)
        self._ask("new", number, lies)
        return number

    def arm(
        self, number: str, pid: int, cut_at: int | None, *, on: str = "", after: bool = False
    ) -> None:
        """From now on ``pid`` works on the volume; cut it in its ``cut_at``-th operation.

        ``on``: only operations on names that end so count.
        """
        self._ask("arm", number, pid, cut_at, on, after)

    def operations(self, number: str) -> int:
        """How many operations that a cut can fall into the volume has seen."""
        return int(self._ask("operations", number))

    def survivor(self, number: str, seed: int) -> str:
        """Cut the power (unless it is off already); returns the disk as found at power-up."""
        self._volumes += 1
        after = str(self._volumes)
        self._ask("survivor", number, seed, after)
        return after

    def contents(self, number: str) -> dict[str, bytes]:
        """Every file of a volume, as a reader sees it now."""
        found: dict[str, bytes] = self._ask("contents", number)
        return found

    def drop(self, number: str) -> None:
        """Forget a volume."""
        self._ask("drop", number)

    def forget_socket(self) -> None:
        """In a forked child: it must not keep the server's line open."""
        self._socket.close()

    def close(self) -> None:
        """Unmount, end the server. Idempotent."""
        if self._server:
            self._socket.close()
            self._libc.umount2(self.path.encode(), MNT_DETACH)
            os.kill(self._server, signal.SIGKILL)
            os.waitpid(self._server, 0)
            self._server = 0
            shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Bed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, *command: Any) -> Any:
        _send(self._socket, command)
        return _receive(self._socket)


def _send(line: socket.socket, message: Any) -> None:
    data = pickle.dumps(message)
    line.sendall(struct.pack("<I", len(data)) + data)


def _receive(line: socket.socket) -> Any:
    def exactly(size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = line.recv(size - len(data))
            if not more:
                raise EOFError("the other side is gone")
            data += more
        return data

    return pickle.loads(exactly(struct.unpack("<I", exactly(4))[0]))


def _obey(fs: PowerCutFS, line: socket.socket) -> None:
    """Answer the harness until it is gone."""
    targets = fs.targets
    while True:
        try:
            verb, *arguments = _receive(line)
        except (EOFError, OSError):
            return
        answer: Any = None
        with fs.turn:
            match verb:
                case "new":
                    number, lies = arguments
                    targets[number] = Target(Volume(lies=lies))
                case "arm":
                    target = targets[arguments[0]]
                    target.pid, target.cut_at, target.cut_on, target.after = arguments[1:]
                case "operations":
                    answer = targets[arguments[0]].volume.moment
                case "survivor":
                    number, seed, after = arguments
                    targets[number].is_dead = True
                    targets[after] = Target(targets.pop(number).volume.survivor(seed))
                case "contents":
                    names = targets[arguments[0]].volume.names.items()
                    answer = {p: bytes(n.content) for p, n in names if isinstance(n, File)}
                case "drop":
                    targets.pop(arguments[0]).is_dead = True
        _send(line, answer)


def _serve(path: str, line: socket.socket) -> None:
    """The server's process: never returns."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    import mfusepy

    # Only this mount's users change anything in it, so the kernel may remember names and sizes.
    options: dict[str, Any] = {
        "entry_timeout": 3600,
        "negative_timeout": 3600,
        "attr_timeout": 3600,
        "kernel_cache": True,
        # An unlinked open file is just that, and not a hidden file under another name.
        "hard_remove": True,
    }
    if mfusepy.fuse_version_major == 2:
        options["big_writes"] = True  # whole writes, not pages; libfuse 3 always does

    class Operations(PowerCutFS, mfusepy.Operations):
        """mfusepy looks for methods that its base class marks as missing."""

        def init(self, path: str) -> None:
            threading.Thread(target=_obey, args=(self, line), daemon=True).start()

    try:
        mfusepy.FUSE(
            Operations(), path, raw_fi=True, foreground=True, nothreads=True, allow_other=False,
            **options,
        )  # fmt: skip
    finally:
        os._exit(1)


__all__ = ["Bed", "Unavailable"]
