"""A LoRaWAN modem on a serial port, spoken to in AT commands; two dialects, a table each.

RAK3172 and other RAKwireless modules with RUI3 (``OK``, ``AT_..._ERROR``, ``+EVT:...``), and the
Wio-E5 of Seeed (``+JOIN: Done``). Sources: RAKwireless, "RUI3 AT Command Manual", service_lora.c
(the events and how they are spelt, AT_DUTYCYLE_RESTRICTED among them); Seeed, "LoRa-E5 AT Command
Specification" V1.0 and logs of real modules in its wiki and forum. Lines that are no answer to what
was asked (echo, downlinks, beacons, noise) are passed over.

The modem keeps session, frame counters and DevNonce in its own memory, so a node that starts again
asks before it joins again.
"""

from __future__ import annotations

import errno
import logging
import re
import threading
import time
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

from kiezbox.errors import MissingPackage, PublishError, Refused, Unreachable

__all__ = ["DIALECTS", "Answer", "Modem", "Outcome"]

log = logging.getLogger("kiezbox")

#: The longest line that is an answer: a downlink of 242 bytes in hex, and what stands around it.
MOST_LINE = 600

#: How often a wait looks whether it is to end, in seconds.
LOOK_S = 0.2


class Outcome(Enum):
    """What an answer means, whatever its words."""

    DONE = auto()
    JOINED = auto()
    JOIN_FAILED = auto()
    NOT_JOINED = auto()
    NOT_CONFIRMED = auto()
    BUSY = auto()
    #: The duty cycle of every channel is used up, or all are taken.
    NO_CHANNEL = auto()
    TOO_LONG = auto()
    #: The modem does not know the command, or not with this value.
    WRONG = auto()


class Ask(NamedTuple):
    """One command, and what ends it: the first pattern that a whole line fits."""

    say: str
    ends: tuple[tuple[str, Outcome], ...]
    wait_s: float = 2.0


class Dialect(NamedTuple):
    """``errors`` may end every command. ``{}`` fields are filled in: see ``Modem.ask``."""

    baudrate: int
    errors: tuple[tuple[str, Outcome], ...]
    hello: Ask
    who: Ask
    setup: tuple[Ask, ...]
    adaptive: Ask
    fixed: tuple[Ask, ...]
    status: Ask | None
    join: Ask
    rate: Ask
    send: tuple[Ask, ...]
    send_confirmed: tuple[Ask, ...]
    #: Without a line like this among the answers, a confirmed uplink was not confirmed.
    acknowledged: str


