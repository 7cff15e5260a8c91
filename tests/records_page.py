"""docs/records.md: the envelope, what each kind carries, and the rules, made from the code."""

# A table's row is one line.
# ruff: noqa: E501

from __future__ import annotations

import ast
from pathlib import Path

from kiezbox.records import KINDS, MOST_FRAME, Field, Kind, Priority
from kiezbox.records import kinds as source
from kiezbox.records.stamps import DRIFT_MS
from kiezbox.store import log_forgetting, log_mending, log_twins

HEAD = """# Records: words on a box and on the air

Made from the code by `python tests/pages.py`; a test holds it equal.

Everything people write, and everything official, is a **record**. A record never changes: an edit,
a withdrawal, a ticket's next state is a further record that names the first (`of`). What pages show
is a *fold* over a record and all that was said about it, the same on every box that holds the same
records, whatever order they came in (`kiezbox/records/folds/`, a file per kind).

## The frame

One version byte (1), then canonical CBOR ([RFC 8949](https://www.rfc-editor.org/rfc/rfc8949), 4.2.1:
shortest lengths, sorted keys, nothing indefinite, no tags, no floats), an array of eleven; at most
{most_frame:,} bytes. Byte by byte, with notes: `tests/records/golden.py`.

| | field | what it is |
|---|---|---|
| 0 | origin | the box that took it in, as in its settings |
| 1 | sequence | its number there, from 1 to 2^53 |
| 2 | stamp | hybrid logical clock: 48 bits of Unix milliseconds, 16 bits of counter |
| 3 | kind | see below; one that is not known is kept and passed on |
| 4 | priority | {priorities} |
| 5 | scope | 0 this box, 1 the Kiez, 2 the city |
| 6 | lifetime_s | seconds |
| 7 | is_clock_trusted | 1 if its box's clock was set from outside since power-up |
| 8 | body | bytes: a CBOR map from field numbers (below) |
| 9 | key id | no bytes, or 8 |
| 10 | signature | no bytes, or 64: Ed25519 over `"kiezbox record 1\\0"` and the canonical array of kind, priority, scope, lifetime_s, body |

Origin, sequence and stamp are not signed: a bulletin is worth the same from whichever box it came.
A frame has no checksum of its own; a flipped bit makes it a bad record or another one. Whoever
carries frames over a bad way adds a checksum.

**Bodies** are written strictly and read leniently: a field of another type or too long is left out
and named, a further number is passed over, and only a field that is *needed* makes a body none. A
text's and a bytes' limit is in bytes of UTF-8, a count's is the greatest number, of codes how many.

**Who may change something** shows it in the body. What is left with a word (6, 7, 9) keeps a check:
BLAKE2b (32 bytes, personalised "kiezbox proof 1") of a proof that only the word gives. A ticket (4)
keeps keys: `lookup` is a salt (8 bytes) and the Ed25519 key that its words give with it (Argon2id, 1 MiB,
one pass), `helpers_key` and `protection_key` those of the roles. A ticket's state (5) and an opening
(18) carry in `proof` a signature by one of them over `"kiezbox ticket 1\\0"` and the canonical array of
of, event ("" for an opening), role, who, into (an empty array if there is none) and stamp. An operator's
is signed as a whole (9, 10) instead. States that are not proven change nothing; proven ones are ordered
by the stamp that is signed, and the same words count once ([help.md](help.md)).

## Kinds
"""

TAIL = """
## Two records of one number

A record's number is the word of whoever hands it on: somebody can send his own words as another
box's number 42 before that box does. So a record is *known* by its bytes (BLAKE2s-128 of the frame),
and by (origin, sequence) it is only *called*. Of several that are called the same:

- all are kept and handed on, up to {twins} besides the one that is shown (`twins`); for more than
  that, what is signed goes before what is not;
- this box's own numbers are its own: what others send under one that it has given out is refused,
  and so is any that it has not given out yet;
- what is signed and believed is shown before what is not, whichever came first, and as soon as it is
  believed;
- else the first that came is shown. Nobody can tell two unsigned ones apart, and two boxes may show
  different ones; nothing of what they say is ever official;
- what changes a record is about the one that is shown.

What was erased is remembered by its bytes, too: nobody keeps a record out by sending another of its
number that soon expires. And on a link between boxes the highest number held of an origin (`heads`)
says nothing about the ones below it: anybody can send number 2^53.

## Clocks

- A stamp never goes back on one box, whatever its clock does. What changes something has a later
  stamp than all that was said about it. Of two equal stamps the one with the higher (origin,
  sequence) is the later one, on every box.
- A stamp more than {drift_min:.0f} minutes ahead of this box's clock and of all it has seen is taken, but pushes
  no other record's stamp.
- The time of writing is believed only if the writing box's clock was set, and ours is; and nothing
  was written after it was received. Else the time of receipt counts, also for the expiry.
- When the clock of a box that started without the time is put right (`Log.clock_was_set`), what it
  received meanwhile keeps its age.
- A clock that leaps more than a day ahead hides what has expired by it, and erases nothing until
  the next look, an hour later, finds the same.

## How long things stay

- A record lives for its lifetime, at most its kind's longest; of an unknown kind {unknown_d:.0f} days.
  What changes something lives as long as that.
- **Personal** kinds are erased at the latest {power_h:.0f} h after the power is back, also those that come in
  later. A neighbour's report goes with what it was about; that a helper opened something, and what a
  moderator decided, stays for its own time.
- What was erased does not come back from another box: its number and a hash of its bytes, and
  nothing else, are remembered for {gone_d:.0f} days.

## What erased means

- Once an hour the node erases what has expired. SQLite overwrites deleted rows (`secure_delete`), and
  the write-ahead log is emptied.
- SQLite leaves stray copies of rows that moved between pages (of 1,250 deleted texts, 10 were still
  in the file). So the file is written anew after an erasure, at most every {rewrite_h:.0f} h: until then such
  a copy may be in it. A log of more than {memory_mib} MiB goes through a temporary file, which holds only
  what has not expired.
- A damaged log that was put aside is removed after {aside_d:.0f} days.
- Flash memory keeps old blocks where no file can reach them. Who must be sure that nobody reads a
  lost card encrypts it, or destroys it. What is sealed does not depend on any of this.

## Ten thousand of them

887 bytes each on the card, mixed as in a Kiez (six posts, two requests, two messages). Pages, the
portal's memory (33 MB) and the time of a post (2 to 3.4 ms on a computer) are with 50,000 what they
are with none; opening takes 1 ms, the hourly look 0.2 s for 10,000, making all folds anew (after an
update, in parts of 500) 0.2 ms each. What bounds their number: lifetimes, and what a guest may write
([board.md](board.md)).

## The log on the card

`words/words.db` beside the node's database, in a folder that the portal may write. Every
confirmation comes after a flush. Damage is met, said, put aside, and what its pages still hold is
copied into a new log, by whichever process meets it (`store/log_mending.py`); the hourly erasure
also looks whether the file is whole. After damage a thousand numbers are left out, since others may
hold records that are lost here. 60 power cuts in `make test`, 10,000 and more with `KIEZBOX_CUTS`.
"""


