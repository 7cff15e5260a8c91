"""What is answered to any host, path and headers: nothing of them comes back, nothing breaks."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "portal"))

from asking import Portal  # noqa: E402
from street import outage, write_facts  # noqa: E402

from kiezbox.portal.sight import Sight  # noqa: E402

#: Method, host, path, Accept, Accept-Language and body, a line each.
SEEDS = [
    b"GET\nconnectivitycheck.gstatic.com\n/generate_204\n*/*\nde\n",
    b"HEAD\nCAPTIVE.APPLE.COM.\n/hotspot-detect.html\n\n\n",
    b"GET\nx.apple.com.edgekey.net\n/\ntext/html;q=0.1\nuk-UA,uk;q=0.9,*;q=0\n",
    b"POST\n198.51.100.1\n/tr/stay\n\n\ntoken=0000000000000000ffffffffffffffffffffffff",
    b"GET\nkiezbox.internal\n/%2e%2e/ar/again?x#y\n\nar\n",
]

#: Long enough that it does not stand in a page of ours by chance.
_TELLING = 12


def _portal() -> Portal:
    with tempfile.TemporaryDirectory() as folder:
        write_facts(Path(folder) / "run", outage())
        portal = Portal(Sight(f"{folder}/run", f"{folder}/kiezbox.db"))
        portal.sight.street()
    portal.stay("10.42.0.3")
    return portal


_PORTAL = _portal()


def one(data: bytes) -> None:
    """Always an answer, never an error, never "you are online" for a guest who is new."""
    lines = (data.decode("latin-1").split("\n", 5) + [""] * 6)[:6]
    method, host, path, accept, language, body = lines
    for client in ("10.42.0.1", "10.42.0.3"):
        shown = _PORTAL.ask(
            path, method, host=host, client=client, body=body.encode("latin-1"),
            accept=accept, accept_language=language,
        )  # fmt: skip
        assert shown.status in (200, 204, 302, 303, 404), shown.status
        is_new = client == "10.42.0.1"
        assert not is_new or (shown.status != 204 and b"Success" not in shown.body)
        assert not is_new or shown.status != 200 or method == "HEAD" or len(shown.body) > 64
        said = str(shown.headers).encode() + shown.body
        for theirs in (host, path):
            is_telling = len(theirs) > _TELLING and theirs.isascii() and "198.51" not in theirs
            assert not is_telling or theirs.encode() not in said or shown.status == 200
