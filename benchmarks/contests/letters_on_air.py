"""Goal c2: what a signed message of a hundred characters takes on the air."""

from __future__ import annotations

from statistics import median

from benchmarks.lib.contest import KIEZBOX, Options, Outcome, Run, interleave
from benchmarks.peers import lxmf, meshtastic
from kiezbox.city.air import on_air_bytes
from kiezbox.city.frames import posts
from kiezbox.frames import origin_id
from kiezbox.frames.words import pack_record, unpack_record
from kiezbox.records import Record, Scope, kind_named, pack, pack_body
from kiezbox.store.proofs import is_proven, prove
from kiezbox.trust.keys import new_key

BOX = "kb-musterplatz-1"
CHARACTERS = 100


def texts() -> list[tuple[str, str]]:
    """Of each post of the fixed corpus that has a hundred characters its first hundred."""
    return [(lang, said[:CHARACTERS]) for lang, said in posts() if len(said) >= CHARACTERS]


def measure(options: Options) -> Outcome:
    given = texts()
    outcome = Outcome(
        "letters_on_air",
        f"{len(given)} texts of {CHARACTERS} characters in {len({each for each, _ in given})}"
        " languages; bytes on the air of each, all headers counted, a signature of Ed25519 in it."
        " Kiezbox: a post with the proof of its box, read again and proven. LXMF: one packet and"
        " its proof. Meshtastic: a text, by firmware 2.7 not signed.",
    )
    said = [text for _, text in given]
    interleave(
        outcome,
        {
            KIEZBOX: lambda: _ours(given),
            lxmf.NAME: lambda: _figures([sum(each) for each in lxmf.sizes(said)]),
            f"{lxmf.NAME.split()[0]}, the packet alone": lambda: _figures(
                [each for each, _ in lxmf.sizes(said)]
            ),
            meshtastic.NAME: lambda: _figures(meshtastic.sizes(said)),
        },
        options,
    )
    return outcome


def _figures(sizes: list[int]) -> Run:
    return {"bytes": median(sizes), "bytes_most": max(sizes), "bytes_least": min(sizes)}


def _ours(given: list[tuple[str, str]]) -> Run:
    key = new_key("box")
    kind = kind_named("post")
    sizes, sizes_2_8 = [], []
    for sequence, (language, text) in enumerate(given, 1):
        body = pack_body(kind, {"topic": 2, "text": text, "language": language})
        record = Record(
            BOX, sequence, (1_768_000_000_000 + 60_000 * sequence) << 16, kind.number,
            kind.priority, Scope.KIEZ, kind.lifetime_s, True, body,
        )  # fmt: skip
        frame = pack_record(record, prove(pack(record), key))
        (heard,), proof = unpack_record(frame, {origin_id(BOX): BOX}.get, lambda _: [])
        if heard != record or not is_proven(pack(heard), proof, key.public):
            raise RuntimeError("what was heard is not what was said: no figure")
        sizes.append(on_air_bytes(len(frame)))
        sizes_2_8.append(on_air_bytes(len(frame), firmware="2.8"))
    return {**_figures(sizes), "bytes_firmware_2_8": median(sizes_2_8)}