_OK = (("OK", Outcome.DONE),)
_RAK = Dialect(
    baudrate=115200,
    errors=(
        ("AT_BUSY_ERROR", Outcome.BUSY),
        ("AT_NO_NET(?:WORK)?_JOINED", Outcome.NOT_JOINED),
        # RUI3 spells it without the second C.
        ("AT_DUTYCYC?LE_RESTRICTED", Outcome.NO_CHANNEL),
        ("AT_[A-Z_]+", Outcome.WRONG),
    ),
    hello=Ask("AT", _OK),
    who=Ask("AT+DEVEUI=?", ((r"(?:AT\+DEVEUI=)?([0-9A-Fa-f]{16})", Outcome.DONE),)),
    setup=(
        Ask("AT+NWM=1", (*_OK, (r"Current Work Mode: LoRaWAN\.?", Outcome.DONE)), 5.0),
        Ask("AT+NJM=1", _OK),
        Ask("AT+BAND=4", _OK),
        Ask("AT+CLASS=A", _OK),
        Ask("AT+DEVEUI={dev_eui}", _OK),
        Ask("AT+APPEUI={join_eui}", _OK),
        Ask("AT+APPKEY={app_key}", _OK),
    ),
    adaptive=Ask("AT+ADR=1", _OK),
    fixed=(Ask("AT+ADR=0", _OK), Ask("AT+DR={rate}", _OK)),
    status=Ask(
        "AT+NJS=?",
        ((r"(?:AT\+NJS=)?1", Outcome.JOINED), (r"(?:AT\+NJS=)?0", Outcome.NOT_JOINED)),
    ),
    # Now, not at every power-on, 8 s between tries, no second try: when to try is for us to say.
    join=Ask(
        "AT+JOIN=1:0:8:0",
        ((r"\+EVT:JOINED", Outcome.JOINED), (r"\+EVT:JOIN[ _]FAILED.*", Outcome.JOIN_FAILED)),
        25.0,
    ),
    rate=Ask("AT+DR=?", ((r"(?:AT\+DR=)?([0-7])", Outcome.DONE),)),
    send=(
        Ask("AT+CFM=0", _OK),
        Ask("AT+SEND={port}:{payload}", ((r"\+EVT:TX_DONE", Outcome.DONE),), 20.0),
    ),
    send_confirmed=(
        Ask("AT+CFM=1", _OK),
        Ask("AT+RETY={repeats}", _OK),
        Ask(
            "AT+SEND={port}:{payload}",
            (
                (r"\+EVT:SEND[ _]CONFIRMED[ _]OK", Outcome.DONE),
                (r"\+EVT:SEND[ _]CONFIRMED[ _]FAILED.*", Outcome.NOT_CONFIRMED),
            ),
            40.0,
        ),
    ),
    acknowledged=r"\+EVT:SEND[ _]CONFIRMED[ _]OK",
)
_E5 = Dialect(
    baudrate=9600,
    errors=(
        (r"\+[A-Z]+: LoRaWAN modem is busy", Outcome.BUSY),
        (r"\+[A-Z]+: Please join network first", Outcome.NOT_JOINED),
        (r"\+[A-Z]+: No free channel.*", Outcome.NO_CHANNEL),
        (r"\+[A-Z]+: No band in (\d+) ?ms.*", Outcome.NO_CHANNEL),
        (r"\+[A-Z]+: Length error ?(\d*).*", Outcome.TOO_LONG),
        (r"\+[A-Z]+: (?:DR error|ERROR\(-\d+\)).*", Outcome.WRONG),
    ),
    hello=Ask("AT", ((r"\+AT: OK", Outcome.DONE),)),
    who=Ask("AT+ID=DevEui", ((r"\+ID: DevEui, ?([0-9A-Fa-f:]{16,23})", Outcome.DONE),)),
    setup=(
        Ask("AT+MODE=LWOTAA", ((r"\+MODE: LWOTAA", Outcome.DONE),)),
        Ask("AT+DR=EU868", ((r"\+DR: EU868.*", Outcome.DONE),)),
        Ask("AT+CLASS=A", ((r"\+CLASS: A.*", Outcome.DONE),)),
        Ask('AT+ID=DevEui,"{dev_eui}"', ((r"\+ID: DevEui,.*", Outcome.DONE),)),
        Ask('AT+ID=AppEui,"{join_eui}"', ((r"\+ID: AppEui,.*", Outcome.DONE),)),
        Ask('AT+KEY=APPKEY,"{app_key}"', ((r"\+KEY: APPKEY.*", Outcome.DONE),)),
    ),
    adaptive=Ask("AT+ADR=ON", ((r"\+ADR: ON.*", Outcome.DONE),)),
    fixed=(
        Ask("AT+ADR=OFF", ((r"\+ADR: OFF.*", Outcome.DONE),)),
        Ask("AT+DR=DR{rate}", ((r"\+DR: (?:EU868 )?DR[0-7].*", Outcome.DONE),)),
    ),
    # There is no such question; a modem that has joined says so when it is asked to join.
    status=None,
    join=Ask(
        "AT+JOIN",
        (
            (r"\+JOIN: Joined already", Outcome.JOINED),
            (r"\+JOIN: Join failed", Outcome.JOIN_FAILED),
            # "Network joined" comes before it, and until it the modem is busy.
            (r"\+JOIN: Done", Outcome.JOINED),
        ),
        25.0,
    ),
    rate=Ask("AT+DR", ((r"\+DR: (?:EU868 )?DR([0-7])\b.*", Outcome.DONE),)),
    send=(
        Ask("AT+PORT={port}", ((r"\+PORT: .*", Outcome.DONE),)),
        Ask('AT+MSGHEX="{payload}"', ((r"\+MSGHEX: Done", Outcome.DONE),), 20.0),
    ),
    send_confirmed=(
        Ask("AT+PORT={port}", ((r"\+PORT: .*", Outcome.DONE),)),
        Ask("AT+RETRY={tries}", ((r"\+RETRY: .*", Outcome.DONE),)),
        Ask('AT+CMSGHEX="{payload}"', ((r"\+CMSGHEX: Done", Outcome.DONE),), 40.0),
    ),
    acknowledged=r"\+CMSGHEX: ACK Received",
)
DIALECTS: dict[str, Dialect] = {"rak3172": _RAK, "e5": _E5}


class Answer(NamedTuple):
    """How a command ended; ``word`` is what the pattern caught, ``lines`` all that was said."""

    outcome: Outcome
    word: str
    lines: tuple[str, ...]


_CABLE = "Is the modem plugged in? `ls -l /dev/serial/by-id` lists what is."
_OPENING = {
    errno.EACCES: (
        Refused,
        "permission denied",
        'Is the service user in the group "dialout"? (sudo usermod -aG dialout kiezbox)',
    ),
    errno.EBUSY: (Unreachable, "another program has it", "`fuser -v PORT` tells which."),
    errno.EAGAIN: (Unreachable, "another program has it", "`fuser -v PORT` tells which."),
    errno.ENOTTY: (Refused, "it is not a serial port", "Check port in kiezbox.toml."),
}


