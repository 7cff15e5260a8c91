"""The portal's certificate: whether phones may be sent to it, and how it is kept fresh.

``standing`` looks at it as a phone would: a TLS handshake in memory against the machine's own list
of authorities (``SSL_CERT_FILE`` names another). So it is OpenSSL that judges chain, name, key and
dates, and no parser of ours. Revocation cannot be asked for without an uplink, and is not.

``renewal`` is certbot's command line: DNS-01 (RFC 8555, section 8.4), because on ordinary days
nobody from outside reaches the box.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime

from kiezbox.errors import NetworkError
from kiezbox.settings import CertificateSettings

__all__ = ["LEAST_REST_S", "LINEAGE", "Standing", "install", "renewal", "standing"]

#: With less left phones are no longer told of it (captive portal contract, 2.5): who is told of
#: an https portal today must still find it good after a week without the world.
LEAST_REST_S = 7 * 86400.0

CHAIN, KEY = "fullchain.pem", "privkey.pem"

#: What certbot calls our certificate, and where it keeps it.
LINEAGE = "kiezbox"
STATE_DIR = "/var/lib/kiezbox-certificate"

#: OpenSSL's X509_V_ERR_… numbers (openssl-verification-options(1)): what is wrong, what to do.
_VERDICTS = {
    9: ("is not valid yet", "Is the clock right?"),
    10: ("has expired", "`kiezbox certificate renew`, while there is an uplink."),
    18: ("is self-signed", "Phones refuse it. Get one from an authority (docs/certificate.md)."),
    19: ("comes from an authority that phones do not know", "See docs/certificate.md."),
    20: (
        "leads to no authority that this machine knows",
        f"{CHAIN} must hold the intermediate certificates; is ca-certificates installed?",
    ),
    62: ("is for another name", "Compare network.certificate.name with the certificate's names."),
}
_HINT = "docs/certificate.md tells how to get one."


@dataclass(frozen=True, slots=True)
class Standing:
    """``reason``: what is wrong, as the end of a sentence about the certificate; "" if nothing.

    ``expires_at`` (Unix seconds) and ``issuer`` are known once OpenSSL has accepted it.
    """

    is_valid: bool
    reason: str = ""
    hint: str = ""
    expires_at: float | None = None
    issuer: str = ""


def standing(folder: str, now: float, is_clock_trusted: bool, name: str = "") -> Standing:
    """Whether the certificate in ``folder`` is good for at least ``LEAST_REST_S`` from ``now``.

    ``name``: also whether it is for this name. Nothing is raised: what is wrong is said.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain, key = os.path.join(folder, CHAIN), os.path.join(folder, KEY)
    try:
        # A key with a password would be asked for at the terminal.
        server.load_cert_chain(chain, key, password=lambda: b"")
    except FileNotFoundError:
        return Standing(False, f"is not there ({folder})", _HINT)
    except OSError as error:
        # ssl.SSLError is one, too: no PEM, another certificate's key, a key with a password.
        why = getattr(error, "reason", None) or error.strerror or str(error)
        words = str(why).lower().replace("_", " ")
        return Standing(False, f"cannot be used with its key: {words} ({folder})", _HINT)
    if not is_clock_trusted:
        return Standing(False, "cannot be judged, because nobody has set the clock", "It waits.")
    try:
        found = _shown_by(server, name)
    except ssl.SSLCertVerificationError as error:
        reason, hint = _VERDICTS.get(error.verify_code, (error.verify_message, _HINT))
        return Standing(False, reason, hint)
    except ssl.SSLError as error:
        return Standing(False, f"cannot be shown: {error.reason or error}", _HINT)
    return _judged(found, now)


def _judged(found: dict[str, object], now: float) -> Standing:
    """A certificate that OpenSSL accepts just now, by its dates and its issuer."""
    issuer = _common_name(found["issuer"])
    begins = ssl.cert_time_to_seconds(str(found["notBefore"]))
    expires = ssl.cert_time_to_seconds(str(found["notAfter"]))
    if found["issuer"] == found["subject"]:
        reason, hint = _VERDICTS[18]
    elif now < begins:
        reason, hint = _VERDICTS[9]
    elif now >= expires:
        reason, hint = _VERDICTS[10]
    elif expires - now < LEAST_REST_S:
        day = datetime.fromtimestamp(expires, UTC)
        reason, hint = f"has less than 7 days left (until {day:%Y-%m-%d})", _VERDICTS[10][1]
    else:
        return Standing(True, expires_at=expires, issuer=issuer)
    return Standing(False, reason, hint, expires, issuer)


