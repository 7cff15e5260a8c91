"""Decide what neighbours have reported, and say what nobody publishes here.

  kiezbox moderate queue [--json]           what was reported and waits for a decision
  kiezbox moderate show ID [--json]         one of them, with all that was said about it
  kiezbox moderate hide ID [--reason WHY]   nobody sees it any more
  kiezbox moderate restore ID [--reason WHY]
                                            everybody sees it again, whoever reports it
  kiezbox moderate log [--json]             who decided what, newest first
  kiezbox moderate block [WORD] [--remove]  publish nothing with this word (word*, *word*); without
                                            one: which words there are
  kiezbox moderate keys [--name ROLE]       make this box's moderator key, or show who is believed
  kiezbox moderate keys --add FILE --name ROLE
                                            believe another moderator's key on this box
  kiezbox moderate keys --remove ID         believe it no more

What three neighbours from different addresses have reported is hidden until somebody decides. Each
decision is signed with the key of abuse.moderator_key (--key FILE for another one) and stays in the
log. docs/board.md says more.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from kiezbox.errors import KiezboxError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from kiezbox.clock import Clock
    from kiezbox.settings import Settings
    from kiezbox.store.moderation import Case
    from kiezbox.trust import Key

ACTIONS = ("queue", "show", "hide", "restore", "log", "block", "keys")


def main(argv: list[str]) -> int:
    """``kiezbox moderate ACTION``."""
    from kiezbox.cli._common import Parser, load_settings, open_clock

    parser = Parser("moderate", __doc__)
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("what", nargs="?", metavar="ID or WORD")
    parser.add_argument("--reason", default="", help="why: it stays in the log")
    parser.add_argument("--key", metavar="FILE", help="the key that signs")
    parser.add_argument("--name", default="", help="of a moderator, as a role")
    parser.add_argument("--add", metavar="FILE", help="a key file, or 64 digits of a public key")
    parser.add_argument("--remove", nargs="?", const="", metavar="ID", help="take it back")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    if (arguments.what is None) and arguments.action in ("show", "hide", "restore"):
        raise UsageError(
            f"moderate {arguments.action} needs an ID", hint="`kiezbox moderate queue` has them."
        )
    settings = load_settings(arguments.settings)
    _ACTS[arguments.action](arguments, settings, open_clock(settings))
    return 0


def signing_key(path: str) -> Key:
    """The moderator's key, its passphrase asked for if it has one.

    Raises:
        KiezboxError: it is not there, cannot be read, or is none.
    """
    from kiezbox.trust import is_sealed, unpack_key

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(1 << 16)
    except FileNotFoundError as error:
        raise KiezboxError(
            f"there is no moderator's key {path}",
            hint='`sudo kiezbox moderate keys --name "ROLE"` makes one; or --key FILE.',
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise KiezboxError(f"cannot read the key {path}: {error}", hint="Try with sudo.") from error
    passphrase = ""
    if is_sealed(text):
        from getpass import getpass

        passphrase = getpass("Passphrase of the moderator's key: ")
    return unpack_key(text, passphrase)


# --- deciding ------------------------------------------------------------------------------------


def _queue(arguments: argparse.Namespace, settings: Settings, clock: Clock) -> None:
    from kiezbox.cli._common import print_json
    from kiezbox.store.moderation import queue

    with _opened(settings, clock) as log:
        cases = queue(log)
        if arguments.json:
            print_json([_document(case) for case in cases])
            return
        for case in cases:
            _show_case(case, clock)
        if not cases:
            print("nothing waits for a decision", file=sys.stderr)


def _show(arguments: argparse.Namespace, settings: Settings, clock: Clock) -> None:
    from kiezbox.cli._common import print_json
    from kiezbox.store.moderation import case_of, ref_of

    with _opened(settings, clock) as log:
        case = case_of(log, ref_of(arguments.what))
        if case is None:
            raise UsageError(f"there is no {arguments.what}", hint="It may have expired.")
        if arguments.json:
            print_json(_document(case))
        else:
            _show_case(case, clock)


def _decide(arguments: argparse.Namespace, settings: Settings, clock: Clock) -> None:
    from kiezbox.store.moderation import decide, ref_of

    key = signing_key(arguments.key or settings.abuse.moderator_key)
    ref, verdict = ref_of(arguments.what), arguments.action
    with _opened(settings, clock) as log:
        case = decide(log, ref, verdict, key, reason=arguments.reason, now=clock.now())
    print(f"{case.ref} is {'hidden' if case.thing.is_hidden else 'shown'}, decided by {case.by}")


def _log(arguments: argparse.Namespace, settings: Settings, clock: Clock) -> None:
    from kiezbox.cli._common import print_json
    from kiezbox.cli.mode import words
    from kiezbox.store.moderation import history

    with _opened(settings, clock) as log:
        decisions = history(log)
    if arguments.json:
        print_json([{**each._asdict(), "of": str(each.of)} for each in decisions])
        return
    for each in decisions:
        who = each.issuer or f"key {each.key}, not believed"
        reason = f": {each.reason}" if each.reason else ""
        print(f"{words(clock.now() - each.at)} ago  {each.verdict} {each.of} by {who}{reason}")
    if not decisions:
        print("nobody has decided anything", file=sys.stderr)


# --- rules ---------------------------------------------------------------------------------------


def _block(arguments: argparse.Namespace, settings: Settings, clock: Clock) -> None:
    from kiezbox.store.house_rules import block, blocked_words, unblock

    if arguments.what is None:
        words = blocked_words(settings)
    elif arguments.remove is None:
        words = block(settings, arguments.what)
    else:
        words = unblock(settings, arguments.what)
    print("".join(f"{word}\n" for word in words), end="")
    if not words:
        print("no word is blocked", file=sys.stderr)


def _keys(arguments: argparse.Namespace, settings: Settings, clock: Clock) -> None:
    from kiezbox.store import moderators
    from kiezbox.trust import key_id

    path = settings.store.words_path
    if arguments.add:
        if not arguments.name:
            raise UsageError("moderate keys --add needs --name", hint='--name "Kiezteam Nord"')
        moderators.believe(path, _public(arguments.add), arguments.name)
    elif arguments.remove is not None:
        found = [key for key in moderators.believed(path) if key_id(key).hex() == arguments.remove]
        if not found:
            raise UsageError(
                f"no believed key is {arguments.remove!r}",
                hint="`kiezbox moderate keys` shows them: the 16 digits before the name.",
            )
        moderators.forget(path, found[0])
    elif not os.path.exists(arguments.key or settings.abuse.moderator_key):
        _make_key(arguments, settings)
    else:
        _believe_again(arguments, settings)
    with _opened(settings, clock):
        pass  # What was decided with these keys is judged anew.
    for public, name in moderators.believed(path).items():
        print(f"{key_id(public).hex()}  {name}")


def _make_key(arguments: argparse.Namespace, settings: Settings) -> None:
    from kiezbox.store import moderators
    from kiezbox.trust import new_key, pack_key

    path = arguments.key or settings.abuse.moderator_key
    name = arguments.name or f"{settings.box.name or settings.box.id}"
    key = new_key(name)
    try:
        # Never over another one, and nobody else's to read for an instant.
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as out:
            out.write(pack_key(key))
            out.flush()
            os.fsync(out.fileno())
        moderators.believe(settings.store.words_path, key.public, name)
    except OSError as error:
        raise KiezboxError(f"cannot make the key: {error}", hint="Try with sudo.") from error
    print(f"made {path}; whoever has this file moderates on this box", file=sys.stderr)


def _believe_again(arguments: argparse.Namespace, settings: Settings) -> None:
    """The card was new, or the key was taken over from another box: it is there and counts for
    nothing. Only by name, so that a look never brings back what somebody removed.
    """
    from kiezbox.store import moderators
    from kiezbox.trust import key_id

    path, words = arguments.key or settings.abuse.moderator_key, settings.store.words_path
    if not os.access(path, os.R_OK):
        return
    public = _public(path)
    if public in moderators.believed(words):
        return
    if arguments.name:
        moderators.believe(words, public, arguments.name)
        print(f"{path} counts on this box from now on", file=sys.stderr)
    else:
        print(
            f"this box does not believe {path} ({key_id(public).hex()}):"
            ' `kiezbox moderate keys --name "ROLE"` changes that',
            file=sys.stderr,
        )


def _public(given: str) -> bytes:
    from kiezbox.trust import is_public_key, public_of

    if is_public_key(given):
        return bytes.fromhex(given)
    try:
        with open(given, encoding="utf-8") as file:
            return public_of(file.read(1 << 16))
    except (OSError, UnicodeDecodeError) as error:
        raise KiezboxError(
            f"cannot read the key {given}: {error}", hint="A key file, or 64 digits."
        ) from error


_ACTS: dict[str, Callable[[argparse.Namespace, Settings, Clock], None]] = {
    "queue": _queue,
    "show": _show,
    "hide": _decide,
    "restore": _decide,
    "log": _log,
    "block": _block,
    "keys": _keys,
}


# --- showing -------------------------------------------------------------------------------------


def _opened(settings: Settings, clock: Clock) -> Any:
    """The log, judged by this box's roots and moderators; closed at the end."""
    from contextlib import closing

    from kiezbox.store.believing import open_believing

    return closing(open_believing(settings, clock))


def _show_case(case: Case, clock: Clock) -> None:
    from kiezbox.cli.mode import words

    thing = case.thing
    state = "hidden" if thing.is_hidden else "shown"
    decided = f", {case.verdict} by {case.by}" if case.verdict else ""
    ago = words(clock.now() - thing.written_at)
    print(f"{case.ref}  {case.kind} {thing.topic}, {ago} old, {state}{decided}")
    said = ", ".join(f"{count} × {reason}" for reason, count in case.reports.items())
    print(f"  reported: {said or 'by nobody'}")
    print("".join(f"  | {line}\n" for line in (thing.text or "(no words)").splitlines()), end="")


def _document(case: Case) -> dict[str, Any]:
    thing = case.thing
    return {
        "id": str(case.ref),
        "kind": case.kind,
        "topic": thing.topic,
        "text": thing.text,
        "language": thing.language,
        "written_at": thing.written_at,
        "expires_at": thing.expires_at,
        "is_hidden": thing.is_hidden,
        "reports": case.reports,
        "verdict": case.verdict,
        "by": case.by,
    }
