"""What carries trust: certificates, files of lines, key files, and records before the judge."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "trust"))
from forging import Forger, besieged  # noqa: E402

from kiezbox.errors import KiezboxError  # noqa: E402
from kiezbox.records import KINDS, BadRecord, pack, unpack, unpack_body  # noqa: E402
from kiezbox.trust import (  # noqa: E402
    BadCertificate,
    certificate_line,
    lines_of,
    pack_certificate,
    pack_key,
    public_of,
    signed_line,
    unpack_certificate,
    unpack_key,
)

_BOX = besieged()
_TRUST = _BOX.trust()
_FORGER = Forger(1)
#: What somebody who may has really said.
_SAID = {(signed.body, signed.key) for signed in _FORGER.said}


def SEEDS() -> list[bytes]:  # noqa: N802
    """One of each."""
    from issuing import ROOT, bulletin

    lines = f"{certificate_line(_BOX.certificates[0])}\n{signed_line(bulletin(ROOT))}\n"
    return [
        *(pack_certificate(each) for each in _BOX.certificates[:3]),
        *(pack(_FORGER.genuine()) for _ in range(5)),
        *(pack(_FORGER.forged()[1]) for _ in range(20)),
        lines.encode(),
        pack_key(ROOT).encode(),
    ]


def one(data: bytes) -> None:
    """Whatever it is, it is refused with a word, or comes back as it was; nobody is believed whose
    words these are not.
    """
    try:
        assert pack_certificate(unpack_certificate(data)) == data
    except BadCertificate:
        pass
    text = data.decode("utf-8", "replace")
    list(lines_of(text))
    for read in (unpack_key, public_of):
        try:
            read(text)
        except KiezboxError:
            pass
    try:
        record = unpack(data)
        body, _ = unpack_body(KINDS[record.kind], record.body)
    except (BadRecord, KeyError):
        return
    assert not _TRUST.judge(record, body) or (record.body, record.key) in _SAID
