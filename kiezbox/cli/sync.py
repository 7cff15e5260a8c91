"""Carry words from box to box in a file, and say by which key this box is known.

  kiezbox sync export FILE [--json]   all that other boxes may have, into a new file
  kiezbox sync import FILE [--json]   take in what another box has exported
  kiezbox sync key [--json]           this box's line for [kiez.members] of the other boxes

What is taken in must be proven by a box of [kiez.members]; all else is counted and left. A file
that was cut or damaged gives what is whole. The same file may be imported again, and the node may
run meanwhile.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from kiezbox.errors import MissingPackage, StoreError, UsageError

if TYPE_CHECKING:
    from kiezbox.clock import Clock
    from kiezbox.settings import Settings


def main(argv: list[str]) -> int:
    """``kiezbox sync export|import|key``."""
    from kiezbox.cli._common import Parser, load_settings, open_clock

    parser = Parser("sync", __doc__)
    parser.add_argument("action", choices=("export", "import", "key"))
    parser.add_argument("file", nargs="?", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="for programs")
    # Options may stand between the words.
    arguments = parser.parse_intermixed_args(argv)
    if (arguments.file is None) != (arguments.action == "key"):
        needs = "no file" if arguments.action == "key" else "a file"
        raise UsageError(
            f"sync {arguments.action} needs {needs}", hint="`kiezbox sync --help` shows it."
        )
    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    try:
        if arguments.action == "key":
            return _key(settings, is_json=arguments.json)
        if arguments.action == "export":
            return _export(settings, clock, arguments.file, is_json=arguments.json)
        return _import(settings, clock, arguments.file, is_json=arguments.json)
    except ModuleNotFoundError as error:
        raise MissingPackage(
            f"words need the package {error.name}", hint="pip install 'kiezbox[words]'"
        ) from error


def _key(settings: Settings, *, is_json: bool) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.peers.home import as_its_owner
    from kiezbox.store.box_key import own_key

    with as_its_owner(settings.store.path):
        public = own_key(settings.store.path, settings.store.words_path, settings.box.id).public
    if is_json:
        print_json({"box": settings.box.id, "key": public.hex()})
    else:
        print(f'{settings.box.id} = "{public.hex()}"')
    return 0


def _export(settings: Settings, clock: Clock, path: str, *, is_json: bool) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.cli._exporting import Progress, opened
    from kiezbox.peers.home import Home, as_its_owner
    from kiezbox.peers.stick import items_of, write

    with opened(path, is_binary=True) as out, as_its_owner(settings.store.path):
        home = Home(settings, clock)
        try:
            holdings = home.sharing.holdings
            total = sum(len(holdings.held(origin)) for origin in holdings.origins())
            with Progress(clock) as progress:
                count = 0
                for count in write(out, home.box, clock.now(), items_of(home.sharing)):
                    progress(min(1.0, count / max(1, total)))
        finally:
            home.close()
    if is_json:
        print_json({"file": path, "records": count})
    else:
        print(f"{count} records written to {path}")
    return 0


def _import(settings: Settings, clock: Clock, path: str, *, is_json: bool) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.peers.home import Home, as_its_owner
    from kiezbox.peers.stick import Stick, bring

    try:
        # Before the log is opened: a file that is none changes nothing.
        with open(path, "rb", buffering=0) as file:
            stick = Stick(file)
            with as_its_owner(settings.store.path):
                home = Home(settings, clock)
                try:
                    said = _Progress(stick, os.fstat(file.fileno()).st_size, clock)
                    done = bring(stick, home.sharing, home.log, said)
                    said.end()
                finally:
                    home.close()
    except StoreError:
        raise
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror or error}",
            hint="What was taken in before that stays; the same file may be imported again.",
        ) from error
    is_good = stick.is_whole and not done.refused.keys() - {"expired, or erased here"}
    if is_json:
        print_json(
            {
                "file": path, "box": stick.box, "written_at": stick.at, "new": done.new,
                "known": done.known, "refused": dict(done.refused), "holes": stick.holes,
                "is_whole": stick.is_whole,
            }
        )  # fmt: skip
    else:
        print("\n".join(_sentences(stick, done)))
    return 0 if is_good else 1


#: What to do about records that were not taken in.
_WHY = {
    "damaged": "are no records: the file or its stick is damaged",
    "for its box alone": "are for their own box alone",
    "no member": "are of boxes that are not in [kiez.members]",
    "not proven": "are not proven by the key that [kiez.members] has for their box",
    "expired, or erased here": "have expired, or were erased here",
}


def _sentences(stick: Any, done: Any) -> list[str]:
    lines = [f"from {stick.box}: {done.new} new, {done.known} known already"]
    lines += [f"  {count} {_WHY[why]}" for why, count in sorted(done.refused.items())]
    if stick.holes:
        places = "one place" if stick.holes == 1 else f"{stick.holes} places"
        lines.append(f"  the file is damaged at {places}; what is whole was read")
    if not stick.is_ended:
        lines.append("  the file has been cut: its end is missing; what is whole was read")
    return lines


class _Progress:
    """A line that is written over, once a second."""

    def __init__(self, stick: Any, size: int, clock: Clock) -> None:
        self._stick, self._size, self._clock = stick, size, clock
        self._said_at, self._has_said = clock.monotonic(), False

    def __call__(self, done: Any) -> None:
        now = self._clock.monotonic()
        if now - self._said_at >= 1.0:
            self._said_at, self._has_said = now, True
            part = self._stick.read_bytes / max(1, self._size)
            text = f"\r{min(1.0, part):4.0%} read, {done.new} new"
            print(text, end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._has_said:
            print(file=sys.stderr)
