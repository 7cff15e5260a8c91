"""What a phone is told that asks whether it is online: a table of probes and three phases.

Phones, tablets and computers fetch a known address when they join a WLAN. As long as the answer is
not the expected one they show the portal by themselves. So a guest who is *new* is led to the
portal, and gets its system's exact answer only after saying "stay connected" (*ack*): told too
early that it is online, a phone would show no page at all, or leave a cell network that half works.

The table follows the clients' sources and documentation (captive portal contract, 2.2; Wireless
Broadband Alliance, "captive-behavior", 2020); what is commented as [K] is general knowledge.

Pure, and cheap to import (see ``situation``): the first page cannot wait.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    #: Status, media type, body, further headers.
    Verdict = tuple[int, str, bytes, tuple[tuple[str, str], ...]]

__all__ = [
    "ACK", "ASKED_AGAIN_S", "MEANING", "NEW", "NM_ONLINE", "PROBES", "SEEN", "START", "TOKEN_S",
    "TRANSITIONS", "is_asset", "step", "takes_pages", "verdict",
]  # fmt: skip

# --- the phases ----------------------------------------------------------------------------------

NEW, SEEN, ACK = "new", "seen", "ack"

START = NEW

#: What each event means, for the diagram.
MEANING: dict[str, str] = {
    "page": "the guest was given a page of the portal, and with it a token",
    "stay": "the guest pressed “stay connected”: a POST with a valid token",
    "leave": "the guest pressed “ask me again”: a POST",
    "expired": "stay_s have passed since the last “stay connected”",
    "rejoined": "the guest joined anew, five minutes or more after it was last heard of",
    "new_holder": "the address was given to another guest",
    "mode_changed": "the box is in another mode: there is something new to read",
}

#: The machine of each guest. A pair that is not here changes nothing.
TRANSITIONS: dict[tuple[str, str], str] = {
    (NEW, "page"): SEEN,
    (SEEN, "stay"): ACK,
    (SEEN, "new_holder"): NEW,
    (SEEN, "mode_changed"): NEW,
    (ACK, "stay"): ACK,
    (ACK, "leave"): NEW,
    (ACK, "expired"): NEW,
    (ACK, "rejoined"): NEW,
    (ACK, "new_holder"): NEW,
    (ACK, "mode_changed"): NEW,
}

#: A token in a form counts for so long.
TOKEN_S = 1800.0

#: A guest who was away for so long is asked again. A phone that has only changed its access point
#: or renewed its lease is not (ConnectBox saw that after re-joining a bare 204 may not count).
ASKED_AGAIN_S = 300.0


def step(phase: str, event: str) -> str | None:
    """The phase after the event; None: there is no such arrow, and nothing happens."""
    return TRANSITIONS.get((phase, event))


# --- the probes ----------------------------------------------------------------------------------

#: NetworkManager believes this header alone, whatever the status and the body (nm-connectivity.c).
NM_ONLINE = ("X-NetworkManager-Status", "online")
_NM = (NM_ONLINE,)

#: What each kind of client takes for "online", byte for byte.
_EMPTY: Verdict = (204, "", b"", ())
_EMPTY_NM: Verdict = (204, "", b"", _NM)
_NM_ONLINE: Verdict = (200, "text/plain", b"NetworkManager is online\n", _NM)
_OK: Verdict = (200, "text/plain", b"OK", _NM)
_APPLE: Verdict = (
    200,
    "text/html",
    b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>",
    (),
)
_FIREFOX: Verdict = (
    200,
    "text/html",
    b'<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>',
    (),
)
_FIREFOX_TEXT: Verdict = (200, "text/plain", b"success\n", ())
_WINDOWS: Verdict = (200, "text/plain", b"Microsoft Connect Test", ())
_WINDOWS_OLD: Verdict = (200, "text/plain", b"Microsoft NCSI", ())
#: [K] The id is what a Kindle looks for.
_KINDLE: Verdict = (200, "text/html", b"81ce4465-7167-4dcb-835b-dcc9e44c112a", ())

#: Hosts, paths, and what "online" is there; None: the portal, in every phase. ``*`` stands for any
#: host, at the front of a host for any beginning, at the end of a path for any end.
PROBES: tuple[tuple[str, str, Verdict | None], ...] = (
    # Android and all that was made of it, ChromeOS, most others: by the path, whatever the host.
    # Each maker has a host of its own, and new ones come.
    ("*", "/generate_204 /gen_204 /net_204* /captiveportal/generate_204", _EMPTY),
    # These paths mean nothing else either, and their makers have more hosts than anybody lists.
    ("*", "/hotspot-detect.html /library/test/success.html", _APPLE),
    ("*", "/connecttest.txt", _WINDOWS),
    ("*", "/ncsi.txt", _WINDOWS_OLD),
    ("*", "/check_network_status.txt /nm-check.txt", _NM_ONLINE),
    (
        "captive.apple.com www.apple.com apple.com www.appleiphonecell.com www.airport.us"
        " www.ibook.info www.itools.info www.thinkdifferent.us gsp1.apple.com"
        " netcts.cdn-apple.com iphone-ld.apple.com *.apple.com.edgekey.net",
        "/ /success.html",
        _APPLE,
    ),
    # Samsung; the ROMs that do not want to ask Google; Qualcomm; Cloudflare.
    ("d2uzsrnmmf6tds.cloudfront.net www.samsung.com", "/", _EMPTY),
    ("204.ecloud.global e.foundation captiveportal.kuketz.de elementary.io", "/", _EMPTY),
    ("capnet.elementary.io www.qualcomm.cn cp.cloudflare.com", "/", _EMPTY),
    # Windows opens /redirect in a browser once it has seen a portal; older ones the fwlink.
    ("www.msftconnecttest.com ipv6.msftconnecttest.com", "/redirect", None),
    ("go.microsoft.com", "/fwlink*", None),
    ("detectportal.firefox.com", "/canonical.html", _FIREFOX),
    ("detectportal.firefox.com", "/success.txt", _FIREFOX_TEXT),
    ("connectivity-check.ubuntu.com", "/", _EMPTY_NM),
    ("network-test.debian.org", "/nm", _NM_ONLINE),
    ("conncheck.opensuse.org", "/", _NM_ONLINE),
    ("fedoraproject.org", "/static/hotspot.txt", _OK),
    ("networkcheck.kde.org", "/", _OK),
    (
        "spectrum.s3.amazonaws.com",
        "/kindle-wifi/wifistub.html /kindle-wifi/wifiredirect.html",
        _KINDLE,
    ),
)

#: What programs fetch beside pages. To send them a page would only make them fetch more.
_ASSETS = (
    "/favicon.ico", "/wpad.dat", "/proxy.pac", "/robots.txt", "/browserconfig.xml",
    "/manifest.json", "/site.webmanifest",
)  # fmt: skip
_ASSETS_BEGIN = ("/apple-touch-icon", "/favicon-", "/.well-known/")


def _tables() -> tuple[dict[str, dict[str, Verdict | None]], list[tuple[str, str, Verdict | None]]]:
    """``PROBES`` by path and host, and the rows whose path has any end."""
    exact: dict[str, dict[str, Verdict | None]] = {}
    begins: list[tuple[str, str, Verdict | None]] = []
    for hosts, paths, found in PROBES:
        for path in paths.split():
            for host in hosts.split():
                if path.endswith("*"):
                    begins.append((host, path[:-1], found))
                else:
                    exact.setdefault(path, {})[host] = found
    return exact, begins


_EXACT, _BEGINS = _tables()


def verdict(host: str, path: str) -> tuple[bool, Verdict | None]:
    """Whether this is a probe, and what "online" is for it (None: it is always led to the portal).

    ``host`` is lower-case and without port, ``path`` without query.

    >>> verdict("captiveportal.kuketz.de", "/")
    (True, (204, '', b'', ()))
    >>> verdict("example.org", "/")
    (False, None)
    """
    hosts = _EXACT.get(path)
    if hosts is not None:
        for known, found in hosts.items():
            if known in (host, "*") or (known[0] == "*" and host.endswith(known[1:])):
                return True, found
    for known, begin, found in _BEGINS:
        if path.startswith(begin) and known in (host, "*"):
            return True, found
    return False, None


def is_asset(path: str) -> bool:
    """Whether a program asks for it, never a person: icons, proxy rules, well-known addresses."""
    return path in _ASSETS or path.startswith(_ASSETS_BEGIN)


def takes_pages(accept: str) -> bool:
    """Whether an ``Accept`` header lets a page in (RFC 9110, 12.5.1). None at all does.

    >>> takes_pages("text/html;q=0.5"), takes_pages("*/*"), takes_pages("image/png, text/css")
    (True, True, False)
    """
    accept = accept.lower()
    return not accept.strip() or any(word in accept for word in ("html", "*/*", "text/*"))