def records_page() -> str:
    """The whole page."""
    head = HEAD.format(
        most_frame=MOST_FRAME,
        priorities=", ".join(f"{each.value} {each.name.lower()}" for each in Priority),
    )
    notes = _notes()
    parts = [head, *(_kind(kind, notes) for kind in KINDS.values())]
    hour, day = 3600, 86400
    from kiezbox.store.log import UNKNOWN_MOST_S

    parts.append(
        TAIL.format(
            drift_min=DRIFT_MS / 60000,
            unknown_d=UNKNOWN_MOST_S / day,
            power_h=log_forgetting.PERSONAL_AFTER_POWER_S / hour,
            gone_d=log_forgetting.REMEMBERED_S / day,
            rewrite_h=log_forgetting.REWRITE_S / hour,
            aside_d=log_mending.ASIDE_S / day,
            twins=log_twins.MOST,
            memory_mib=log_forgetting.REWRITTEN_IN_MEMORY >> 20,
        )
    )
    return "\n".join(parts)


def _kind(kind: Kind, notes: dict[tuple[str, ...], str]) -> str:
    marks = [f"priority {kind.priority.value}", f"lives {_span(kind.lifetime_s)}"]
    marks[-1] += f", at most {_span(kind.most_s)}" if kind.most_s != kind.lifetime_s else ""
    marks += ["personal"] * kind.is_personal + ["changes another"] * kind.changes
    marks += [f"believed with the right `{kind.needs}`"] if kind.needs else []
    lines = [f"### {kind.number} {kind.name}", "", "; ".join(marks) + ".", ""]
    if note := notes.get((kind.name,)):
        lines[2:2] = [note, ""]
    lines += ["| | field | type | limit | |", "|---|---|---|---|---|"]
    lines += [_field(field, notes.get((kind.name, field.name), "")) for field in kind.fields]
    return "\n".join([*lines, ""])


def _field(field: Field, note: str) -> str:
    limit = {1 << 40: "2^40", 1 << 45: "2^45", 1 << 32: "2^32", 0: ""}.get(field.most, field.most)
    needed = "**needed** " if field.is_required else ""
    return f"| {field.number} | {field.name} | {field.type} | {limit} | {(needed + note).strip()} |"


def _span(seconds: int) -> str:
    days = seconds / 86400
    if days >= 366:
        return f"{days / 365:.0f} years" if days >= 730 else "a year"
    return f"{days:.0f} days" if days >= 2 else f"{seconds // 3600} h"


def _notes() -> dict[tuple[str, ...], str]:
    """The comments above kinds and fields in ``kinds.py``; one stands for the next of them."""
    text = Path(str(source.__file__)).read_text(encoding="utf-8")
    lines = text.splitlines()
    found: dict[tuple[str, ...], str] = {}
    for node in ast.walk(ast.parse(text)):
        name = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id
        if name != "Kind" or not isinstance(node, ast.Call) or len(node.args) < 6:
            continue
        kind = ast.literal_eval(node.args[1])
        found[(kind,)] = _above(lines, node.lineno)
        for field in ast.walk(node.args[5]):
            if isinstance(field, ast.Call) and isinstance(field.args[1], ast.Constant):
                found[(kind, str(field.args[1].value))] = _above(lines, field.lineno)
    return {key: note for key, note in found.items() if note}


def _above(lines: list[str], number: int) -> str:
    words: list[str] = []
    number -= 2
    while lines[number].strip().startswith("#"):
        words.insert(0, lines[number].strip().lstrip("# "))
        number -= 1
    return " ".join(words).replace("``", "`").replace("|", "\\|")
