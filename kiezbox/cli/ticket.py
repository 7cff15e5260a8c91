"""Work with requests for help, and write one down for somebody at the door.

  kiezbox ticket list [--all] [--json]     what is open, the most urgent first
  kiezbox ticket show ID [--open]          one of them; --open asks for a passphrase and unseals it
  kiezbox ticket acknowledge|forward|take|yield|done|close|reopen ID
  kiezbox ticket merge ID INTO             the same was asked for twice
  kiezbox ticket post --what ask --need medicine --block TEXT [--exact]
                                           on behalf of somebody; prints number and words for them

Needs: power, medicine, water, carrying, warmth, company, other. --exact asks for name, place,
phone, people and words one by one (or reads lines such as "place: third floor" from standard
input) and seals them at once; they are in no argument. What is done here is done as the operator,
and signed with the key of abuse.moderator_key (--key FILE for another one; `kiezbox moderate keys`
makes one): what nobody has signed changes no ticket. --as protection says that civil protection
did it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from kiezbox.errors import UsageError

if TYPE_CHECKING:
    from kiezbox.records import Ref, Thing
    from kiezbox.settings import Settings
    from kiezbox.store.keyring import Keyring
    from kiezbox.store.log import Log

STEPS = ("acknowledge", "forward", "take", "yield", "done", "close", "reopen", "merge")


def main(argv: list[str]) -> int:
    """``kiezbox ticket list|show|post|EVENT``."""
    from kiezbox.cli._common import Parser, load_settings
    from kiezbox.cli._helping import open_log
    from kiezbox.sealing import ROLES
    from kiezbox.store.helping import NEEDS, TOPICS

    parser = Parser("ticket", __doc__)
    parser.add_argument("action", choices=("list", "show", "post", *STEPS))
    parser.add_argument("id", nargs="?", metavar="ID")
    parser.add_argument("into", nargs="?", metavar="INTO")
    parser.add_argument("--all", action="store_true", help="list: those that are over, too")
    parser.add_argument("--open", action="store_true", help="show: unseal what is exact")
    parser.add_argument("--role", choices=ROLES, default=ROLES[0], help="show --open: whose key")
    parser.add_argument("--number", type=int, help="show --open: whose passphrase")
    parser.add_argument("--as", choices=("operator", "protection"), default="operator", dest="by")
    parser.add_argument("--key", metavar="FILE", help="the key that signs")
    parser.add_argument("--what", choices=TOPICS, default="ask")
    parser.add_argument("--need", choices=NEEDS, action="append", default=[])
    parser.add_argument("--block", default="", help="post: for everybody; no house number")
    parser.add_argument("--exact", action="store_true", help="post: ask for what is sealed")
    parser.add_argument("--language", default="de", help="post: of its words (de, en)")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    wanted = 0 if arguments.action in ("list", "post") else 2 if arguments.action == "merge" else 1
    if sum(each is not None for each in (arguments.id, arguments.into)) != wanted:
        needs = ("no ID", "an ID", "two IDs")[wanted]
        raise UsageError(
            f"ticket {arguments.action} needs {needs}",
            hint="`kiezbox ticket list` has them; `kiezbox ticket --help` shows the ways.",
        )
    settings = load_settings(arguments.settings)
    with open_log(settings) as (log, ring):
        if arguments.action == "list":
            _list(log, arguments)
        elif arguments.action == "post":
            _post(settings, log, ring, arguments)
        elif arguments.action == "show":
            _show(log, ring, arguments)
        else:
            _step(settings, log, arguments)
    return 0


def _ref(log: Log, given: str) -> Ref:
    from kiezbox.records import kind_named
    from kiezbox.store.helping import ref_of

    ref = ref_of(log.box, given)
    thing = ref and log.thing(ref)
    if ref is None or thing is None or thing.kind != kind_named("ticket").number:
        raise UsageError(
            f"there is no ticket {given}", hint="`kiezbox ticket list --all` shows them."
        )
    return ref


def _facts(log: Log, ticket: Thing) -> dict[str, Any]:
    """For programs; nothing of it is exact."""
    from kiezbox.records import Ref
    from kiezbox.store.helping import NEEDS, number_of

    data = ticket.data
    return {
        "id": number_of(log.box, Ref(ticket.origin, ticket.sequence)),
        "what": ticket.topic,
        "needs": [NEEDS[n] for n in data["needs"] if n < len(NEEDS)],
        "block": ticket.text,
        "state": ticket.state,
        "since": data["since"],
        "by": data["role"],
        "takers": len(data["takers"]),
        "written_at": ticket.written_at,
        "is_sealed": bool(data.get("is_sealed")),
        "is_on_behalf": bool(data.get("is_on_behalf")),
        "is_exercise": bool(data.get("is_exercise")),
        "into": data.get("into"),
        "unconfirmed": data.get("unconfirmed", []),
    }


def _line(log: Log, ticket: Thing) -> str:
    from kiezbox.cli.mode import words

    facts = _facts(log, ticket)
    marks = [facts["what"], ", ".join(facts["needs"]), ticket.text]
    if facts["is_exercise"]:
        marks.insert(0, "EXERCISE")
    age = words(max(0.0, log.now() - ticket.written_at))
    takers = f" by {facts['takers']}" if facts["takers"] > 1 else ""
    return f"{facts['id']:>6}  {ticket.state}{takers}, {age} old: {' · '.join(filter(None, marks))}"


def _list(log: Log, arguments: Any) -> None:
    from kiezbox.cli._common import print_json
    from kiezbox.records.tickets import ENDED

    found = log.things("ticket", limit=10_000, is_hidden=None)
    if not arguments.all:
        found = [each for each in found if each.state not in ENDED]
    order = {"received": 0, "acknowledged": 1, "forwarded": 1, "taken": 2}
    found.sort(
        key=lambda t: (t.topic != "emergency", order.get(t.state, 3), t.written_at, t.sequence)
    )
    if arguments.json:
        print_json([_facts(log, each) for each in found])
        return
    for each in found:
        print(_line(log, each))
    if not found:
        print("no ticket is open", file=sys.stderr)


def _show(log: Log, ring: Keyring, arguments: Any) -> None:
    import time

    from kiezbox.cli._common import print_json

    ref = _ref(log, arguments.id)
    ticket = log.thing(ref)
    assert ticket is not None
    exact = _opened(log, ring, ref, arguments) if arguments.open else {}
    if arguments.json:
        print_json({**_facts(log, ticket), "steps": ticket.data["steps"], "exact": exact or None})
        return
    print(_line(log, ticket))
    for event, role, at in ticket.data["steps"]:
        print(f"        {time.strftime('%Y-%m-%d %H:%M', time.localtime(at))}  {event} by {role}")
    for event, role, _ in ticket.data.get("unconfirmed", ()):
        print(f"        NOT CONFIRMED, and changes nothing: {event} by {role}")
    for name, value in exact.items():
        print(f"  {name}: {value}")
    if not arguments.open and ticket.data.get("is_sealed"):
        print("  Name, place and number are sealed: --open.")


def _opened(log: Log, ring: Keyring, ref: Ref, arguments: Any) -> dict[str, str]:
    """Unsealed for this answer; that it was is written down first."""
    from kiezbox.cli._helping import holder_for, unlocked
    from kiezbox.errors import KiezboxError
    from kiezbox.sealing import NotOpened, signer_of, unseal
    from kiezbox.store.helping import note_opening, opened, sealed_for

    told = log.told(ref)
    sealed = sealed_for(arguments.role, told[0].body) if told else b""
    if not sealed:
        raise UsageError(f"nothing of ticket {arguments.id} is sealed to {arguments.role}")
    holder = holder_for(ring, arguments.role, arguments.number)
    private = unlocked(holder)
    try:
        text = unseal(private, sealed)
    except NotOpened as error:
        raise KiezboxError(
            f"ticket {arguments.id} is sealed to another key of {arguments.role}",
            hint="It was written before the keys were made anew, or on a box with other keys.",
        ) from error
    note_opening(log, ref, "operator", holder.who, signer_of(private))
    return opened(text)


def _step(settings: Settings, log: Log, arguments: Any) -> None:
    from kiezbox.cli.moderate import signing_key
    from kiezbox.store.helping import act

    ref = _ref(log, arguments.id)
    into = _ref(log, arguments.into) if arguments.into else None
    key = signing_key(arguments.key or settings.abuse.moderator_key)
    print(_line(log, act(log, ref, arguments.action, arguments.by, key=key, into=into)))


def _post(settings: Settings, log: Log, ring: Keyring, arguments: Any) -> None:
    from kiezbox.cli._common import print_json
    from kiezbox.records.wording import clean
    from kiezbox.sealing import random_bytes, ticket_check, words_of
    from kiezbox.store.helping import NEEDS, number_of, ticket_draft

    block = clean(arguments.block, 120, lines=False)
    if not block:
        raise UsageError("ticket post needs --block", hint='Such as --block "Musterweg".')
    if not arguments.need and arguments.what != "emergency":
        raise UsageError("ticket post needs --need", hint=f"One of {', '.join(NEEDS)}.")
    if arguments.exact and not ring.publics():
        # Said before anybody types what cannot be kept.
        raise UsageError(
            "this box has no key to seal exact words to", hint="Make one: `kiezbox helper keys`."
        )
    exact = _asked() if arguments.exact else {}
    if arguments.exact and not exact:
        raise UsageError(
            "--exact was said, and nothing exact came",
            hint='A line each on standard input, such as "place: third floor"; or leave it out.',
        )
    words = " ".join(words_of(random_bytes(16), arguments.language))
    draft = ticket_draft(
        ring.publics(), what=arguments.what, needs=[NEEDS.index(each) for each in arguments.need],
        block=block, exact=exact, check=ticket_check(words, random_bytes(8)),
        language=arguments.language, is_on_behalf=True, is_exercise=_is_exercise(settings),
    )  # fmt: skip
    (added,) = log.add(draft)
    number = number_of(log.box, added.ref)
    if arguments.json:
        print_json({"id": number, "words": words})
        return
    print(f"number  {number}")
    print(f"words   {words}")
    print("Write both down for them: with the words they can take it back.")


def _is_exercise(settings: Settings) -> bool:
    from kiezbox.cli._common import read_facts
    from kiezbox.errors import NotRunning

    try:
        return bool(read_facts(settings)["mode"]["is_exercise"])
    except NotRunning:
        return False


def _asked() -> dict[str, Any]:
    """What is exact, one by one; at a terminal with a question each."""
    from kiezbox.store.helping import EXACT

    names = (*EXACT, "people")
    given: dict[str, Any] = {}
    if sys.stdin.isatty():
        for name in names:
            given[name] = _answered(name)
    else:
        for line in sys.stdin:
            if not line.strip():
                continue
            name, colon, value = (part.strip() for part in line.partition(":"))
            if not colon or name not in names:
                raise UsageError(
                    "a line is none of ours", hint=f"Write NAME: TEXT, of {', '.join(names)}."
                )
            given[name] = _fitting(name, value)
    return {name: value for name, value in given.items() if value}


def _answered(name: str) -> Any:
    """Asked again until it fits: what was typed before stays."""
    while True:
        try:
            return _fitting(name, input(f"{name} (Enter: nothing): "))
        except UsageError as error:
            print(f"  {error}", file=sys.stderr)
        except EOFError:
            return ""


def _fitting(name: str, text: str) -> Any:
    """
    Raises:
        UsageError: it is too long, or no number of people.
    """
    from kiezbox.records.wording import clean
    from kiezbox.store.helping import EXACT, MOST_PEOPLE

    text = text.strip()
    if name == "people":
        is_number = text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= MOST_PEOPLE
        if text and not is_number:
            raise UsageError(f"people is a number from 1 to {MOST_PEOPLE}")
        return int(text) if text else None
    if len(text.encode("utf-8", "replace")) > EXACT[name]:
        raise UsageError(f"{name} is longer than {EXACT[name]} bytes")
    return clean(text, EXACT[name])
