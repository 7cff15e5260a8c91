"""Say whose word is official on the boxes: keys, certificates, revocations.

  kiezbox trust key FILE [--name NAME] [--passphrase]      make a key: a root's, or an issuer's
  kiezbox trust certify KEY --by KEYFILE --name NAME [--rights bulletin,moderate,certify]
        [--scope kiez] [--severity extreme] [--languages de,en] [--area TEXT] [--days 365]
        [--to FILE]                                        a root, or who may certify, vouches
  kiezbox trust revoke KEY --by KEYFILE [--reason TEXT] [--to FILE]
  kiezbox trust import FILE...                             take certificates and revocations in
  kiezbox trust list [--json]                              whom this box believes, and how far

The first three need no box and no network: give them on a computer that has neither, and keep the
root's file there. KEY is a key file or the 64 digits that `kiezbox trust key` prints; for a
revocation the 16 digits of its id will do. What boxes believe hangs on the public keys in
`trust.roots` of kiezbox.toml (docs/trust.md).
"""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from kiezbox.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from kiezbox.records.folds import Told
    from kiezbox.trust import Certificate, Issuer, Signed, Trust

DAY_S = 86400

#: Of a certificate: five years (docs/trust.md), less the day that it begins earlier.
MOST_DAYS = 1829

_SCOPES = ("box", "kiez", "city")
_SEVERITIES = ("unknown", "minor", "moderate", "severe", "extreme")


def main(argv: list[str]) -> int:
    """``kiezbox trust key|certify|revoke|import|list``."""
    from kiezbox.cli._common import Parser
    from kiezbox.cli._keys import needs_signing

    parser = Parser("trust", __doc__)
    parser.add_argument("action", choices=tuple(_ACTIONS))
    parser.add_argument("what", nargs="*", metavar="FILE or KEY")
    parser.add_argument("--name", help="of the key's holder: an office or a role, no person")
    parser.add_argument("--passphrase", action="store_true", help="seal the key's secret with one")
    parser.add_argument("--passphrase-file", metavar="FILE", help="the same, for programs")
    parser.add_argument("--by", metavar="KEYFILE", help="the key that vouches, or revokes")
    parser.add_argument("--rights", default="bulletin", help="of bulletin, moderate, certify")
    parser.add_argument("--scope", choices=_SCOPES, default="kiez", help="the widest it may say")
    parser.add_argument(
        "--severity", choices=_SEVERITIES, default="extreme", help="the gravest it may say"
    )
    parser.add_argument("--languages", default="", help="of its free texts (default: all)")
    parser.add_argument("--area", default="", help="for whom it speaks, in words")
    parser.add_argument("--days", type=float, default=365.0, help="how long it holds (default 365)")
    parser.add_argument("--reason", default="", help="of a revocation, in words")
    parser.add_argument("--time", metavar="TIME", help="now, where this clock is not set")
    parser.add_argument("--to", metavar="FILE", help="write there instead of to the terminal")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    needs_signing()
    act, least, most, needs_by, needs = _ACTIONS[arguments.action]
    if not least <= len(arguments.what) <= most:
        raise UsageError(
            f"trust {arguments.action} needs {needs}", hint="`kiezbox trust --help` shows how."
        )
    if needs_by and not arguments.by:
        raise UsageError(
            f"trust {arguments.action} needs --by KEYFILE",
            hint="The key that vouches: the root's, or one with the right certify.",
        )
    if arguments.by and not needs_by:
        raise UsageError(f"trust {arguments.action} does without --by")
    act(arguments)
    return 0


# --- keys and certificates -----------------------------------------------------------------------


def _key(arguments: argparse.Namespace) -> None:
    from kiezbox.cli._keys import read_text, write_key
    from kiezbox.trust import new_key, pack_key

    passphrase = ""
    if arguments.passphrase_file:
        passphrase = read_text(arguments.passphrase_file).partition("\n")[0]
    elif arguments.passphrase:
        passphrase = _asked_twice()
    key = new_key(arguments.name or "")
    write_key(arguments.what[0], pack_key(key, passphrase))
    if arguments.json:
        from kiezbox.cli._common import print_json

        print_json({"public": key.public.hex(), "id": key.id.hex(), "sealed": bool(passphrase)})
        return
    print(f"public key  {key.public.hex()}")
    print(f"id          {key.id.hex()}")
    path = arguments.what[0]
    print(f"A root: these 64 digits go into trust.roots of each box; keep {path} off all boxes.",
          file=sys.stderr)  # fmt: skip
    print(f"An issuer: send the 64 digits to whoever certifies, and never {path} itself.",
          file=sys.stderr)  # fmt: skip
    if not passphrase:
        print(f"{path} is readable by you alone, and not sealed: --passphrase seals one.",
              file=sys.stderr)  # fmt: skip


def _asked_twice() -> str:
    import getpass

    first = getpass.getpass("Passphrase for the new key: ")
    if len(first) < 8 or getpass.getpass("Once more: ") != first:
        raise UsageError("a passphrase has eight signs or more, twice the same")
    return first


