"""The house rules as the portal reads them: kiezbox.toml is hidden from it, so the node writes what
it needs into the run directory when it starts, and `kiezbox moderate block` when a word changes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from kiezbox.errors import KiezboxError, UsageError

if TYPE_CHECKING:
    from kiezbox.settings import Settings

__all__ = ["FILE", "block", "blocked_words", "unblock", "write"]

#: In the run directory (``portal.gate`` has the same name; a test compares them).
FILE = "abuse.json"

_MOST_BYTES = 1 << 19

_LIMITS = (
    "client_burst", "client_per_minute", "client_per_day", "network_factor", "box_burst",
    "box_per_minute",
)  # fmt: skip


def write(settings: Settings) -> str:
    """Where it was written.

    Raises:
        KiezboxError: it cannot be.
    """
    document = {
        "limits": {name: getattr(settings.abuse, name) for name in _LIMITS},
        "blocked": blocked_words(settings),
    }
    path = os.path.join(settings.store.run_dir, FILE)
    try:
        os.makedirs(settings.store.run_dir, exist_ok=True)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False)
        os.chmod(f"{path}.new", 0o644)
        os.replace(f"{path}.new", path)
    except OSError as error:
        raise KiezboxError(f"cannot write {path}: {error}") from error
    return path


def blocked_words(settings: Settings) -> list[str]:
    """The lines of the block list that say something; [] where there is none.

    Raises:
        KiezboxError: it is there and cannot be read.
    """
    path = _path(settings)
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read(_MOST_BYTES).splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise KiezboxError(
            f"cannot read the block list {path}: {error}", hint="One word a line, in UTF-8."
        ) from error
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def block(settings: Settings, word: str) -> list[str]:
    """Publish nothing with this word from now on; all of them."""
    word = " ".join(word.split())
    if not word.strip("*# "):
        raise UsageError("there is no word to block", hint="word, word* or *word*")
    words = [*blocked_words(settings)]
    return _put(settings, [*words, word] if word not in words else words)


def unblock(settings: Settings, word: str) -> list[str]:
    """The same, taken back.

    Raises:
        UsageError: it is not on the list.
    """
    words = blocked_words(settings)
    if word not in words:
        raise UsageError(f"{word!r} is not on the block list", hint="`kiezbox moderate block`")
    return _put(settings, [each for each in words if each != word])


def _put(settings: Settings, words: Sequence[str]) -> list[str]:
    path = _path(settings)
    try:
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write("# Words with which nothing is published: kiezbox moderate block\n")
            file.writelines(f"{word}\n" for word in words)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):
            os.chmod(f"{path}.new", 0o644)
        os.replace(f"{path}.new", path)
    except OSError as error:
        raise KiezboxError(f"cannot write the block list {path}: {error}") from error
    write(settings)
    return list(words)


def _path(settings: Settings) -> str:
    beside = os.path.dirname(os.path.abspath(settings.store.words_path))
    return settings.abuse.blocked_words or os.path.join(beside, "blocked-words.txt")
