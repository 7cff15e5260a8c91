"""What docs/frames.md says of all but readings: tables of records and texts, and vectors.

``page.py`` writes them. What the vectors of records hold was made by ``records`` and is judged by a
decoder that was written from the page alone (records_decoder.c).
"""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from neighbours import SAID, graphemes

import kiezbox
from kiezbox.exchange import Digest, Entry, Gone, Ranges, Want
from kiezbox.frames import origin_id
from kiezbox.frames.blocks import cut
from kiezbox.frames.messages import pack_message
from kiezbox.frames.state import BoxState, pack_state
from kiezbox.frames.text import LANGUAGES
from kiezbox.frames.text_model import _knots
from kiezbox.frames.words import pack_record
from kiezbox.mode import Mode
from kiezbox.power import Grid
from kiezbox.records import KINDS, Record, Ref, kind_named, pack, pack_body, unpack_body
from kiezbox.records.kinds import Field

PRIMES = Path(kiezbox.__file__).parent / "frames" / "primes"
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "frames"
BEGIN, END = "<!-- tables of records -->\n", "<!-- end of tables of records -->\n"
BEGIN_SIZES, END_SIZES = "<!-- sizes of texts -->\n", "<!-- end of sizes of texts -->\n"

KEY = bytes(range(32))
BOXES = ("kb-musterplatz-1", "kb-b", "kb-c")
#: 2026-01-09T23:06:40Z.
AT = 1_768_000_000
STAMP = (AT * 1000 + 357) << 16


def _limit(field: Field) -> str:
    powers = {1 << 32: "2^32", 1 << 40: "2^40", 1 << 45: "2^45", 1 << 63: "2^63"}
    return "" if field.type == "ref" else f"({powers.get(field.most, field.most)})"


def tables() -> str:
    """Kinds of records, knots and languages, as Markdown."""
    lines = ["Kinds of records. The language is always said first.", ""]
    lines += ["| kind | name | priority | lifetime_s | fields: number name type(most), ! needed |",
              "|---" * 5 + "|"]  # fmt: skip
    for number, kind in sorted(KINDS.items()):
        fields = sorted(kind.fields, key=lambda field: field.name != "language")
        said = ", ".join(
            f"{field.number} {field.name} {field.type}{_limit(field)}{'!' * field.is_required}"
            for field in fields
        )
        lines.append(
            f"| {number} | {kind.name} | {int(kind.priority)} | {kind.lifetime_s} | {said} |"
        )
    lines += ["", "K: " + ", ".join(map(str, _knots())) + ".", ""]
    lines += ["| language | | bytes | SHA-256 of its file |", "|---|---|---|---|"]
    for number, language in enumerate(LANGUAGES):
        data = (PRIMES / f"{language}.txt").read_bytes()
        lines.append(f"| {number} | {language} | {len(data)} | `{sha256(data).hexdigest()}` |")
    return "\n".join(lines) + "\n"


def _record(name: str, fields: dict[str, Any], **other: Any) -> Record:
    kind = kind_named(name)
    whole = Record(
        BOXES[0], 300, STAMP, kind.number, int(kind.priority), 1, kind.lifetime_s, True,
        pack_body(kind, fields),
    )  # fmt: skip
    return replace(whole, **other)


def records() -> list[tuple[str, Record, bytes]]:
    """What is worth a vector, and its proof: every branch of the format, by hand."""
    proof = bytes(range(64))
    signed = {"key": bytes(range(8)), "signature": bytes(range(64, 128))}
    said = "Unser Treppenhauslicht ist ausgefallen, bitte bringt Lampen mit."
    return [
        ("a post", _record("post", {"topic": 1, "text": said, "language": "de"}), proof),
        ("a post in Ukrainian, of a counter and another priority",
         _record("post", {"topic": 0, "text": "Шукаю воду та ліхтар", "language": "uk"},
                 stamp=STAMP + 9, priority=6, scope=2, lifetime_s=7200), proof),
        ("a language that has no number",
         _record("post", {"topic": 2, "text": "Nero zarurî ye", "language": "ku", "is_exercise": 1,
                          "solve": bytes(32)}, lifetime_s=7201), proof),
        ("a coded alert", _record(
            "bulletin", {"code": 30, "severity": 4, "issued_at": AT - 200, "serial": 17,
                         "parameters": {"until": "18:00", "place": "Musterplatz"}}, **signed), b""),
        ("a signed bulletin in words, with its box's proof", _record(
            "bulletin", {"text": "Wasser gibt es am Platz", "language": "de", "issued_at": AT + 9,
                         "serial": 1 << 32, "second_key": bytes(8)}, **signed), proof),
        ("a ticket's state", _record(
            "ticket_state", {"of": Ref("kb-c", 212), "event": "take", "role": "helper",
                             "who": b"12345678", "proof": proof, "stamp": STAMP - (1500 << 16)}),
         proof),
        ("a ticket", _record("ticket", {"what": 0, "needs": [1, 7, 255], "block": "12a",
                                        "sealed_helpers": bytes(range(200)), "lookup": bytes(40)},
                             is_clock_trusted=False), proof),
        ("a clock that was never set, and a decision",
         _record("moderation", {"of": Ref("kb-b", 1 << 39), "verdict": "hide", "decided_at": 9},
                 stamp=5000 << 16, sequence=1), proof),
        ("a body that is none", _record("post", {"topic": 1, "text": "x"}, body=b"\xff\x00\xa0"),
         proof),
        ("all languages", _record("question", {"text": "¿Ştiţi? Där где أين کجا đâu où", "answers":
                                               "ja\nnein", "language": "vi"}), proof),
    ]  # fmt: skip


