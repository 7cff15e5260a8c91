"""docs/frames.md is enough to write a receiver: one in C, from the page alone, hears the same."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import page
import pytest
from blocks import KEY, any_block
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from in_c import decoder

from kiezbox.frames import BadFrame, sealed
from kiezbox.frames.fields import BY_CODE
from kiezbox.frames.readings import Block, decode, encode

HERE = Path(__file__).resolve().parent
VECTORS = json.loads(page.VECTORS.read_text(encoding="utf-8"))

Ask = Callable[[list[bytes]], list[dict[str, Any] | None]]


def test_the_page_has_the_tables_that_the_code_has() -> None:
    written = page.PAGE.read_text(encoding="utf-8")

    assert page.tables() in written, "write it anew: .venv/bin/python tests/frames/page.py"


def test_the_vectors_are_those_that_the_code_makes() -> None:
    made = [json.loads(json.dumps(page.as_json(what, block))) for what, block in page.vectors()]

    assert VECTORS == made, "write them anew: .venv/bin/python tests/frames/page.py"


def test_every_vector_is_sealed_with_its_key() -> None:
    for vector in VECTORS:
        frame = bytes.fromhex(vector["frame"])
        seal = blake2b(frame[:-8], key=bytes.fromhex(vector["key"]), digest_size=8).digest()
        assert frame[-8:] == seal


# --- the decoder in C --------------------------------------------------------------------------


def _tables_of_the_page() -> str:
    """C tables out of the page's Markdown, and of nothing else."""
    text = page.PAGE.read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()
            if line.startswith("|")]  # fmt: skip
    start = next(n for n, row in enumerate(rows) if row[0] == "seconds")
    seconds, steps = rows[start][1:], rows[start + 1][1:]
    found = re.search(r"as codes: (.*?)\.\n", text, re.S)
    assert found is not None
    sets = [hex(sum(1 << int(code) - 1 for code in codes.split())) for codes in found[1].split(";")]
    at = next(n for n, row in enumerate(rows) if row[:2] == ["code", "quantity"]) + 2
    fields = []
    while len(rows[at]) == 11 and rows[at][0].isdigit():
        code, _, least, step, fineness, mantissa, highest, usual, spread, calm, ten = rows[at]
        over, _, under = step.partition("/")
        fields.append(
            f"[{code}] = {{{least}, {over}, {under or 1}, {fineness}, {mantissa.replace('-', '0')},"
            f" {{{highest.replace('/', ',')}}}, {{{usual.replace('/', ',')}}}, {spread}, {calm},"
            f" {ten}}}"
        )
        at += 1
        if at == len(rows):
            break
    at = next(n for n, row in enumerate(rows) if row[0] == "level") + 2
    levels = ["{" + ", ".join(row[1:]) + "}" for row in rows[at : at + 32]]
    return (
        "typedef struct { int64_t least, over, under, fineness, mantissa, highest[2], usual[2],"
        " spread, calm, calm_ten; } field;\n"
        f"enum {{ SETS_COUNT = {len(sets)}, FIELDS_COUNT = 33 }};\n"
        f"static const int64_t INTERVALS[] = {{{', '.join(seconds)}}};\n"
        f"static const int USUAL_STEPS[] = {{{', '.join(steps)}}};\n"
        f"static const uint32_t SETS[] = {{{', '.join(sets)}}};\n"
        f"static const field FIELDS[33] = {{{', '.join(fields)}}};\n"
        f"static const uint8_t LEVELS[32][6] = {{{', '.join(levels)}}};\n"
    )


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Frames to the decoder in C, and what it says of each; None: bad."""
    folder = tmp_path_factory.mktemp("decoder")
    lines_of = decoder(folder, "readings", "tables.h", _tables_of_the_page())

    def hear(frames: list[bytes]) -> list[dict[str, Any] | None]:
        found = list(_said(lines_of(frames)))
        assert len(found) == len(frames)
        return found

    return hear


def _said(lines: list[str]) -> list[dict[str, Any] | None]:
    found: list[dict[str, Any] | None] = []
    one: dict[str, Any] = {}
    for line in lines:
        word, *rest = line.split()
        if word == "head" and len(rest) == 3:
            boot = None if rest[1] == "-" else int(rest[1])
            one = {"origin": rest[0], "boot": boot, "is_clock_unsure": rest[2] == "1",
                   "names": {}, "values": []}  # fmt: skip
        elif word == "name":
            one["names"][rest[0]] = rest[1]
        elif word == "value":
            slot, code, counter, at_ms, value, flag = rest
            one["values"].append([
                int(slot), BY_CODE[int(code)][0].value, None if counter == "-" else int(counter),
                int(at_ms), float(value), int(flag)])  # fmt: skip
        else:  # "end", "bad", or a head that "bad" follows on its line
            found.append(one if word == "end" else None)
    return found


def _of(block: Block) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(page.as_json("", block)))
    return made


def _is_the_same(heard: dict[str, Any] | None, wanted: dict[str, Any]) -> bool:
    if heard is None:
        return False
    values = [[*row[:4], pytest.approx(row[4], rel=1e-8, abs=1e-8), row[5]]
              for row in wanted["values"]]  # fmt: skip
    return heard == {key: wanted[key] for key in heard} | {"values": values}


def test_a_decoder_written_from_the_page_hears_every_vector(ask: Ask) -> None:
    heard = ask([bytes.fromhex(vector["frame"]) for vector in VECTORS])

    for vector, one in zip(VECTORS, heard, strict=True):
        assert _is_the_same(one, vector), vector["what"]


@settings(max_examples=6, deadline=None, phases=(Phase.generate,),
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(st.lists(any_block(40), min_size=4, max_size=8))
def test_a_decoder_written_from_the_page_hears_any_block(ask: Ask, blocks: list[Block]) -> None:
    heard = ask([encode(block, KEY) for block in blocks])

    for block, one in zip(blocks, heard, strict=True):
        assert _is_the_same(one, _of(block))


def test_both_refuse_and_take_the_same_rubbish(ask: Ask) -> None:
    """Spoilt vectors and noise, sealed anew: what one takes the other takes, and as the same."""
    chance = random.Random(6)
    frames = []
    for n in range(1500):
        body = bytearray(bytes.fromhex(chance.choice(VECTORS)["frame"])[5:-8])
        if n % 3 == 0:
            body = bytearray(chance.randbytes(chance.randrange(60)))
        else:
            for _ in range(chance.randrange(1, 3)):
                body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        frames.append(sealed(b"\x22kiez" + bytes(body), KEY))

    heard = ask(frames)

    taken = 0
    for frame, one in zip(frames, heard, strict=True):
        try:
            block = decode(frame, KEY)
        except BadFrame:
            assert one is None, frame.hex()
            continue
        taken += 1
        assert _is_the_same(one, _of(block)), frame.hex()
    assert taken > 20
