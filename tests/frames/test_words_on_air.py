"""Records as frames."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "trust"))
from issuing import BRIGADE, CITY, bulletin

from kiezbox.frames import BadFrame, Kind, kind_of, origin_id
from kiezbox.frames.header import first_byte
from kiezbox.frames.words import Unfit, pack_record, unpack_record
from kiezbox.records import KINDS, Record, Ref, Scope, kind_named, pack, pack_body
from kiezbox.records.kinds import PARAMETERS, Field
from kiezbox.store.proofs import is_proven, prove
from kiezbox.trust import Signed

NOW = 1_768_000_000
BOXES = ["kb-musterplatz-1", "kb-b", "kb-c"]
NAMED = {origin_id(box): box for box in BOXES}.get
PROOF = bytes(range(64))

#: Meshtastic's header, and its wrapping of a payload at our port (firmware 2.7).
HEADER_BYTES, WRAPPER_BYTES = 16, 7
#: What firmware 2.8 signs of its own accord, and up to which payload.
SIGNED_2_8_BYTES, SIGNED_2_8_MOST = 66, 165


def nobody(_: bytes) -> list[bytes]:
    return []


def value_of(field: Field) -> st.SearchStrategy[Any]:
    words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
    texts = words.filter(lambda said: len(said.encode()) <= field.most)
    by_type: dict[str, st.SearchStrategy[Any]] = {
        "text": texts,
        "bytes": st.binary(min_size=1, max_size=field.most),
        "count": st.integers(0, field.most),
        "codes": st.lists(st.integers(0, 255), min_size=1, max_size=max(1, field.most)),
        "ref": st.builds(Ref, st.sampled_from(BOXES), st.integers(1, 1 << 39)),
        "parameters": st.dictionaries(
            st.sampled_from(PARAMETERS), st.text(max_size=9), min_size=1, max_size=3
        ),
    }
    return by_type[field.type]


@st.composite
def records(draw: st.DrawFn) -> Record:
    kind = draw(st.sampled_from(sorted(KINDS.values())))
    fields = {
        field.name: draw(value_of(field))
        for field in kind.fields
        if field.is_required or draw(st.booleans())
    }
    stamp = draw(st.integers(0, (1 << 63) - 1) | st.just((NOW * 1000) << 16))
    return Record(
        draw(st.sampled_from(BOXES)), draw(st.integers(1, 1 << 39)), stamp, kind.number,
        draw(st.integers(0, 6)), draw(st.sampled_from([Scope.KIEZ, Scope.CITY])),
        draw(st.just(kind.lifetime_s) | st.integers(1, 86400 * 3660)), draw(st.booleans()),
        pack_body(kind, fields),
    )  # fmt: skip


@settings(max_examples=60)
@given(records())
def test_a_record_comes_out_as_it_went_in_to_the_byte(record: Record) -> None:
    found, proof = unpack_record(pack_record(record, PROOF), NAMED, nobody)

    assert [pack(each) for each in found] == [pack(record)]
    assert proof == PROOF


@pytest.mark.parametrize("body", [b"", b"\xa0", b"\xff\x00", bytes(300), b"\xa1\x02\x61\x00"])
def test_a_body_that_is_none_goes_as_it_is(body: bytes) -> None:
    record = Record("kb-b", 1, NOW * 1000 << 16, 7, 5, 1, 60, True, body)

    assert unpack_record(pack_record(record, PROOF), NAMED, nobody)[0] == [record]


def post(text: str, language: str = "de", **more: Any) -> Record:
    kind = kind_named("post")
    body = pack_body(kind, {"topic": 1, "text": text, "language": language, **more})
    stamp = (NOW * 1000 + 357) << 16
    return Record(BOXES[0], 300, stamp, kind.number, 5, 1, kind.lifetime_s, True, body)


def signed(said: Signed, sequence: int = 300) -> Record:
    number = kind_named(said.kind).number
    return Record(
        BOXES[0], sequence, (NOW * 1000 + 357) << 16, number, said.priority, said.scope,
        said.lifetime_s, True, said.body, said.key, said.signature,
    )  # fmt: skip


def alert(**fields: Any) -> Record:
    said = {"issued_at": NOW - 200, "serial": 17, "text": "", **fields}
    return signed(bulletin(BRIGADE, **said))


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields", [{"code": 30}, {"code": 41, "severity": 4}, {"code": 60, "is_all_clear": 1}]
)
def test_a_signed_alert_in_codes_takes_112_bytes_on_the_air_at_most(fields: Any) -> None:
    frame = pack_record(alert(**fields))
    on_air = HEADER_BYTES + WRAPPER_BYTES + len(frame)

    assert on_air <= 112
    # Firmware 2.8 signs what is so short once more; it must still fit one packet.
    assert len(frame) <= SIGNED_2_8_MOST
    assert on_air + SIGNED_2_8_BYTES <= 255


def test_a_hundred_characters_signed_by_their_box_take_175_bytes_on_the_air_at_most() -> None:
    said = (
        "Unser Treppenhauslicht ist ausgefallen, bitte bringt Lampen mit, wenn ihr heute noch"
        " kommt. Danke sehr"
    )
    frame = pack_record(post(said[:100]), PROOF)

    assert HEADER_BYTES + WRAPPER_BYTES + len(frame) <= 175


def test_two_hundred_and_eighty_letters_of_german_take_a_packet_and_a_half_at_most() -> None:
    said = (
        "Der Lebensmittelladen an der Ecke bleibt heute bis zwanzig Uhr offen, dort gibt es noch"
        " Brot, Milch und Batterien. Wer nicht gut zu Fuß ist, kann im Erdgeschoss links klopfen,"
        " wir gehen dann mit. Bitte fragt auch bei den Nachbarn im Seitenflügel nach, ob sie alles"
        " haben, was sie brauchen."
    )
    frame = pack_record(post(said[:280]), PROOF)

    assert len(frame) <= 1.5 * 200


# --- whose it is ---------------------------------------------------------------------------------


def test_what_an_authority_signed_is_signed_still_when_it_comes_out() -> None:
    record = alert(code=30, parameters={"until": "18:00"})

    found, proof = unpack_record(pack_record(record), NAMED, lambda _: [BRIGADE.id])

    assert found == [record]
    assert proof == b""
    from kiezbox.trust.certificates import verifies

    assert verifies(BRIGADE.public, found[0].signed_bytes(), found[0].signature)


def test_of_two_signers_with_the_same_beginning_both_are_given_to_be_told_apart() -> None:
    record = alert(code=30)
    other = BRIGADE.id[:4] + bytes(4)

    found, _ = unpack_record(pack_record(record), NAMED, lambda short: [other, BRIGADE.id])

    assert [each.key for each in found] == [other, BRIGADE.id]
    assert found[1] == record


def test_a_signed_record_with_its_box_s_proof_has_both(tmp_path: Path) -> None:
    record = signed(bulletin(CITY, issued_at=NOW, serial=3, text="Wasser am Platz", language="de"))
    proof = prove(pack(record), BRIGADE)

    frame = pack_record(record, proof)
    found, seen = unpack_record(frame, NAMED, lambda _: [CITY.id])

    assert kind_of(frame) == Kind.SIGNED_RECORD
    assert found == [record]
    assert is_proven(pack(found[0]), seen, BRIGADE.public)


# --- what is refused -----------------------------------------------------------------------------


def test_what_nobody_vouches_for_and_what_is_for_one_box_is_not_sent() -> None:
    from dataclasses import replace

    with pytest.raises(Unfit):
        pack_record(post("Suppe"))
    with pytest.raises(Unfit):
        pack_record(replace(post("Suppe"), scope=Scope.BOX), PROOF)
    with pytest.raises(Unfit):
        pack_record(replace(post("Suppe"), kind=63), PROOF)


def test_a_record_of_nobody_of_this_kiez_or_by_an_unknown_signer_is_refused() -> None:
    with pytest.raises(BadFrame, match="not of this Kiez"):
        unpack_record(pack_record(post("Suppe"), PROOF), lambda _: None, nobody)
    with pytest.raises(BadFrame, match="not known"):
        unpack_record(pack_record(alert(code=30)), NAMED, nobody)


FRAMES = [
    pack_record(post("Suppe um zwölf"), PROOF),
    pack_record(alert(code=30, parameters={"until": "18:00"})),
]


@pytest.mark.parametrize("frame", FRAMES, ids=["post", "alert"])
def test_a_frame_cut_at_any_byte_is_refused_or_says_something_else(frame: bytes) -> None:
    whole, _ = unpack_record(frame, NAMED, lambda _: [BRIGADE.id])
    for size in range(len(frame)):
        try:
            found, _ = unpack_record(frame[:size], NAMED, lambda _: [BRIGADE.id])
        except BadFrame:
            continue
        assert found != whole


@settings(max_examples=150)
@given(
    st.sampled_from([Kind.RECORD, Kind.SIGNED_RECORD, Kind.CODED_RECORD]), st.binary(max_size=199)
)
def test_whatever_bytes_come_there_is_a_record_or_a_refusal(kind: Kind, data: bytes) -> None:
    try:
        found, _ = unpack_record(first_byte(kind) + data, lambda _: "kb-b", lambda _: [bytes(8)])
    except BadFrame:
        return
    assert all(record.kind in KINDS for record in found)
