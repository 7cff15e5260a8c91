"""Who helps and who moderates in the demo: keys made anew at each start, gone with its folder.

As an operator makes them: one key pair for the helpers of all boxes, a number and a one-time code
to come in by, a moderator's key. So a newcomer can play the whole story by hand.
"""

from __future__ import annotations

import os
from pathlib import Path

from kiezbox.cli._common import open_clock
from kiezbox.sealing import folded, lock, new_pair, random_bytes, words_of
from kiezbox.settings import Settings
from kiezbox.store.keyring import Keyring
from kiezbox.store.log import Log
from kiezbox.store.moderators import believe
from kiezbox.trust import new_key, pack_key

__all__ = ["Helpers"]

#: As ``kiezbox helper admit``: 50 bits.
CODE_WORDS = 5

#: Longer than anybody plays.
CODE_S = 7 * 86400.0

MODERATOR = "Kiezteam of the demo"


class Helpers:
    """Of one demo. ``number`` and ``code`` let somebody in, once on each box."""

    def __init__(self, folder: Path) -> None:
        self.number = 1
        self.code = " ".join(words_of(random_bytes(16), "en", CODE_WORDS))
        #: The setting ``abuse.moderator_key`` of all boxes.
        self.moderator_key = folder / "moderator.key"
        self._pair, self._moderator = new_pair(), new_key(MODERATOR)
        file = os.open(self.moderator_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(file, "w", encoding="utf-8") as out:
            out.write(pack_key(self._moderator))

    def come_to(self, settings: Settings) -> None:
        """Give a new box the helpers' public key, the code, and whom it believes."""
        path = settings.store.words_path
        log = Log.open(path, open_clock(settings), box=settings.box.id)
        try:
            ring = Keyring(log)
            ring.set_public("helpers", self._pair.public)
            locked = lock(self._pair.private, folded(self.code))
            holder = ring.admit("helpers", locked, lasts_s=CODE_S)
            assert holder.number == self.number
        finally:
            log.close()
        believe(path, self._moderator.public, MODERATOR)
