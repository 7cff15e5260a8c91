"""A body: a kind's fields, as a CBOR map from field numbers.

Reading is lenient field by field: what is of another type or too long is left out and named, so
that one bad field never takes a good message with it. Writing is strict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kiezbox.errors import UsageError
from kiezbox.records.kinds import PARAMETERS, Field, Kind
from kiezbox.records.record import BadRecord, Ref, decoded, encoded, is_origin

__all__ = ["MOST_PARAMETER", "Body", "pack_body", "unpack_body"]

#: Bytes of one parameter of a coded bulletin.
MOST_PARAMETER = 120

#: A kind's fields by name, as Python values; what is not there is not in it.
Body = dict[str, Any]


def pack_body(kind: Kind, fields: Mapping[str, Any]) -> bytes:
    """The canonical bytes. None and empty texts are left out.

    Raises:
        UsageError: a field that the kind does not have, of another type, too long, or missing.
    """
    by_name = {field.name: field for field in kind.fields}
    body: dict[int, Any] = {}
    for name, value in fields.items():
        field = by_name.get(name)
        if field is None:
            raise UsageError(f'a {kind.name} has no field "{name}"')
        if value is None or value in ("", b"", [], {}):
            continue
        wire = _to_wire(value)
        if not _FITS[field.type](wire, field):
            raise UsageError(
                f"{kind.name}.{name}: {_short(value)} does not fit",
                hint=f"It is {field.type}, at most {field.most}.",
            )
        body[field.number] = wire
    for field in kind.fields:
        if field.is_required and field.number not in body:
            raise UsageError(f'a {kind.name} needs the field "{field.name}"')
    return encoded(body)


def unpack_body(kind: Kind, body: bytes) -> tuple[Body, list[str]]:
    """The fields that can be used, and the names of those that cannot.

    Raises:
        BadRecord: this is no map, or a field is missing without which it means nothing.
    """
    raw = decoded(body)
    if not isinstance(raw, dict):
        raise BadRecord(f"the body of a {kind.name} is no map")
    fields: Body = {}
    unusable = []
    for field in kind.fields:
        if field.number not in raw:
            continue
        value = raw[field.number]
        if _FITS[field.type](value, field):
            fields[field.name] = Ref(*value) if field.type == "ref" else value
        else:
            unusable.append(field.name)
    for field in kind.fields:
        if field.is_required and field.name not in fields:
            raise BadRecord(f'a {kind.name} without "{field.name}"')
    return fields, unusable


def _to_wire(value: Any) -> Any:
    if isinstance(value, Ref):
        return [value.origin, value.sequence]
    if isinstance(value, bool):
        return int(value)
    return list(value) if isinstance(value, tuple) else value


def _is_count(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _is_text(value: Any, most: int) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return len(value.encode()) <= most
    except UnicodeEncodeError:
        return False


def _is_ref(value: Any, _: Field) -> bool:
    is_pair = isinstance(value, list) and len(value) == 2
    return is_pair and is_origin(value[0]) and _is_count(value[1], 1 << 53)


def _are_parameters(value: Any, field: Field) -> bool:
    if not isinstance(value, dict) or not set(value) <= set(PARAMETERS):
        return False
    texts = list(value.values())
    return all(_is_text(text, MOST_PARAMETER) for text in texts) and (
        sum(len(text.encode()) for text in texts) <= field.most
    )


def _are_codes(value: Any, field: Field) -> bool:
    if not isinstance(value, list) or len(value) > field.most:
        return False
    return all(_is_count(code, 255) for code in value)


_FITS: dict[str, Callable[[Any, Field], bool]] = {
    "text": lambda value, field: _is_text(value, field.most),
    "bytes": lambda value, field: isinstance(value, bytes) and len(value) <= field.most,
    "count": lambda value, field: _is_count(value, field.most),
    "ref": _is_ref,
    "codes": _are_codes,
    "parameters": _are_parameters,
}


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "…"
