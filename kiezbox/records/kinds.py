"""Which kinds of record there are, what each carries, how long it lives, who comes first.

Numbers go on the air and into other boxes: once released, a number keeps its meaning for ever. A
further field is a further number; whoever does not know it passes over it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

__all__ = ["KINDS", "PARAMETERS", "Field", "Kind", "Priority", "Scope", "kind_named"]

HOUR_S, DAY_S = 3600, 86400

#: What a coded bulletin's parameters may be called, and how long each may be is ``MOST_PARAMETER``.
PARAMETERS = ("place", "until", "from", "at", "what", "number", "phone")


class Priority(IntEnum):
    """Who goes first where the way is narrow; lower is more urgent."""

    OFFICIAL = 0
    LIFE = 1
    SAFE = 2
    BULLETIN = 3
    MESSAGE = 4
    BOARD = 5
    NUMBERS = 6


class Scope(IntEnum):
    """How far a record travels."""

    BOX = 0
    KIEZ = 1
    CITY = 2


class Field(NamedTuple):
    """One field of a body.

    ``type`` is "text" (UTF-8), "bytes", "count" (a whole number from 0), "ref" (a record's id:
    origin and sequence), "codes" (a list of counts up to 255) or "parameters" (names out of
    ``PARAMETERS`` to texts). ``most``: bytes of a text, of bytes or of all parameters; the greatest
    number; how many codes.
    """

    number: int
    name: str
    type: str
    most: int
    is_required: bool = False


class Kind(NamedTuple):
    """``lifetime_s`` is what a record gets if nobody says otherwise, ``most_s`` what it may ask.

    ``is_personal``: about somebody; erased at the latest 72 h after the power is back.
    ``changes``: it says something about another record, which its field ``of`` names; it lives as
    long as that. ``needs``: the right without which nobody believes it ("": anybody may say it).
    """

    number: int
    name: str
    priority: Priority
    lifetime_s: int
    most_s: int
    fields: tuple[Field, ...]
    is_personal: bool = False
    changes: bool = False
    needs: str = ""


_OF = Field(1, "of", "ref", 0, is_required=True)

_KINDS = (
    # Official or from the operator. Either a code with parameters, which every phone shows in its
    # own language, or a text with its language.
    Kind(
        1, "bulletin", Priority.BULLETIN, DAY_S, 31 * DAY_S,
        (
            Field(1, "text", "text", 1000),
            Field(2, "language", "text", 12),
            Field(3, "code", "count", 255),
            Field(4, "parameters", "parameters", 400),
            # Unix seconds by the issuer's clock, and a number of the issuer's own: signed.
            Field(5, "issued_at", "count", 1 << 40),
            Field(6, "serial", "count", 1 << 32),
            Field(7, "severity", "count", 4),
            Field(8, "supersedes", "count", 1 << 32),
            # 1: the danger is over.
            Field(9, "is_all_clear", "count", 1),
            Field(10, "headline", "text", 160),
            Field(11, "is_exercise", "count", 1),
            # A second issuer's name for the widest scope: key id and signature.
            Field(12, "second_key", "bytes", 8),
            Field(13, "second_signature", "bytes", 64),
        ),
    ),
    # Takes back a bulletin, by its issuer.
    Kind(
        2, "withdrawal", Priority.BULLETIN, DAY_S, 31 * DAY_S,
        (
            _OF,
            Field(2, "issued_at", "count", 1 << 40),
            Field(3, "serial", "count", 1 << 32),
            # The issuer's number of what is taken back: its id on another box is not known.
            Field(4, "issuer_serial", "count", 1 << 32),
        ),
        changes=True,
    ),
    # A warning of an authority as a box fetched it (NINA, DWD): CAP's own words (CAP 1.2). Each
    # message is a record of its own; which of them counts is worked out from their identifiers.
    Kind(
        3, "warning", Priority.OFFICIAL, 7 * DAY_S, 31 * DAY_S,
        (
            # The table in kiezbox.toml that it came by.
            Field(1, "source", "text", 31, is_required=True),
            Field(2, "identifier", "text", 200, is_required=True),
            # Unix seconds; 0: it said when in no way that can be read.
            Field(3, "sent_at", "count", 1 << 40, is_required=True),
            # CAP's msgType, severity, urgency, certainty, never relabelled.
            Field(4, "message_type", "text", 12),
            Field(5, "severity", "text", 12),
            Field(6, "urgency", "text", 12),
            Field(7, "certainty", "text", 12),
            Field(8, "event", "text", 200),
            Field(9, "issuer", "text", 200),
            Field(10, "starts_at", "count", 1 << 40),
            # Not there: until it is taken back.
            Field(11, "ends_at", "count", 1 << 40),
            # Those of its areas that this box lies in, one a line.
            Field(12, "areas", "text", 1000),
            # {language: {headline, event, instruction, description, contact}} as JSON; long ones
            # are cut.
            Field(13, "texts", "text", 14000, is_required=True),
            # Identifiers this one replaces or takes back, one a line.
            Field(14, "references", "text", 2000),
            # 1: taken back because the danger is over (Cancel and AllClear).
            Field(15, "is_all_clear", "count", 1),
            # 1: CAP's status is not Actual, or its event is a test.
            Field(16, "is_exercise", "count", 1),
            # CAP's categories, responses and event codes ("GROUP=RAIN"), blanks between.
            Field(17, "category", "text", 60),
            Field(18, "fetched_at", "count", 1 << 40),
            # The host that was asked, over TLS.
            Field(19, "fetched_from", "text", 80),
            Field(20, "response", "text", 80),
            Field(21, "event_codes", "text", 200),
            # 1: its source lists it no more, and has not said why.
            Field(22, "is_gone", "count", 1),
        ),
    ),
    # Somebody asks for help, or offers it. What is needed and the block are for everybody; all else
    # (place, name, number, how many, in which words) is sealed to the keys of those who may help.
    Kind(
        4, "ticket", Priority.LIFE, 7 * DAY_S, 7 * DAY_S,
        (
            # 0 asks, 1 offers, 2 is an emergency message in words.
            Field(1, "what", "count", 2, is_required=True),
            Field(2, "needs", "codes", 8),
            Field(3, "block", "text", 120),
            Field(4, "sealed_helpers", "bytes", 2000),
            Field(5, "sealed_protection", "bytes", 2000),
            # What the resident's words are checked by (``sealing.proofs``): salt and verifier.
            Field(6, "lookup", "bytes", 40),
            Field(7, "language", "text", 12),
            Field(8, "is_exercise", "count", 1),
            # 1: an operator wrote it down for somebody at the door.
            Field(9, "is_on_behalf", "count", 1),
            # By which everybody sees that the role has said what is said about it (Ed25519).
            Field(10, "helpers_key", "bytes", 32),
            Field(11, "protection_key", "bytes", 32),
        ),
        is_personal=True,
    ),
    # A ticket's next state (``tickets``), by whom as a role.
    Kind(
        5, "ticket_state", Priority.LIFE, 7 * DAY_S, 7 * DAY_S,
        (
            _OF,
            Field(2, "event", "text", 20, is_required=True),
            Field(3, "role", "text", 20),
            Field(4, "who", "bytes", 8),
            Field(5, "into", "ref", 0),
            # Ed25519 by one of the ticket's keys, over ``folds.ticket.said_bytes``. An operator
            # signs the whole record instead.
            Field(6, "proof", "bytes", 64),
            # Where it stands among what was said of the ticket; signed, as the record's own is not.
            Field(7, "stamp", "count", 1 << 63),
        ),
        is_personal=True, changes=True,
    ),
    # "I am safe": found by whoever knows the words, and by nobody else.
    Kind(
        6, "safe", Priority.SAFE, 7 * DAY_S, 7 * DAY_S,
        (
            Field(1, "lookup", "bytes", 16, is_required=True),
            Field(2, "sealed", "bytes", 600, is_required=True),
            Field(3, "erase", "bytes", 32),
        ),
        is_personal=True,
    ),
    # The board.
    Kind(
        7, "post", Priority.BOARD, 2 * DAY_S, 2 * DAY_S,
        (
            # 0 seeks, 1 offers, 2 tells.
            Field(1, "topic", "count", 2, is_required=True),
            Field(2, "text", "text", 1400, is_required=True),
            Field(3, "language", "text", 12),
            Field(4, "solve", "bytes", 32),
            Field(5, "is_exercise", "count", 1),
        ),
        is_personal=True,
    ),
    Kind(
        8, "post_state", Priority.BOARD, 2 * DAY_S, 2 * DAY_S,
        (_OF, Field(2, "event", "text", 20, is_required=True), Field(3, "proof", "bytes", 32)),
        is_personal=True, changes=True,
    ),
    # A private message, sealed with a word that both know.
    Kind(
        9, "message", Priority.MESSAGE, 3 * DAY_S, 7 * DAY_S,
        (
            Field(1, "lookup", "bytes", 16, is_required=True),
            Field(2, "sealed", "bytes", 1500, is_required=True),
            Field(3, "erase", "bytes", 32),
        ),
        is_personal=True,
    ),
    # An operator's poll, and a voice in it.
    Kind(
        10, "question", Priority.BOARD, 7 * DAY_S, 31 * DAY_S,
        (
            Field(1, "text", "text", 400, is_required=True),
            Field(2, "language", "text", 12),
            # One a line.
            Field(3, "answers", "text", 800, is_required=True),
            # Unix seconds by the issuer's clock: a copy sent again is the same question, and ends
            # when it does.
            Field(4, "issued_at", "count", 1 << 40),
        ),
        needs="moderate",
    ),
    Kind(
        11, "voice", Priority.NUMBERS, 7 * DAY_S, 31 * DAY_S,
        (_OF, Field(2, "answer", "count", 19, is_required=True)),
        changes=True,
    ),
    # What somebody sees: water in the street, heat, smoke, a broken pump.
    Kind(
        12, "observation", Priority.SAFE, DAY_S, 3 * DAY_S,
        (
            Field(1, "code", "count", 255, is_required=True),
            Field(2, "level", "count", 9),
            Field(3, "place", "text", 60),
            Field(4, "block", "text", 120),
            Field(5, "is_exercise", "count", 1),
        ),
    ),
    # "Closed", "broken", "works" of a point on the map: ``place.reports.STATES``.
    Kind(
        13, "place_report", Priority.SAFE, DAY_S, 3 * DAY_S,
        (
            Field(1, "place", "text", 60, is_required=True),
            Field(2, "state", "count", 9, is_required=True),
            # 1: by the operator or civil protection, not by a resident.
            Field(3, "is_by_operator", "count", 1),
            # A keyed hash, the same for the reports of one guest: who says it twice is one voice.
            Field(4, "reporter", "bytes", 8),
            Field(5, "is_exercise", "count", 1),
            # Unix seconds by the operator's clock, if an operator signs it.
            Field(6, "issued_at", "count", 1 << 40),
        ),
    ),
    # A resident reports another's words, and a moderator decides.
    Kind(
        14, "report", Priority.BOARD, 7 * DAY_S, 7 * DAY_S,
        (_OF, Field(2, "reason", "count", 9), Field(3, "reporter", "bytes", 8)),
        is_personal=True, changes=True,
    ),
    Kind(
        15, "moderation", Priority.BULLETIN, 31 * DAY_S, 31 * DAY_S,
        (
            _OF,
            Field(2, "verdict", "text", 10, is_required=True),
            Field(3, "reason", "text", 200),
            Field(4, "who", "bytes", 8),
            # Unix milliseconds by the moderator's clock: the latest word counts, and an old one
            # that somebody sends again does not.
            Field(5, "decided_at", "count", 1 << 45),
        ),
        changes=True, needs="moderate",
    ),
    # Trust: a certificate of an issuer or an intermediate, and one that is to be believed no more.
    Kind(
        16, "certificate", Priority.OFFICIAL, 366 * DAY_S, 3660 * DAY_S,
        (Field(1, "certificate", "bytes", 1000, is_required=True),),
    ),
    Kind(
        17, "revocation", Priority.OFFICIAL, 3660 * DAY_S, 3660 * DAY_S,
        (
            Field(1, "key", "bytes", 8, is_required=True),
            Field(2, "revoked_at", "count", 1 << 40, is_required=True),
            Field(3, "reason", "text", 200),
        ),
        needs="certify",
    ),
    # Somebody opened what was sealed: who as a role, and when.
    Kind(
        18, "opening", Priority.NUMBERS, 31 * DAY_S, 31 * DAY_S,
        (
            _OF,
            Field(2, "role", "text", 20, is_required=True),
            Field(3, "who", "bytes", 8),
            # As of a ticket's state; by the key of the role whose lock was opened.
            Field(4, "proof", "bytes", 64),
            Field(5, "stamp", "count", 1 << 63),
        ),
        changes=True,
    ),
    # Whoever left it, or may read it, takes away what is sealed by words: the record goes with it.
    Kind(
        19, "erasure", Priority.SAFE, 7 * DAY_S, 7 * DAY_S,
        (_OF, Field(2, "proof", "bytes", 32, is_required=True)),
        is_personal=True, changes=True,
    ),
    # A point of the map that an operator adds, corrects or takes away (``place.added``). It says
    # all there is to say of the point, and stands above what a package says of the same one.
    Kind(
        20, "place_point", Priority.SAFE, 7 * DAY_S, 366 * DAY_S,
        (
            Field(1, "point", "text", 60, is_required=True),
            Field(2, "type", "text", 20),
            Field(3, "name", "text", 200),
            # Hundred-thousandths of a degree (WGS84), from 90° south and from 180° west.
            Field(4, "latitude", "count", 18_000_000),
            Field(5, "longitude", "count", 36_000_000),
            Field(6, "address", "text", 200),
            Field(7, "hours", "text", 200),
            Field(8, "phone", "text", 60),
            # {name: value} of ``place.points.DETAILS``, as JSON.
            Field(9, "details", "text", 400),
            # Unix seconds by the operator's clock: the latest word on a point counts.
            Field(10, "issued_at", "count", 1 << 40),
            # 1: the point is not there, whatever the package says.
            Field(11, "is_gone", "count", 1),
        ),
        needs="moderate",
    ),
)  # fmt: skip

KINDS: dict[int, Kind] = {kind.number: kind for kind in _KINDS}

_NAMED = {kind.name: kind for kind in _KINDS}


def kind_named(name: str) -> Kind:
    """The kind of this name; KeyError: there is none."""
    return _NAMED[name]
