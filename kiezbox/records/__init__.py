"""Words as records: what everybody writes, and everything official, in one form.

A record never changes. An edit, a withdrawal, a ticket's new state is a further record that names
the first one; what pages show is a fold over all of them (``folds``). The log that keeps them is
``store.log``; docs/records.md has the field tables.
"""

from kiezbox.records.bodies import Body, pack_body, unpack_body
from kiezbox.records.kinds import KINDS, Field, Kind, Priority, Scope, kind_named
from kiezbox.records.record import MOST_FRAME, BadRecord, Record, Ref, pack, unpack
from kiezbox.records.stamps import MOST_STAMP, is_too_far_ahead, moment_of, next_stamp
from kiezbox.records.things import Thing

__all__ = [
    "KINDS", "MOST_FRAME", "MOST_STAMP", "BadRecord", "Body", "Field", "Kind", "Priority", "Record",
    "Ref", "Scope", "Thing", "is_too_far_ahead", "kind_named", "moment_of", "next_stamp", "pack",
    "pack_body", "unpack", "unpack_body",
]  # fmt: skip
