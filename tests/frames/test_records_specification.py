"""docs/frames.md is enough to read records and texts: a decoder in C, from the page alone, does."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import page
import page_words
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from in_c import decoder
from page_words import BOXES, FOLDER
from test_words_on_air import records

from kiezbox.exchange import Digest, Gone, Want
from kiezbox.frames import BadFrame, origin_id
from kiezbox.frames.blocks import Gathering
from kiezbox.frames.messages import unpack_message
from kiezbox.frames.state import unpack_state
from kiezbox.frames.words import pack_record, unpack_record
from kiezbox.records import Record, pack

HERE = Path(__file__).resolve().parent
NAMED = {origin_id(box): box for box in BOXES}.get
PROOF = bytes(range(64))

Said = dict[str, Any]
Ask = Callable[[list[bytes]], list[Said | None]]


def vectors(name: str) -> list[Said]:
    found: list[Said] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_the_page_has_the_tables_of_records_that_the_code_has() -> None:
    written = page.PAGE.read_text(encoding="utf-8")

    assert page_words.tables() in written, "write it anew: .venv/bin/python tests/frames/page.py"


@pytest.mark.parametrize("name", ["records", "blocks", "states", "messages"])
def test_the_vectors_of_words_are_those_that_the_code_makes(name: str) -> None:
    written = (FOLDER / f"{name}.json").read_text(encoding="utf-8")

    assert written == page_words.as_file(page_words.vectors()[name]), (
        "write them anew: .venv/bin/python tests/frames/page.py"
    )


def test_no_kind_of_record_has_got_other_fields_than_frames_know() -> None:
    # Fields are on the air in the order of the table, without their numbers: a further one makes
    # boxes of two releases misread each other. Such a record needs another kind of frame. A further
    # KIND of record is a further row, and nothing else changes.
    rows = [row for row in page_words.tables().splitlines() if re.match(r"\| \d+ \| [^`]*$", row)]
    rows = [row for row in rows if int(row.split("|")[1]) <= 20]

    assert len(rows) == 20
    assert sha256("\n".join(rows).encode()).hexdigest() == FIELDS_SHA256


FIELDS_SHA256 = "a75ca90259add9202cda3ef95cef55e979dea0ad9032e343b4ce2a4854f5ccbf"


# --- the decoder in C --------------------------------------------------------------------------

_TYPES = ["count", "text", "bytes", "codes", "ref", "parameters"]


def _tables_of_the_page() -> str:
    """C tables out of the page's Markdown, and of nothing else."""
    text = page.PAGE.read_text(encoding="utf-8")
    text = text.partition(page_words.BEGIN)[2].partition(page_words.END)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()
            if re.match(r"\| \d", line)]  # fmt: skip
    kinds = [row for row in rows if len(row) == 5]
    languages = [row[1] for row in rows if len(row) == 4]
    lines = []
    for number, _, priority, lifetime_s, said in kinds:
        fields = []
        for one in said.split(", "):
            found = re.fullmatch(r"(\d+) (\w+) (\w+?)(?:\((2\^)?(\d+)\))?(!?)", one)
            assert found is not None, one
            place, name, type_, is_power, most, is_needed = found.groups()
            limit = f"(uint64_t)1 << {most}" if is_power else most or "0"
            fields.append(
                f"{{{place}, {_TYPES.index(type_)}, {limit}, {int(bool(is_needed))},"
                f" {int(name == 'language')}}}"
            )
        lines.append(
            f"[{number}] = {{{priority}, {lifetime_s}, {len(fields)}, {{{', '.join(fields)}}}}}"
        )
    knots = re.search(r"^K: (.*)\.$", text, re.M)
    assert knots is not None
    all_kinds = ",\n".join(lines)
    return (
        f"enum {{ LANGUAGE_COUNT = {len(languages)} }};\n"
        f"static const kind KINDS[64] = {{\n{all_kinds}}};\n"
        f"static const int64_t K[] = {{{knots[1]}}};\n"
        f"static const char *const LANGUAGES[] = {{{', '.join(map(json.dumps, languages))}}};\n"
    )


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Frames to the decoder in C, and what it says of each; None: bad."""
    folder = tmp_path_factory.mktemp("decoder")
    lines_of = decoder(
        folder, "records", "records.h", _tables_of_the_page(), str(page_words.PRIMES)
    )

    def hear(frames: list[bytes]) -> list[Said | None]:
        found = list(_heard(lines_of(frames)))
        assert len(found) == len(frames)
        return found

    return hear


def _heard(lines: list[str]) -> list[Said | None]:
    found: list[Said | None] = []
    one: Said = {}
    for line in lines:
        word, *rest = line.split(" ")
        if word == "head":
            numbers = [int(each) for each in rest[1:8]]
            names = ("sequence", "kind", "stamp", "priority", "scope", "lifetime_s")
            one = {"origin": rest[0], **dict(zip(names, numbers, strict=False)), "fields": {},
                   "is_clock_trusted": numbers[6] == 1, "key": rest[8].strip("-")}  # fmt: skip
        elif word == "field":
            one["fields"][rest[0]] = _VALUES[rest[1]](rest[2:])
        elif word == "body":
            del one["fields"]
            one["body"] = rest[0].strip("-")
        elif word == "behind":
            one["signature"] = rest[0][: len(rest[0]) - 128] if len(rest[0]) > 128 else ""
            one["proof"] = rest[0][-128:]
            if one["key"] and not one["signature"]:
                one["signature"], one["proof"] = one["proof"], ""
        else:
            found.append(one if word == "end" else None)
    return found


def _text(data: str) -> str:
    return bytes.fromhex(data.strip("-")).decode()


_VALUES: dict[str, Callable[[list[str]], Any]] = {
    "count": lambda said: int(said[0]),
    "text": lambda said: _text(said[0]),
    "bytes": lambda said: said[0],
    "codes": lambda said: list(bytes.fromhex(said[0])),
    "ref": lambda said: [said[0], int(said[1])],
    "parameters": lambda said: {
        name: _text(data) for name, _, data in (one.partition(":") for one in said[0].split(","))
    },
}


def _told(record: Record, proof: bytes) -> Said:
    made: Said = json.loads(json.dumps(page_words.told(record, proof)))
    return made


def test_a_decoder_written_from_the_page_hears_every_vector_of_records(ask: Ask) -> None:
    rows = vectors("records")

    for row, one in zip(rows, ask([bytes.fromhex(row["frame"]) for row in rows]), strict=True):
        assert one == {name: row[name] for name in row if name not in ("what", "frame", "record")}


@settings(max_examples=5, deadline=None, phases=(Phase.generate,),
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(st.lists(records(), min_size=4, max_size=8))
def test_a_decoder_written_from_the_page_hears_any_record(ask: Ask, said: list[Record]) -> None:
    heard = ask([pack_record(record, PROOF) for record in said])

    for record, one in zip(said, heard, strict=True):
        wanted = _told(record, PROOF)
        if one is not None and "body" in one:  # A text with a zero in it: the body goes as it is.
            del wanted["fields"]
            wanted["body"] = record.body.hex()
        assert one == wanted


def test_both_decoders_refuse_and_take_the_same_rubbish(ask: Ask) -> None:
    """Spoilt vectors and noise: what one takes the other takes, and as the same."""
    chance = random.Random(6)
    frames = []
    for n in range(90):
        frame = bytearray(bytes.fromhex(chance.choice(vectors("records"))["frame"]))
        if n % 4 == 0:
            frame[1:] = chance.randbytes(65 + chance.randrange(60))
            # Else noise is of no kind mostly: origin, sequence 1, a kind.
            frame[5] = 4 + chance.randrange(4)
        for _ in range(chance.randrange(1, 3)):
            place = chance.randrange(1, max(2, len(frame) - 64))
            frame[place] ^= 1 << chance.randrange(8)
        frames.append(bytes(frame))

    heard = ask(frames)

    taken = 0
    for sent, one in zip(frames, heard, strict=True):
        # Whoever a frame names is known, by a name that has the id in it.
        names: list[str] = []

        def name(id_: bytes, names: list[str] = names) -> str:
            names.append("kb-" + id_.hex())
            return names[-1]

        try:
            (record,), proof = unpack_record(sent, name, lambda short: [short + bytes(4)])
        except BadFrame:
            assert one is None, sent.hex()
            continue
        taken += 1
        wanted = _told(record, proof)
        assert one is not None, sent.hex()
        # Ids that were made up have ids of their own again.
        said = json.dumps(wanted)
        for each in names:
            said = said.replace(origin_id(each).hex(), each[3:])
        assert one == json.loads(said), sent.hex()
    assert taken > 5


# --- the other vectors ----------------------------------------------------------------------------


def test_vectors_of_records_come_out_as_the_record_they_have() -> None:
    for row in vectors("records"):
        frame = bytes.fromhex(row["frame"])
        (record,), proof = unpack_record(frame, NAMED, lambda _: [bytes(range(8))])
        assert pack(record).hex() == row["record"], row["what"]
        assert proof.hex() == row["proof"]


def test_vectors_of_messages_say_what_stands_beside_them() -> None:
    for row in vectors("messages"):
        sender, said = unpack_message(bytes.fromhex(row["frame"]), bytes.fromhex(row["key"]), NAMED)
        assert sender == row["box"]
        assert isinstance(said, (Digest, Want, Gone))
        assert json.loads(json.dumps(page_words._message(said))).items() <= row.items()


def test_two_of_the_vectors_blocks_are_enough_whichever() -> None:
    rows = vectors("blocks")
    for first in rows:
        for second in rows:
            gathering = Gathering(bytes.fromhex(first["key"]))
            gathering.take(bytes.fromhex(first["frame"]), 0.0)
            thing = gathering.take(bytes.fromhex(second["frame"]), 0.0)
            assert thing == (None if first is second else bytes.fromhex(first["thing"]))


def test_vectors_of_states_are_rounded_down() -> None:
    for row in vectors("states"):
        sender, state = unpack_state(bytes.fromhex(row["frame"]), bytes.fromhex(row["key"]), NAMED)
        assert sender == row["box"]
        assert (state.mode, state.grid, list(state.version)) == (
            row["mode"], row["grid"], row["version"])  # fmt: skip
        assert state.said_at <= row["said_at"] < state.said_at + 60