def _certify(arguments: argparse.Namespace) -> None:
    from kiezbox.cli._keys import desk_clock, issued_at, read_key
    from kiezbox.trust import Certificate, certificate_line, certify

    now = issued_at(arguments.time, desk_clock())
    if not arguments.name:
        raise UsageError(
            "a certificate needs --name: residents read it",
            hint='An office or a role, such as --name "Feuerwehr Musterstadt".',
        )
    _sensible(arguments)
    certificate = Certificate(
        name=arguments.name,
        public_key=_public_key(arguments.what[0]),
        rights=tuple(_listed(arguments.rights)),
        scope=_SCOPES.index(arguments.scope),
        severity=_SEVERITIES.index(arguments.severity),
        languages=tuple(_listed(arguments.languages)),
        area=arguments.area,
        # A day back: clocks differ.
        valid_from=now - DAY_S,
        valid_until=now + int(arguments.days * DAY_S),
    )
    signed = certify(certificate, read_key(arguments.by, arguments.passphrase_file))
    _put(arguments, f"# {signed.name}, key {signed.key.hex()}\n{certificate_line(signed)}\n")


def _sensible(arguments: argparse.Namespace) -> None:
    """Said in the words of the options, before anybody types a passphrase.

    Raises:
        UsageError: a right, a language or a time that is none.
    """
    from kiezbox.i18n import is_language
    from kiezbox.trust import RIGHTS

    for right in _listed(arguments.rights) or [""]:
        if right not in RIGHTS:
            raise UsageError(f"--rights {right} is none", hint=f"Of {', '.join(RIGHTS)}.")
    for language in _listed(arguments.languages):
        if not is_language(language):
            raise UsageError(
                f"--languages {language} is none that a box has",
                hint="`kiezbox languages` lists them; without the option: all.",
            )
    if not 0 < arguments.days <= MOST_DAYS:
        raise UsageError(
            f"--days {arguments.days:g} is outside 0 to {MOST_DAYS}",
            hint="Certify anew before it ends; a lost key is revoked.",
        )


def _revoke(arguments: argparse.Namespace) -> None:
    from kiezbox.cli._keys import desk_clock, issued_at, read_key
    from kiezbox.records import kind_named
    from kiezbox.trust import key_id, sign, signed_line

    given = arguments.what[0]
    is_id = len(given) == 16 and all(letter in "0123456789abcdef" for letter in given)
    key = bytes.fromhex(given) if is_id else key_id(_public_key(given))
    signed = sign(
        "revocation",
        {
            "key": key,
            "revoked_at": issued_at(arguments.time, desk_clock()),
            "reason": arguments.reason,
        },
        read_key(arguments.by, arguments.passphrase_file),
        lifetime_s=kind_named("revocation").most_s,
    )
    _put(arguments, f"# key {key.hex()} is believed no more\n{signed_line(signed)}\n")


def _public_key(given: str) -> bytes:
    import os

    from kiezbox.cli._keys import read_text
    from kiezbox.trust import is_public_key, public_of

    if not is_public_key(given) and not os.path.exists(given):
        raise UsageError(
            f"{given} is neither a key file nor a public key",
            hint="`kiezbox trust key` prints the 64 digits of a public key.",
        )
    return public_of(given if is_public_key(given) else read_text(given))


def _listed(given: str) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in given.split(",") if word.strip()))


def _put(arguments: argparse.Namespace, text: str) -> None:
    from kiezbox.cli._keys import write_new

    if not arguments.to:
        print(text, end="")
        return
    write_new(arguments.to, text)
    print(arguments.to)


# --- on a box ------------------------------------------------------------------------------------


def _import(arguments: argparse.Namespace) -> None:
    """Everything that is believed with what is there, or with what else comes."""
    from kiezbox.cli._common import load_settings, open_clock
    from kiezbox.cli._keys import read_text
    from kiezbox.store.believing import trust_of
    from kiezbox.store.log import Draft, Log
    from kiezbox.trust import Certificate, NotTaken, lines_of, pack_certificate

    settings = load_settings(arguments.settings)
    if not settings.trust.roots:
        raise UsageError(
            "this box believes no root yet",
            hint='Put its public key into kiezbox.toml: [trust] roots = ["…"].',
        )
    clock = open_clock(settings)
    taken = 0
    brought: list[Certificate | Signed] = []
    with closing(Log.open(settings.store.words_path, clock)) as log:
        for path in arguments.what:
            lines = list(lines_of(read_text(path)))
            if not lines:
                raise UsageError(
                    f"{path} holds no certificate and no revocation",
                    hint="`kiezbox trust certify … --to FILE` writes what goes in here.",
                )
            for found in lines:
                if isinstance(found, NotTaken):
                    raise UsageError(
                        f"{path}, line {found.number}: {found.why}",
                        hint="The line is damaged: carry the file itself, or attach it.",
                    )
                brought.append(found)
                if isinstance(found, Certificate):
                    packed = pack_certificate(found)
                    rest_s = int(found.valid_until - clock.now()) + DAY_S
                    draft = Draft(
                        kind="certificate", fields={"certificate": packed},
                        lifetime_s=max(DAY_S, rest_s), once=_once(packed),
                    )  # fmt: skip
                else:
                    _only_revocations(found, path)
                    draft = Draft(**found._asdict(), once=_once(found.signature))
                taken += sum(added.is_new for added in log.add(draft))
        trust = trust_of(log, settings.trust.roots, clock)
        judged = log.judge_by(trust.judge)
    print(f"{taken} new, {judged} records are worth something else now")
    for line in _without_effect(trust, brought):
        print(line, file=sys.stderr)
    _print_issuers(trust, [], clock.now())


