"""The error tree. Divided by whose fault it is and what to do next, not by where it happened.

Every error carries a ``hint``: one sentence for the person who has to act. What we foresaw
is printed as message and hint; only surprises get a traceback.
"""

from __future__ import annotations


class KiezboxError(Exception):
    """Base of everything we foresaw. ``str()`` is the message, ``hint`` says what to do."""

    #: What the command line returns (see docs/cli.md).
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(KiezboxError):
    """The command was called in a way it does not understand."""

    exit_code = 2


class SettingsError(KiezboxError, ValueError):
    """kiezbox.toml says something we cannot follow."""

    exit_code = 3


class SensorError(KiezboxError, OSError):
    """A sensor did not give a reading: a *failed* read, so no row and an open fault."""

    exit_code = 4
    #: Stable word for the table ``faults``; a fault is one (source, kind) pair.
    kind = "failed"


class SensorMissing(SensorError):
    """Nothing answers at the address or port."""

    kind = "missing"


class SensorTimeout(SensorError):
    """The read's deadline has passed."""

    kind = "timeout"


class SensorGarbled(SensorError):
    """An answer, but not the data sheet's: bad checksum, half a frame, wrong id."""

    kind = "garbled"


class StoreError(KiezboxError):
    """The store cannot do what was asked."""

    exit_code = 5


class StoreFull(StoreError, OSError):
    """No space left on the card."""


class StoreReadOnly(StoreError, OSError):
    """The card or the file cannot be written."""


class StoreDamaged(StoreError):
    """The file is not what we wrote: a bad card, a foreign file."""


class PublishError(KiezboxError):
    """A publisher could not deliver. ``confirmed`` leading readings of the batch did arrive."""

    exit_code = 6

    def __init__(self, message: str, *, hint: str = "", confirmed: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.confirmed = confirmed


class Unreachable(PublishError, ConnectionError):
    """No link. Wait and keep; the same readings come again later."""


class Refused(PublishError, PermissionError):
    """The other side says no to us (password, certificate, topic). Keep; a person has to look."""


class Rejected(PublishError):
    """The other side says no to this one item only. Drop it with a record, go on."""


class MissingPackage(KiezboxError, ImportError):
    """A Python package of an extra is not installed."""

    exit_code = 7


class NotRunning(KiezboxError):
    """The node does not run, or its facts are old."""

    exit_code = 8


class NetworkError(KiezboxError):
    """The network cannot be made as the mode needs it."""

    exit_code = 9


class SourceError(KiezboxError, ConnectionError):
    """A source of official warnings gave nothing usable. ``kind``: a stable word for faults."""

    exit_code = 10

    def __init__(self, message: str, *, hint: str = "", kind: str = "unreachable") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
