"""Frames of records, blocks, states and of what boxes hold, by somebody who has the Kiez's key."""

from __future__ import annotations

import json
from pathlib import Path

from kiezbox.frames import BadFrame, Kind, kind_of, origin_id, sealed
from kiezbox.frames.blocks import MOST_THING_BYTES, Gathering, unbundle
from kiezbox.frames.messages import pack_message, unpack_message
from kiezbox.frames.state import pack_state, unpack_state
from kiezbox.frames.words import pack_record, unpack_record

_KEY = bytes(range(32))
_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "frames"
_BOXES = {origin_id(box): box for box in ("kb-musterplatz-1", "kb-b", "kb-c")}
_GATHERING = Gathering(_KEY, most_bytes=20_000)

#: Texts take 0.1 ms a byte.
SLOW = 50


def SEEDS() -> list[bytes]:
    found = []
    for name in ("records", "blocks", "states", "messages"):
        for vector in json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8")):
            frame = bytes.fromhex(vector["frame"])
            found.append(frame if name == "records" else frame[:-8])
    return found


def one(data: bytes) -> None:
    """A bad frame, or what comes out the same when it is sent on."""
    data = data[:400]
    try:
        unbundle(data)
    except BadFrame:
        pass
    try:
        kind = kind_of(data)
        if kind in (Kind.RECORD, Kind.SIGNED_RECORD, Kind.CODED_RECORD):
            _record(data)
        elif kind == Kind.BLOCK:
            _block(data)
        elif kind == Kind.BOX_STATE:
            sender, state = unpack_state(sealed(data, _KEY), _KEY, _BOXES.get)
            assert pack_state(state, sender, _KEY) == sealed(data, _KEY)
        else:
            sender, message = unpack_message(sealed(data, _KEY), _KEY, _BOXES.get)
            again = pack_message(message, sender, _KEY)
            assert unpack_message(again, _KEY, _BOXES.get) == (sender, message)
    except BadFrame:
        return


def _record(frame: bytes) -> None:
    def signers(short: bytes) -> list[bytes]:
        return [short + bytes(4)]

    (record,), proof = unpack_record(frame, _BOXES.get, signers)
    again = pack_record(record, proof)
    assert unpack_record(again, _BOXES.get, signers) == ([record], proof)


def _block(data: bytes) -> None:
    try:
        thing = _GATHERING.take(sealed(data, _KEY), 0.0)
        assert thing is None or len(thing) <= MOST_THING_BYTES
    finally:
        assert _GATHERING.size_bytes <= 20_000
        assert len(_GATHERING.missing()) <= 16