def _without_effect(trust: Trust, brought: list[Certificate | Signed]) -> Iterator[str]:
    """What was taken in and changes nothing: who brought it thinks otherwise."""
    from kiezbox.records import kind_named, unpack_body
    from kiezbox.trust import Certificate

    believed = {issuer.certificate.key for issuer in trust.issuers()}
    for each in brought:
        if isinstance(each, Certificate):
            if each.key not in believed:
                yield (
                    f"note: {each.name} ({each.key.hex()}) is not believed here: no chain from one"
                    " of this box's roots, or revoked"
                )
        else:
            body = unpack_body(kind_named(each.kind), each.body)[0]
            if body["key"] in believed:
                yield (
                    f"note: {body['key'].hex()} is still believed: the key {each.key.hex()} may not"
                    " revoke it; it takes itself, or one above it in the chain"
                )


def _only_revocations(signed: Signed, path: str) -> None:
    if signed.kind != "revocation":
        raise UsageError(
            f"{path} holds a {signed.kind}", hint=f"`kiezbox bulletin import {path}` takes it in."
        )


def _once(data: bytes) -> bytes:
    from hashlib import blake2b

    return blake2b(data, digest_size=16).digest()


def _list(arguments: argparse.Namespace) -> None:
    from kiezbox.cli._common import load_settings, open_clock, print_json
    from kiezbox.store.believing import trust_of
    from kiezbox.store.log import Log

    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    with closing(Log.open(settings.store.words_path, clock)) as log:
        trust = trust_of(log, settings.trust.roots, clock)
        revoked = log.records("revocation")
    if arguments.json:
        print_json(
            {
                "roots": [root.hex() for root in trust.roots],
                "issuers": [_facts(issuer) for issuer in trust.issuers()],
                "revocations": [told.body["key"].hex() for told in revoked],
            }
        )
        return
    for root in trust.roots:
        print(f"root {root.hex()}")
    if not trust.roots:
        print("this box believes nobody: trust.roots is empty", file=sys.stderr)
    _print_issuers(trust, revoked, clock.now())


def _print_issuers(trust: Trust, revoked: list[Told], now: float) -> None:
    for issuer in trust.issuers():
        facts = _facts(issuer)
        state = "" if issuer.is_valid(now, now) else "  NOT VALID NOW"
        print(f"{facts['key']}  {facts['name']}{state}")
        print(f"  {', '.join(facts['rights'])}; up to {facts['scope']}, {facts['severity']}")
        print(f"  {' '.join(_details(facts))}")
    for told in revoked:
        reason = told.body.get("reason", "")
        print(f"{told.body['key'].hex()}  revoked{': ' if reason else ''}{reason}")


def _details(facts: dict[str, Any]) -> Iterator[str]:
    import time

    yield time.strftime("until %Y-%m-%d", time.localtime(facts["valid_until"]))
    if facts["languages"]:
        yield f"in {', '.join(facts['languages'])}"
    if facts["area"]:
        yield f"for {facts['area']}"
    if len(facts["by"]) > 1:
        yield f"certified by {' < '.join(facts['by'][:-1])}"


def _facts(issuer: Issuer) -> dict[str, Any]:
    certificate = issuer.certificate
    return {
        "key": certificate.key.hex(),
        "name": certificate.name,
        "rights": list(certificate.rights),
        "scope": _SCOPES[certificate.scope],
        "severity": _SEVERITIES[certificate.severity],
        "languages": list(certificate.languages),
        "area": certificate.area,
        "valid_from": max(each.valid_from for each in issuer.chain),
        "valid_until": issuer.valid_until,
        "by": [each.name for each in issuer.chain[1:]] + ["root"],
    }


#: What does it, how many words it takes, whether it needs ``--by``, and what the words are.
_ACTIONS: dict[str, tuple[Any, int, int, bool, str]] = {
    "key": (_key, 1, 1, False, "a FILE for the new key"),
    "certify": (_certify, 1, 1, True, "a KEY: a key file, or the 64 digits of a public key"),
    "revoke": (_revoke, 1, 1, True, "a KEY: a key file, its 64 digits, or the 16 of its id"),
    "import": (_import, 1, 1000, False, "one FILE or more"),
    "list": (_list, 0, 0, False, "nothing more"),
}