def _shown_by(server: ssl.SSLContext, name: str) -> dict[str, object]:
    """What a client sees that knows the machine's authorities.

    Raises:
        ssl.SSLError: the client would hang up.
    """
    client = ssl.create_default_context()
    client.check_hostname = bool(name)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    visitor = client.wrap_bio(to_client, to_server, server_hostname=name or None)
    host = server.wrap_bio(to_server, to_client, server_side=True)
    # TLS 1.3 needs two turns, TLS 1.2 three; whoever is not done then never will be.
    for _ in range(8):
        for side in (visitor, host):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
        if visitor.version() and (found := visitor.getpeercert()):
            return dict(found)
    raise ssl.SSLError("the handshake did not end")


def _common_name(names: object) -> str:
    """The authority's name, out of ssl's nested pairs."""
    parts = {key: value for part in names for key, value in part}  # type: ignore[attr-defined]
    return str(parts.get("commonName") or parts.get("organizationName") or "")


# --- ACME ---------------------------------------------------------------------------------------


def renewal(settings: CertificateSettings, state_dir: str = STATE_DIR) -> list[str]:
    """certbot's arguments: get the first certificate, renew one that is due, else do nothing.

    Raises:
        NetworkError: the settings name no certificate or no DNS plugin.
    """
    if not settings.name or not settings.acme_dns:
        missing = "name" if not settings.name else "acme_dns"
        raise NetworkError(
            f"network.certificate.{missing} is empty, so there is nothing to renew",
            hint="docs/certificate.md tells what ACME needs.",
        )
    plugin = f"dns-{settings.acme_dns}"
    email = ["--email", settings.acme_email] if settings.acme_email else []
    return [
        "certbot",
        "certonly",
        "--non-interactive",
        "--agree-tos",
        *(email or ["--register-unsafely-without-email"]),
        "--server",
        settings.acme_server,
        "--authenticator",
        plugin,
        f"--{plugin}-credentials",
        settings.acme_credentials,
        "--domain",
        settings.name,
        "--cert-name",
        LINEAGE,
        "--keep-until-expiring",
        "--config-dir",
        os.path.join(state_dir, "config"),
        "--work-dir",
        os.path.join(state_dir, "work"),
        "--logs-dir",
        os.path.join(state_dir, "logs"),
    ]


def install(folder: str, state_dir: str = STATE_DIR) -> bool:
    """Bring what certbot has into ``folder``; True if that changed anything.

    Not certbot's deploy hook: one that failed once is not called again until the next renewal,
    and this may be called any time. Key and chain are replaced one after the other; whoever looks
    between them finds that they do not match, and says so.

    Raises:
        NetworkError: certbot has none, or the folder cannot be written.
    """
    live = os.path.join(state_dir, "config", "live", LINEAGE)
    try:
        os.makedirs(folder, mode=0o755, exist_ok=True)
        return any([_copy(live, folder, KEY, 0o600), _copy(live, folder, CHAIN, 0o644)])
    except OSError as error:
        raise NetworkError(
            f"the certificate cannot be brought from {live} to {folder}: {error.strerror}",
            hint=f"certbot's own words are in {os.path.join(state_dir, 'logs')}.",
        ) from error


def _copy(source: str, target: str, name: str, mode: int) -> bool:
    with open(os.path.join(source, name), "rb") as file:
        content = file.read()
    path = os.path.join(target, name)
    if os.path.exists(path):
        with open(path, "rb") as file:
            if file.read() == content:
                return False
    # mkstemp makes it 0600: a key is never readable by others, not even for a moment.
    handle, aside = tempfile.mkstemp(prefix=f".{name}-", dir=target)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, mode)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
    return True
