"""Warnings as authorities send them, XML and JSON, and as the box keeps them: spoilt in every way.
What is taken fits its record, and what fits is shown.
"""

from __future__ import annotations

import json
from contextlib import suppress

from kiezbox.errors import SourceError
from kiezbox.records.bodies import pack_body
from kiezbox.records.kinds import kind_named
from kiezbox.records.record import MOST_FRAME
from kiezbox.situation.warnings import cause_of, standing
from kiezbox.sources._cap import OfficialWarning, is_around, read_cap
from kiezbox.sources._xml import read_xml

_INFO = {
    "language": "de-DE", "category": ["Met"], "event": "Sturm", "responseType": ["AllClear"],
    "urgency": "Immediate", "severity": "Severe", "certainty": "Likely",
    "eventCode": [{"valueName": "GROUP", "value": "WIND"}],
    "effective": "2026-01-03T20:00:00+01:00", "expires": "2026-01-04T08:00:00+01:00",
    "senderName": "Leitstelle", "headline": "Sturm<br/>warnung", "description": "Es st&uuml;rmt.",
    "instruction": "<ul><li>Bleiben Sie im Haus.</li></ul>",
    "parameter": [{"valueName": "instructionText", "value": "x"}],
    "area": [{"areaDesc": "Ort", "polygon": ["51,10 51,11 52,11 51,10"], "circle": "51.1,10.4 7"}],
}  # fmt: skip

_MESSAGE = {
    "identifier": "mow.XX-1", "sender": "XX-W1", "sent": "2026-01-03T20:00:00+01:00",
    "status": "Actual", "msgType": "Update", "scope": "Public",
    "references": "XX-W1,mow.XX-0,2020-01-03T20:00:00+01:00", "info": [_INFO],
}  # fmt: skip

SEEDS = [
    json.dumps(_MESSAGE).encode(),
    json.dumps({**_MESSAGE, "msgType": "Cancel", "info": []}).encode(),
    b'<?xml version="1.0"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a</id'
    b"entifier><sent>2026-01-03T20:00:00+01:00</sent><msgType>Alert</msgType><info><language>en</"
    b"language><event>Storm</event><area><areaDesc>x</areaDesc><geocode><valueName>WARNCELLID</"
    b"valueName><value>1</value></geocode></area></info></alert>",
]


class _Message:
    is_official, order = True, (0.0, 0)

    def __init__(self, warning: OfficialWarning) -> None:
        self.data = warning.fields()


def one(data: bytes) -> None:
    """A warning that fits its record, or a sentence why there is none."""
    document: object = None
    with suppress(ValueError, RecursionError):
        document = json.loads(data)
    with suppress(SourceError):
        document = read_xml(data, "alert")
    try:
        warning = read_cap(
            document, language="de", is_here=lambda area: is_around(area, (51.1, 10.4)) or True
        )
    except SourceError:
        return
    if warning is None:
        return
    fields = {**warning.fields(), "source": "nina", "fetched_at": 1, "fetched_from": "x" * 80}
    assert len(pack_body(kind_named("warning"), fields)) < MOST_FRAME - 400
    json.loads(warning.texts)
    cause_of(warning.event, warning.category, warning.event_codes)
    assert len(standing([_Message(warning)], 1.0)) == 1
