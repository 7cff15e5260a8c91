"""The disk behind the power-cut file system: what a reader sees, and what would survive.

Pure: no file, no clock, no process. The model is described in the package's docstring.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

#: What a card writes whole or not at all, in bytes.
SECTOR = 512

#: How the cuts are drawn; see the package's docstring.
STYLES = ("scattered",) * 6 + ("ordered",) * 2 + ("nothing", "everything")

#: The odds that an unsynced sector of one file survived, in a scattered cut.
ODDS = (0.0, 0.1, 0.5, 0.9, 1.0)


@dataclass(slots=True)
class Change:
    """One unsynced change of a file. ``moment`` counts all changes of the disk."""

    moment: int
    offset: int
    #: The bytes written; None where only the size changed.
    data: bytes | None
    size: int
    is_shrink: bool = False


class File:
    """An inode: its content now, its content as of the last fsync, and what happened since."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = bytearray(content)
        self.synced = bytearray(content)
        self.changes: list[Change] = []

    def write(self, moment: int, offset: int, data: bytes) -> None:
        _put(self.content, offset, data)
        self.changes.append(Change(moment, offset, data, len(self.content)))

    def resize(self, moment: int, size: int) -> None:
        is_shrink = size < len(self.content)
        _resize(self.content, size)
        self.changes.append(Change(moment, size, None, size, is_shrink))

    def sync(self) -> None:
        """Promise everything so far."""
        for change in self.changes:
            _apply(self.synced, change)
        self.changes.clear()

    def survivor(self, rng: random.Random, style: str, moment: int) -> bytes:
        """The content after a cut; ``moment`` is the last that counts in an ordered cut."""
        if style == "everything":
            return bytes(self.content)
        if style == "nothing" or not self.changes:
            return bytes(self.synced)
        if style == "ordered":
            left = bytearray(self.synced)
            for change in self.changes:
                if change.moment <= moment:
                    _apply(left, change)
            return bytes(left)
        return self._scattered(rng)

    def _scattered(self, rng: random.Random) -> bytes:
        odds = rng.choice(ODDS)
        shrinks = sum(change.is_shrink for change in self.changes)
        shrinks_left = rng.randint(0, shrinks)
        base = bytearray(self.synced)  # what is settled up to the last shrink that happened
        seen = bytearray(self.synced)  # what a reader saw then
        versions: dict[int, list[bytes]] = {}
        sizes = [len(base)]
        for change in self.changes:
            if change.is_shrink:
                if shrinks_left == 0:
                    break
                shrinks_left -= 1
                _settle(base, versions, sizes, rng, odds)
                _resize(base, change.size)
                _resize(seen, change.size)
                versions, sizes = {}, [change.size]
                continue
            _apply(seen, change)
            sizes.append(len(seen))
            if change.data:
                last = (change.offset + len(change.data) - 1) // SECTOR
                for sector in range(change.offset // SECTOR, last + 1):
                    at = sector * SECTOR
                    versions.setdefault(sector, []).append(bytes(seen[at : at + SECTOR]))
        _settle(base, versions, sizes, rng, odds)
        return bytes(base)


def _settle(
    base: bytearray,
    versions: dict[int, list[bytes]],
    sizes: list[int],
    rng: random.Random,
    odds: float,
) -> None:
    """Let chance decide which of the unsynced sectors and sizes made it onto the disk."""
    for sector, contents in versions.items():
        if rng.random() < odds:
            # Mostly the newest: the kernel writes back late more often than early.
            content = contents[-1] if rng.random() < 0.7 else rng.choice(contents)
            _put(base, sector * SECTOR, content)
    _resize(base, sizes[-1] if rng.random() < odds else rng.choice(sizes))


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _resize(content: bytearray, size: int) -> None:
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


def _apply(content: bytearray, change: Change) -> None:
    if change.data is None:
        _resize(content, change.size)
    else:
        _put(content, change.offset, change.data)


class Folder:
    """An inode that only has a name."""


Node = File | Folder


@dataclass(slots=True)
class Renaming:
    """One unsynced change of names: each path and what it names from now on (None: nothing)."""

    moment: int
    names: dict[str, Node | None] = field(default_factory=dict)


class Volume:
    """One small disk. Paths are relative to its root: "kiezbox.db", "old/kiezbox.db".

    ``lies`` makes it a disk that says yes to every fsync and does nothing: the control.
    """

    def __init__(self, *, lies: bool = False) -> None:
        self.lies = lies
        self.names: dict[str, Node] = {}
        self.synced: dict[str, Node] = {}
        self.renamings: list[Renaming] = []
        #: Counts the operations that a cut can fall into.
        self.moment = 0

    # --- what the file system calls -------------------------------------------------------

    def find(self, path: str) -> Node:
        if path == "":
            return _ROOT
        try:
            return self.names[path]
        except KeyError:
            raise OSError(errno.ENOENT, "no such name", path) from None

    def file(self, path: str) -> File:
        node = self.find(path)
        if isinstance(node, Folder):
            raise OSError(errno.EISDIR, "a folder", path)
        return node

    def below(self, path: str) -> Iterator[str]:
        """The names directly in a folder."""
        prefix = f"{path}/" if path else ""
        for name in self.names:
            if name.startswith(prefix) and "/" not in name[len(prefix) :]:
                yield name[len(prefix) :]

    def create(self, path: str, node: Node) -> None:
        self._rename({path: node})

    def remove(self, path: str, *, folder: bool = False) -> None:
        node = self.find(path)
        if folder != isinstance(node, Folder):
            raise OSError(errno.ENOTDIR if folder else errno.EISDIR, "wrong kind", path)
        if folder and any(True for _ in self.below(path)):
            raise OSError(errno.ENOTEMPTY, "not empty", path)
        self._rename({path: None})

    def rename(self, old: str, new: str) -> None:
        node = self.find(old)
        moved = {old: None, new: node} if old != new else {}
        if isinstance(node, Folder):
            for path in list(self.names):
                if path.startswith(old + "/"):
                    moved |= {path: None, new + path[len(old) :]: self.names[path]}
        self._rename(moved)

    def _rename(self, names: dict[str, Node | None]) -> None:
        self.renamings.append(Renaming(self.moment, names))
        _name(self.names, names)

    def write(self, file: File, offset: int, data: bytes) -> None:
        file.write(self.moment, offset, data)

    def resize(self, file: File, size: int) -> None:
        file.resize(self.moment, size)

    def sync_file(self, file: File) -> None:
        if not self.lies:
            file.sync()

    def sync_folder(self, path: str) -> None:
        """Promise the names in one folder. Names tied to them by a rename come along."""
        if self.lies:
            return
        for group in self._groups():
            if any(_parent(name) == path for renaming in group for name in renaming.names):
                for renaming in group:
                    _name(self.synced, renaming.names)
                    self.renamings.remove(renaming)

    # --- the cut ------------------------------------------------------------------------

    def survivor(self, seed: int) -> Volume:
        """What the next power-up finds: a volume on which all there is, is synced."""
        rng = random.Random(seed)
        style = rng.choice(STYLES)
        moment = rng.randint(self._oldest(), self.moment)
        names = dict(self.synced)
        for group in self._groups():
            for renaming in group[: _survive(group, rng, style, moment)]:
                _name(names, renaming.names)
        after = Volume(lies=self.lies)
        for path in sorted(names):
            node = names[path]
            if _parent(path) and not isinstance(after.names.get(_parent(path)), Folder):
                continue
            if isinstance(node, File):
                node = File(node.survivor(rng, style, moment))
            after.names[path] = node
        after.synced = dict(after.names)
        return after

    def _oldest(self) -> int:
        """The moment of the oldest unsynced change."""
        files = [node for node in self.names.values() if isinstance(node, File)]
        moments = [file.changes[0].moment for file in files if file.changes]
        moments += [renaming.moment for renaming in self.renamings[:1]]
        return min(moments, default=self.moment)

    def _groups(self) -> list[list[Renaming]]:
        """The unsynced changes of names, apart where they have no name in common."""
        groups: list[tuple[set[str], list[Renaming]]] = []
        for renaming in self.renamings:
            touched = set(renaming.names)
            tied = [group for group in groups if group[0] & touched]
            groups = [group for group in groups if not group[0] & touched]
            members = sorted(
                [*(r for group in tied for r in group[1]), renaming], key=self.renamings.index
            )
            groups.append((touched.union(*(group[0] for group in tied)), members))
        return [members for _, members in groups]


_ROOT = Folder()


def _survive(group: list[Renaming], rng: random.Random, style: str, moment: int) -> int:
    """How many changes of a group of names made it, counted from the oldest."""
    if style == "everything":
        return len(group)
    if style == "nothing":
        return 0
    if style == "ordered":
        return sum(renaming.moment <= moment for renaming in group)
    return rng.randint(0, len(group))


def _name(names: dict[str, Node], changes: dict[str, Node | None]) -> None:
    for path, node in changes.items():
        if node is None:
            names.pop(path, None)
        else:
            names[path] = node


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
