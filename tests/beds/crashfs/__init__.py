"""Power cuts, without a plug: a file system that loses what was not synced, and its harness.

``kill -9`` leaves the kernel's page cache alone, so it cannot tell a durable store from one that
never syncs. Here the files lie in a FUSE file system (``mount.py``) whose only memory is a model
of a disk (``disk.py``). The cut kills the process with SIGKILL in the middle of a system call and
throws away, at random, what no fsync had promised. What is left is handed to the next process
(``life.py``) as if the machine had come up again, and the ledger of what the store had confirmed
is held against it. ``cuts.py`` counts.

How a cut is modelled
---------------------
**When.** Every operation that can change what survives (write, truncate, fallocate, create,
unlink, rename, mkdir, rmdir, fsync of file or folder) is counted; the cut comes *in* the n-th, n
drawn from a seed. Nothing on the disk changes between two operations, so every moment of a real
cut falls onto one of these. The operation cut into has not returned to its caller. It was carried
out like any other unsynced one (a write in part), or, if it was an fsync, either not honoured at
all or, by a coin, honoured but never reported.

**Content.** A file is 512-byte sectors. A sector written since the file's last fsync holds, after
the cut, its synced content or any of the contents it was given since: the kernel may have written
it back at any moment. Sectors are torn apart from each other, never in themselves (what SD cards
and SATA disks promise; SQLite's "powersafe overwrite" asks for it).

**Size.** Any size the file had since its last fsync; a hole reads as zeros. Shrinking is atomic
and ordered: what was written after a truncation survives only if the truncation does, and a
truncation that did not happen has not touched the content.

**Names.** Each unsynced create, unlink or rename may or may not have happened; the changes of one
name happen in order, and names tied by a rename share one order, so a rename is never half done.
A file's own fsync does not save its name: only an fsync of the folder does.

**fsync and fdatasync** are the same: content and size are safe when they return.

How a cut is drawn: of ten cuts six are *scattered* (each file its own odds, from "nothing
survived" to "all but a few sectors"), two *ordered* (everything up to one moment, nothing after),
one lost everything unsynced, one lost nothing at all (which is what ``kill -9`` sees).

**Stricter than ext4** (data=ordered): ext4 commits names in the order they were made and together
with the next fsync of anything, so a file that was synced keeps its name; here it may not. ext4
flushes a file's data before the size that reveals it; here a hole of zeros may appear. The
deleted rollback journal that comes back is one of these: POSIX allows it, vfat does it (seen in a
virtual machine: vfat, journal_mode=DELETE, synchronous=FULL lost an acknowledged row), ext4 does
not.

**Looser than ext4 or a real card:** no stale content of *other* files appears in new blocks (some
file systems leak it), fsync never fails, no sector that *was* synced is damaged (a cheap card may
lose a whole erase block it was just moving), directories are never corrupt, nothing is reordered
across an fsync, and a lying card is only the control experiment (``lies=True``).

mmap: what a process writes into a shared mapping reaches this file system when the kernel writes
the pages back, and counts as unsynced until then. SQLite maps only its ``-shm`` file, which it
rebuilds after a crash. O_DIRECT is accepted (the kernel hands the request through).
"""
