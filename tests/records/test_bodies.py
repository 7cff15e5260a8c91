"""Bodies: strict when written, lenient field by field when read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.errors import UsageError
from kiezbox.records import KINDS, BadRecord, Field, Kind, Ref, kind_named, pack_body, unpack_body
from kiezbox.records.bodies import MOST_PARAMETER
from kiezbox.records.kinds import PARAMETERS
from kiezbox.records.record import encoded

POST, BULLETIN, TICKET = kind_named("post"), kind_named("bulletin"), kind_named("ticket")

refs = st.builds(Ref, st.just("kb-1"), st.integers(0, 1 << 53))


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Any that fit."""
    texts = st.text(max_size=field.most // 4).filter(bool)
    return {
        "text": texts,
        "bytes": st.binary(min_size=1, max_size=field.most),
        "count": st.integers(0, field.most),
        "ref": refs,
        "codes": st.lists(st.integers(0, 255), min_size=1, max_size=field.most),
        "parameters": st.dictionaries(
            st.sampled_from(PARAMETERS), st.text(max_size=12), min_size=1, max_size=3
        ),
    }[field.type]


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Kind, dict[str, Any]]:
    kind = draw(st.sampled_from(sorted(KINDS.values())))
    fields = {
        field.name: draw(values_of(field))
        for field in kind.fields
        if field.is_required or draw(st.booleans())
    }
    return kind, fields


@given(body=bodies())
def test_every_body_of_every_kind_comes_back(body: tuple[Kind, dict[str, Any]]) -> None:
    kind, fields = body

    assert unpack_body(kind, pack_body(kind, fields)) == (fields, [])


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (POST, {"topic": 0}),
        (POST, {"text": "?"}),
        (POST, {"topic": 3, "text": "?"}),
        (POST, {"topic": -1, "text": "?"}),
        (POST, {"topic": 1.0, "text": "?"}),
        (POST, {"topic": 0, "text": b"?"}),
        (POST, {"topic": 0, "text": "x" * 1401}),
        (POST, {"topic": 0, "text": "ü" * 701}),
        (POST, {"topic": 0, "text": "\ud800"}),
        (POST, {"topic": 0, "text": "?", "colour": 1}),
        (BULLETIN, {"code": 1, "parameters": {"colour": "red"}}),
        (BULLETIN, {"code": 1, "parameters": {"place": 5}}),
        (BULLETIN, {"code": 1, "parameters": {"place": "x" * (MOST_PARAMETER + 1)}}),
        (TICKET, {"what": 0, "needs": [1] * 9}),
        (TICKET, {"what": 0, "needs": [256]}),
    ],
    ids=str,
)
def test_what_does_not_fit_is_not_written(kind: Kind, fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        pack_body(kind, fields)


def test_what_is_empty_is_left_out_and_a_zero_is_not() -> None:
    fields = {"topic": 0, "text": "?", "language": "", "is_exercise": None}

    assert unpack_body(POST, pack_body(POST, fields)) == ({"topic": 0, "text": "?"}, [])


def test_a_field_of_another_type_is_left_out_and_named_and_costs_no_other() -> None:
    body = encoded({1: 0, 2: "Suppe", 3: 99, 4: "x"})

    fields, unusable = unpack_body(POST, body)

    assert fields == {"topic": 0, "text": "Suppe"}
    assert unusable == ["language", "solve"]


def test_fields_that_a_newer_box_has_are_passed_over() -> None:
    assert unpack_body(POST, encoded({1: 0, 2: "Suppe", 22: [1, {"x": b"y"}]}))[1] == []


@pytest.mark.parametrize(
    "body", [{1: 0}, {2: "Suppe"}, {1: "0", 2: "Suppe"}, {}, [], 5, "x"], ids=str
)
def test_without_what_gives_it_a_meaning_a_body_is_none(body: Any) -> None:
    with pytest.raises(BadRecord):
        unpack_body(POST, encoded(body))


@pytest.mark.parametrize(
    "of",
    [["kb-1"], ["kb-1", 1, 2], ["KB", 1], ["kb-1", -1], "kb-1", [1, "kb-1"], ["kb-1", 1 << 60]],
    ids=str,
)
def test_a_reference_that_names_no_record_is_none(of: Any) -> None:
    with pytest.raises(BadRecord):
        unpack_body(kind_named("report"), encoded({1: of}))


@given(data=st.binary(max_size=80), kind=st.sampled_from(sorted(KINDS.values())))
def test_no_bytes_do_anything_else(data: bytes, kind: Kind) -> None:
    try:
        fields, _ = unpack_body(kind, data)
    except BadRecord:
        return
    assert unpack_body(kind, pack_body(kind, fields))[0] == {
        name: value for name, value in fields.items() if value not in ("", b"", [], {})
    }
