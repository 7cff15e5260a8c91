"""What a failed link or a broker's "no" means: wait, call a person, or send something smaller.

MQTT 5 uses one set of reason codes in CONNACK, PUBACK and DISCONNECT (section 2.4); paho
translates the five of MQTT 3.1.1 into them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kiezbox.errors import PublishError, Refused, Rejected, Unreachable


class Verdict(NamedTuple):
    """Whose fault it is, and what to do."""

    error: type[PublishError]
    hint: str


_LOGIN = "Check username and password_file in kiezbox.toml against the broker's list of users."
_RIGHTS = "The broker must allow this user to write to kiezbox/1/BOX/#."
_WAIT = "Nothing to do: the box keeps its readings and tries again."

#: A code from 0x80 up that is not here: refused, a person has to look.
VERDICTS: dict[int, Verdict] = {
    0x84: Verdict(Refused, "The broker speaks neither MQTT 5 nor 3.1.1: renew it."),
    0x85: Verdict(Refused, "The broker does not like the client id, which is the box's id."),
    0x86: Verdict(Refused, _LOGIN),
    0x87: Verdict(Refused, _RIGHTS),
    0x88: Verdict(Unreachable, _WAIT),
    0x89: Verdict(Unreachable, _WAIT),
    0x8B: Verdict(Unreachable, _WAIT),
    0x8C: Verdict(Refused, _LOGIN),
    0x8D: Verdict(Unreachable, _WAIT),
    0x8E: Verdict(
        Refused, "Another client uses this box's id there. Each box needs a box.id of its own."
    ),
    0x95: Verdict(Rejected, "The broker takes only smaller messages; see its message size limit."),
    0x96: Verdict(Unreachable, _WAIT),
    0x97: Verdict(Refused, "The broker has a limit for this user, and it is reached."),
    0x98: Verdict(Unreachable, _WAIT),
    0x99: Verdict(Rejected, "The broker checks payloads, and this one did not please it."),
    0x9A: Verdict(Refused, "The broker must allow retained messages (the box's state)."),
    0x9B: Verdict(Refused, "The broker must allow QoS 1: without it nothing is confirmed."),
    0x9F: Verdict(Unreachable, _WAIT),
    0xA0: Verdict(Unreachable, _WAIT),
}


def verdict(code: int, name: str, what: str, detail: str = "") -> PublishError:
    """The error for a broker's reason code.

    ``what`` begins the sentence ("mqtt.example:8883 refuses the connection"), ``name`` is the
    standard's name of the code and ``detail`` the broker's own words (a v5 reason string).
    """
    error, hint = VERDICTS.get(code, Verdict(Refused, "The broker's log may say more."))
    said = f"{name}: {detail}" if detail else name
    return error(f"{what}: {said}", hint=hint)


class Failure(NamedTuple):
    """What to say of a connection that could not be made. ``{words}`` is the system's reason.

    ``kind`` is an exception's name and not its class, so that ``ssl`` is loaded only by who
    uses it (see ``_lean``).
    """

    kind: str
    error: type[PublishError]
    message: str
    hint: str


_TLS = "Does that port speak TLS (usually 8883), and does it want a cert_file?"

#: The first that fits counts, so the narrower kind stands first.
FAILURES = (
    Failure(
        "SSLCertVerificationError",
        Refused,
        "{where} shows a certificate that is not trusted: {words}",
        "ca_file must be the authority that signed it, and host a name in it.",
    ),
    Failure("SSLError", Refused, "{where} and this box do not agree on TLS: {words}", _TLS),
    Failure(
        "gaierror",
        Unreachable,
        "cannot find {where}: {words}",
        "Is the name right, and does the box have a network?",
    ),
    Failure(
        "ConnectionRefusedError",
        Unreachable,
        "nothing listens at {where}",
        "Does the broker run, and is the port right?",
    ),
    Failure(
        "ConnectionResetError",
        Unreachable,
        "{where} hangs up at once",
        f"Does it run? {_TLS}",
    ),
    Failure(
        "TimeoutError",
        Unreachable,
        "{where} does not answer",
        "Is there a network, or a firewall between?",
    ),
    Failure("OSError", Unreachable, "cannot reach {where}: {words}", _WAIT),
)


def failure(error: OSError, where: str, failures: Sequence[Failure] = FAILURES) -> PublishError:
    """The error for a connection that could not be made."""
    words = getattr(error, "verify_message", "") or getattr(error, "reason", "")
    kinds = [kind.__name__ for kind in type(error).__mro__]
    for found in failures:
        if found.kind in kinds:
            message = found.message.format(where=where, words=words or error.strerror or error)
            return found.error(message, hint=found.hint)
    raise AssertionError("every OSError is in the table")
