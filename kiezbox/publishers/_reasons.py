"""What a broker's "no" means for us: wait, call a person, or send something smaller.

MQTT 5 uses one set of reason codes in CONNACK, PUBACK and DISCONNECT (section 2.4); paho
translates the five of MQTT 3.1.1 into them.
"""

from __future__ import annotations

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
