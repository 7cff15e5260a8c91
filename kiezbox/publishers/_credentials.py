"""Who we are to a broker, and how we know who it is: read anew for each connection, so that what
somebody puts right works without a restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiezbox.errors import Refused

if TYPE_CHECKING:
    import ssl

    from kiezbox.publishers.mqtt import Settings


def password(settings: Settings) -> str | None:
    """What stands in ``password_file``, without the line's end."""
    path = settings.password_file
    if not path:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"cannot read password_file {path}: {_words(error)}",
            hint="It holds the password and nothing else, readable for the user kiezbox.",
        ) from error


def tls(settings: Settings) -> ssl.SSLContext:
    """The authorities we trust, and our own certificate where the broker wants one."""
    import ssl

    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file or None)
    except (OSError, ValueError) as error:
        named = (settings.ca_file, settings.cert_file, settings.key_file)
        raise Refused(
            f"cannot use the certificates {', '.join(filter(None, named))}: {_words(error)}",
            hint="ca_file, cert_file and key_file are PEM files, readable for user kiezbox.",
        ) from error
    return context


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