def told(record: Record, proof: bytes) -> dict[str, Any]:
    """What a receiver has to make of it."""
    kind = KINDS[record.kind]
    found: dict[str, Any] = {
        "origin": origin_id(record.origin).hex(), "sequence": record.sequence,
        "kind": record.kind, "stamp": record.stamp, "priority": record.priority,
        "scope": int(record.scope), "lifetime_s": record.lifetime_s,
        "is_clock_trusted": record.is_clock_trusted, "key": record.key[:4].hex(),
        "signature": record.signature.hex(), "proof": proof.hex(),
    }  # fmt: skip
    try:
        fields, _ = unpack_body(kind, record.body)
    except ValueError:
        return found | {"body": record.body.hex()}
    numbers = {field.name: field.number for field in kind.fields}
    return found | {"fields": {
        str(numbers[name]): _plain(value) for name, value in sorted(
            fields.items(), key=lambda each: numbers[each[0]])}}  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [origin_id(value.origin).hex(), value.sequence] if isinstance(value, Ref) else value


def record_vector(what: str, record: Record, proof: bytes) -> dict[str, Any]:
    frame = pack_record(record, proof)
    return {"what": what, "frame": frame.hex(), **told(record, proof), "record": pack(record).hex()}


def vectors() -> dict[str, list[dict[str, Any]]]:
    """File → its vectors."""
    thing = bytes(n * 7 % 251 for n in range(300))
    holes = Ranges([(31, 33), (40, 40)])
    state = BoxState(AT, True, Mode.EMERGENCY, Grid.LOST, 47, 83, 17.5, True, False, False, 12, 3,
                     (0, 1, 0))  # fmt: skip
    unknown = BoxState(AT + 3600, False, Mode.DARK, Grid.UNKNOWN, 5000, None, None, False, True,
                       True, None, None, (15, 127, 31))  # fmt: skip
    messages: list[tuple[str, Digest | Want | Gone]] = [
        ("a box that has nothing new", Digest(b"sixsix")),
        ("two origins, holes", Digest(b"sixsix", (
            Entry(BOXES[1], 30, 57, holes), Entry(BOXES[2], 1, 1, Ranges())))),
        ("a want", Want(BOXES[1], ((BOXES[1], holes), (BOXES[2], Ranges([(1, 900)]))))),
        ("gone", Gone(((BOXES[1], holes),))),
    ]  # fmt: skip
    return {
        "records": [record_vector(*each) for each in records()],
        "blocks": [
            {"what": f"block {number} of {300} bytes", "key": KEY.hex(), "thing": thing.hex(),
             "number": number, "frame": frame.hex()}
            for number, frame in zip((0, 1, 2, 255), cut(thing, KEY, (0, 1, 2, 255)), strict=True)
        ],
        "states": [
            {"what": what, "key": KEY.hex(), "box": BOXES[1],
             "frame": pack_state(said, BOXES[1], KEY).hex(), **_state(said)}
            for what, said in (("a blackout", state), ("what is not known", unknown))
        ],
        "messages": [
            {"what": what, "key": KEY.hex(), "box": BOXES[0],
             "frame": pack_message(said, BOXES[0], KEY).hex(), **_message(said)}
            for what, said in messages
        ],
    }  # fmt: skip


def _state(said: BoxState) -> dict[str, Any]:
    """What was said, before it was rounded."""
    return {**said._asdict(), "mode": str(said.mode), "grid": str(said.grid)}


def _message(said: Digest | Want | Gone) -> dict[str, Any]:
    if isinstance(said, Digest):
        return {
            "fingerprint": said.fingerprint.hex(),
            "entries": [[each.origin, each.floor, each.newest, list(map(list, each.holes.pairs()))]
                        for each in said.entries],
        }  # fmt: skip
    asked = {"of": said.of} if isinstance(said, Want) else {}
    return {**asked, "entries": [[origin, list(map(list, numbers.pairs()))]
                                 for origin, numbers in said.entries]}  # fmt: skip


def post_bytes(text: str, language: str) -> int:
    """The whole frame of a post, with its origin, its stamp and the proof of its box."""
    said = {"topic": 2, "text": text, "language": language}
    return len(pack_record(_record("post", said), bytes(64)))


def sizes() -> str:
    """What 280 graphemes weigh, as Markdown. Takes a model of each language: ten seconds."""
    lines = ["| language | UTF-8 | frame | packets of 200 |", "|---|---|---|---|"]
    for language in LANGUAGES:
        text = graphemes(SAID[language], 280)
        size = post_bytes(text, language)
        lines.append(f"| {language} | {len(text.encode())} | {size} | {size / 200:.2f} |")
    return "\n".join(lines) + "\n"


def as_file(rows: list[dict[str, Any]]) -> str:
    said = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"[\n{said}\n]\n"


def write(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    page.write_text(
        head + BEGIN + "\n" + tables() + "\n" + END + rest.partition(END)[2], encoding="utf-8"
    )
    text = page.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN_SIZES)
    page.write_text(
        head + BEGIN_SIZES + "\n" + sizes() + "\n" + END_SIZES + rest.partition(END_SIZES)[2],
        encoding="utf-8",
    )
    for name, rows in vectors().items():
        (FOLDER / f"{name}.json").write_text(as_file(rows), encoding="utf-8")
