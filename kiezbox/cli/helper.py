"""Say who may read what residents seal, and let helpers in.

  kiezbox helper keys [--role ROLE]        make the role's key pair; asks for a passphrase, twice
  kiezbox helper keys --role ROLE --public HEX
                                           only the public key: others hold the private one
  kiezbox helper keys --from FILE          take over the pair that another box exported
  kiezbox helper export [--role ROLE]      the pair for another box; the private key stays locked
  kiezbox helper admit [--role ROLE]       a number and a one-time code for a new helper
  kiezbox helper list [--json]             who holds which key, and which codes are open
  kiezbox helper remove NUMBER             somebody less
  kiezbox helper forget-keys --role ROLE   begin anew: what was sealed stays sealed for ever
  kiezbox helper openings [--json]         who opened what, and when

Roles are helpers (the default) and protection (civil protection). Passphrases are asked at the
terminal or read from standard input, a line each, never from arguments. A helper opens /helper on
the box, types number and code, and chooses a passphrase; docs/help.md says what that is worth.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from kiezbox.errors import UsageError

if TYPE_CHECKING:
    from kiezbox.settings import Settings
    from kiezbox.store.keyring import Keyring
    from kiezbox.store.log import Log

ACTIONS = ("keys", "export", "admit", "list", "remove", "forget-keys", "openings")

#: Words of a one-time code: 50 bits.
CODE_WORDS = 5


def main(argv: list[str]) -> int:
    """``kiezbox helper keys|export|admit|list|remove|forget-keys|openings``."""
    from kiezbox.cli._common import Parser, load_settings
    from kiezbox.cli._helping import open_log
    from kiezbox.sealing import ROLES

    parser = Parser("helper", __doc__)
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("number", nargs="?", type=int, metavar="NUMBER")
    parser.add_argument("--role", choices=ROLES, default=ROLES[0])
    parser.add_argument("--public", metavar="HEX", help="keys: a public key, 128 digits")
    parser.add_argument("--from", metavar="FILE", dest="file", help="keys: what export wrote")
    parser.add_argument("--as", type=int, metavar="NUMBER", dest="holder", help="whose passphrase")
    parser.add_argument("--language", default="de", help="admit: of the code's words (de, en)")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    if (arguments.number is None) == (arguments.action == "remove"):
        raise UsageError(
            f"helper {arguments.action} needs "
            + ("a number" if arguments.action == "remove" else "no number"),
            hint="`kiezbox helper list` shows the numbers.",
        )
    settings = load_settings(arguments.settings)
    with open_log(settings) as (log, ring):
        _DO[arguments.action](settings, log, ring, arguments)
    return 0


def _keys(settings: Settings, log: Log, ring: Keyring, arguments: Any) -> None:
    from kiezbox.cli._helping import secret
    from kiezbox.sealing import fault_of, lock, new_pair

    role = arguments.role
    if arguments.file:
        _take_over(ring, arguments.file)
        return
    if arguments.public:
        ring.set_public(role, _public(arguments.public))
        print(f"what residents say is sealed to {role} from now on; nobody here can open it")
        return
    # Said before anybody thinks up a passphrase.
    ring.must_be_without_key(role)
    passphrase = secret("new passphrase")
    fault = fault_of(passphrase)
    if fault:
        raise UsageError(f"the passphrase is too {fault}", hint="Twelve characters at least.")
    if secret("once more") != passphrase:
        raise UsageError("the two passphrases differ")
    pair = new_pair()
    ring.set_public(role, pair.public)
    holder = ring.admit(role, lock(pair.private, passphrase))
    print(f"{role} have a key now: {pair.public.hex()}")
    print(f"Your number is {holder.number}. With it and the passphrase you open what is sealed.")
    print("Nobody can restore a lost passphrase: admit a second person soon.")


def _public(given: str) -> bytes:
    from kiezbox.sealing import PUBLIC_BYTES

    try:
        found = bytes.fromhex(given)
    except ValueError:
        found = b""
    if len(found) != PUBLIC_BYTES:
        raise UsageError(
            f"a role's public key is {2 * PUBLIC_BYTES} hexadecimal digits",
            hint="`kiezbox helper list` shows it, where it was made.",
        )
    return found


def _take_over(ring: Keyring, path: str) -> None:
    import json

    try:
        with open(path, encoding="utf-8") as file:
            given = json.load(file)
        role, public = str(given["role"]), _public(str(given["public"]))
        locked = bytes.fromhex(given["locked"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is nothing that `kiezbox helper export` wrote: {error}"
        ) from error
    ring.set_public(role, public)
    holder = ring.admit(role, locked)
    print(f"{role} have the same key as there; number {holder.number}, the passphrase as there")


def _export(settings: Settings, log: Log, ring: Keyring, arguments: Any) -> None:
    from kiezbox.cli._common import print_json
    from kiezbox.cli._helping import holder_for

    holder = holder_for(ring, arguments.role, arguments.holder)
    public = ring.publics()[holder.role]
    print_json({"role": holder.role, "public": public.hex(), "locked": holder.locked.hex()})


def _admit(settings: Settings, log: Log, ring: Keyring, arguments: Any) -> None:
    from kiezbox.cli._common import print_json
    from kiezbox.cli._helping import holder_for, unlocked
    from kiezbox.sealing import folded, lock, random_bytes, words_of

    private = unlocked(holder_for(ring, arguments.role, arguments.holder))
    code = " ".join(words_of(random_bytes(16), arguments.language, CODE_WORDS))
    hours = settings.help.code_hours
    holder = ring.admit(arguments.role, lock(private, folded(code)), lasts_s=hours * 3600)
    if arguments.json:
        print_json({"number": holder.number, "code": code, "hours": hours})
        return
    print(f"number  {holder.number}")
    print(f"code    {code}")
    print(f"Open /helper on this box within {hours:g} h and type both. The code is good once.")


def _list(settings: Settings, log: Log, ring: Keyring, arguments: Any) -> None:
    from kiezbox.cli._common import print_json

    keys = {role: public.hex() for role, public in ring.publics().items()}
    holders = [
        {
            "number": each.number,
            "role": each.role,
            "since": each.made_at,
            "code_until": each.expires_at,
        }
        for each in ring.holders()
    ]
    if arguments.json:
        print_json({"keys": keys, "holders": holders})
        return
    for role, public in keys.items():
        print(f"{role}: {public}")
    for each in ring.holders():
        left_h = (each.expires_at - log.now()) / 3600 if each.expires_at else 0
        state = f"code, good for another {left_h:.1f} h" if left_h else "has a passphrase"
        print(f"  {each.number:4}  {each.role:10}  {state}")
    if not keys:
        print("no role has a key: what is exact cannot be taken (`kiezbox helper keys`)")


def _remove(settings: Settings, log: Log, ring: Keyring, arguments: Any) -> None:
    holders = [each for each in ring.holders() if each.expires_at is None]
    found = next((each for each in holders if each.number == arguments.number), None)
    if found and [each.role for each in holders].count(found.role) == 1:
        raise UsageError(
            f"number {found.number} is the last who can open what is sealed to {found.role}",
            hint="Let in another first (kiezbox helper admit); or, to lose what was sealed for"
            f" ever, kiezbox helper forget-keys --role {found.role}.",
        )
    if not ring.remove(arguments.number):
        raise UsageError(
            f"there is no number {arguments.number}", hint="`kiezbox helper list` shows them."
        )
    print(f"number {arguments.number} opens nothing any more on this box", file=sys.stderr)


def _forget(settings: Settings, log: Log, ring: Keyring, arguments: Any) -> None:
    ring.forget(arguments.role)
    print(f"{arguments.role} have no key any more", file=sys.stderr)


def _openings(settings: Settings, log: Log, ring: Keyring, arguments: Any) -> None:
    import time

    from kiezbox.cli._common import print_json
    from kiezbox.store.helping import is_opening_proven, number_of

    numbers = {each.who: each.number for each in ring.holders()}
    found = [
        {
            "ticket": number_of(log.box, told.body["of"]),
            "at": told.written_at,
            "role": told.body["role"],
            "number": numbers.get(told.body.get("who", b"")),
            "is_confirmed": is_opening_proven(log, told, ring.publics()),
        }
        for told in log.records("opening")
    ]
    if arguments.json:
        print_json(found)
        return
    for each in found:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each["at"]))
        mark = "" if each["is_confirmed"] else "  NOT CONFIRMED: no key of a role has signed this"
        who = f"{each['role']} {each['number'] or ''}".rstrip()
        print(f"{when}  ticket {each['ticket']}  {who}{mark}")


_DO = {
    "keys": _keys,
    "export": _export,
    "admit": _admit,
    "list": _list,
    "remove": _remove,
    "forget-keys": _forget,
    "openings": _openings,
}