class Modem:
    """The modem at one port; opened when it is first asked. For one thread, but for ``close``."""

    def __init__(self, port: str, dialect: Dialect) -> None:
        self._port = port
        self.dialect = dialect
        self._serial: Any = None
        self._heard = bytearray()
        self._is_over = threading.Event()

    @property
    def is_open(self) -> bool:
        return self._serial is not None

    def open(self) -> None:
        """Open the port for this process alone.

        Raises:
            Unreachable: no such port, or somebody else has it.
            Refused: it may not be opened, or is no serial port.
            MissingPackage: pyserial is not installed.
        """
        if self._serial is not None:
            return
        import termios

        try:
            import serial
        except ImportError as error:
            raise MissingPackage(
                f"the publisher lorawan needs a package that is not installed: {error.name}",
                hint="Install Kiezbox with the extra it belongs to: pip install 'kiezbox[serial]'.",
            ) from error
        try:
            self._serial = serial.Serial(
                self._port, self.dialect.baudrate, timeout=LOOK_S, write_timeout=2, exclusive=True
            )
        except (OSError, ValueError, termios.error) as error:
            number = _number(error)
            kind, words, hint = _OPENING.get(number, (Unreachable, "there is no such port", _CABLE))
            raise kind(f"cannot open {self._port}: {words}", hint=hint) from error
        self._heard.clear()

    def ask(self, ask: Ask, fields: Mapping[str, object] | None = None) -> Answer:
        """Say the command and wait for its end. Keys are in ``fields`` and never in a message.

        Raises:
            Unreachable: gone, silent, or what comes is no answer.
        """
        ends = [(re.compile(p), o) for p, o in (*ask.ends, *self.dialect.errors)]
        lines: list[str] = []
        until = time.monotonic() + ask.wait_s
        self._drop_what_was_not_asked_for()
        self._write(ask.say.format(**(fields or {})).encode("ascii") + b"\r\n")
        is_anything = False
        while (line := self._line(until)) is not None:
            is_anything = True
            lines.append(line)
            for pattern, outcome in ends:
                if match := pattern.fullmatch(line):
                    word = match.group(1) if pattern.groups and match.group(1) else ""
                    return Answer(outcome, word, tuple(lines))
        name = ask.say.partition("=")[0]
        is_anything = is_anything or bool(self._heard)
        # Perhaps the next try finds it awake, or with its line in order.
        self.close_port()
        if is_anything:
            raise Unreachable(
                f"the modem at {self._port} says nothing that is an answer to {name}",
                hint="Is it the modem that stands in kiezbox.toml? Else a contact may be bad.",
            )
        raise Unreachable(
            f"the modem at {self._port} does not answer to {name}",
            hint="Has it power, are TX and RX crossed, and is it the modem of kiezbox.toml?",
        )

    def close_port(self) -> None:
        """Let the port go; the next ``open`` takes it again."""
        port, self._serial = self._serial, None
        self._heard.clear()
        if port is not None:
            try:
                port.close()
            except OSError as error:
                log.debug("publishers.lorawan: %s", error)

    def close(self) -> None:
        """End a wait that is going on, and close. From any thread; idempotent."""
        self._is_over.set()

    def _drop_what_was_not_asked_for(self) -> None:
        self._heard.clear()
        self._guarded(lambda: self._serial.reset_input_buffer())

    def _write(self, data: bytes) -> None:
        self._guarded(lambda: self._serial.write(data))

    def _line(self, until: float) -> str | None:
        """The next line that is not empty, without its end; None when the time is over."""
        while True:
            end = self._heard.find(b"\n")
            if end < 0 and len(self._heard) > MOST_LINE:
                self._heard.clear()
            if end >= 0:
                line = bytes(self._heard[:end]).decode("ascii", "replace").strip()
                del self._heard[: end + 1]
                if line:
                    return line
                continue
            if time.monotonic() > until or self._is_over.is_set():
                return None
            self._heard += self._guarded(
                lambda: self._serial.read(max(1, min(self._serial.in_waiting, 4096)))
            )

    def _guarded(self, call: Any) -> Any:
        import termios

        try:
            return call()
        except (OSError, TypeError, AttributeError, termios.error) as error:
            # SerialException is an OSError. The rest: pyserial on a port that closed under it.
            self.close_port()
            raise self._gone() from error

    def _gone(self) -> PublishError:
        return Unreachable(f"the modem at {self._port} is gone", hint=_CABLE)


def _number(error: BaseException) -> int:
    """The error number; pyserial puts it into words when it cannot configure a port."""
    cause: BaseException | None = error
    while cause is not None:
        number = getattr(cause, "errno", None) or (cause.args[0] if cause.args else None)
        if isinstance(number, int):
            return number
        cause = cause.__context__
    return errno.EIO
