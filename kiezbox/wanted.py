"""What the box wants of its network, said to the root part: one file whose name is the posture.

``run_dir/wanted`` holds exactly one file, from the node's first word on: a posture follows on
another by rename(2), which a crash finds done or not done. systemd watches for the four names
(``kiezbox-wanted@.path``) and starts the target of that name. A file's name is all that the node
can say, and what is in the file is never read.

The node says it, and root by hand (`kiezbox network apply`). When the node ends the file stays:
the network goes on as it is until somebody says otherwise.
"""

from __future__ import annotations

import os

from kiezbox.posture import Posture

#: The folder below ``store.run_dir``. systemd/kiezbox-wanted@.path knows it too.
FOLDER = "wanted"


class Wanted:
    """The folder and its one file. For one thread at a time."""

    def __init__(self, run_dir: str) -> None:
        self.folder = os.path.join(run_dir, FOLDER)
        #: What was wanted before this start of the node; None if nothing was.
        self.before = self.read()

    def say(self, posture: Posture) -> None:
        """Want this and nothing else. Raises OSError where the folder cannot be written."""
        names = self._names()
        path = os.path.join(self.folder, posture)
        if posture not in names:
            if names:
                # The old word becomes the new one. A second file beside it, even for a moment,
                # would let systemd choose.
                os.rename(os.path.join(self.folder, names.pop()), path)
            else:
                os.makedirs(self.folder, exist_ok=True)
                # systemd's folder: everybody may see it, whatever the node's umask.
                os.chmod(self.folder, 0o755)
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
        for name in names:
            if name != posture:
                # Somebody else's, or a box where two nodes once ran.
                os.unlink(os.path.join(self.folder, name))

    def forget(self) -> None:
        """Want nothing any more: what was asked for by hand could not be made."""
        for name in self._names():
            os.unlink(os.path.join(self.folder, name))

    def read(self) -> Posture | None:
        """What is wanted, by whoever said so last; None: nothing."""
        try:
            names = self._names()
        except OSError:
            return None  # whoever wants something hears of it
        return next((each for each in Posture if each in names), None)

    def _names(self) -> list[str]:
        try:
            return sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return []
