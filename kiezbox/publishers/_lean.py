"""paho-mqtt without OpenSSL, for a broker that is spoken to in the clear.

paho imports ``ssl``, ``hashlib`` and ``urllib.request`` for TLS and WebSockets. In a box whose
broker is in its own mesh none of it is ever used, and it is 4 of the node's 28 MiB.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from kiezbox.errors import MissingPackage

#: What is hidden from paho while it is imported. It guards the first with ``try``, and so do the
#: standard library's own modules.
HIDDEN = ("ssl", "_hashlib")

#: Imported half-blind: forgotten afterwards, so that whoever else wants them gets them whole.
BLIND = ("hashlib", "http.client", "urllib.request", "uuid")


def import_paho(*, needs_tls: bool) -> Any:
    """``paho.mqtt.client``; with ``needs_tls`` the whole of it, also if it was imported without.

    Raises:
        MissingPackage: paho-mqtt is not installed.
    """
    is_first = "paho.mqtt.client" not in sys.modules and "ssl" not in sys.modules
    try:
        if is_first and not needs_tls:
            return _import_without_tls()
        client: Any = importlib.import_module("paho.mqtt.client")
    except ImportError as error:
        raise MissingPackage(
            f"the publisher mqtt needs a package that is not installed: {error.name}",
            hint="Install Kiezbox with the extra it belongs to: pip install 'kiezbox[mqtt]'.",
        ) from error
    if needs_tls and not hasattr(client.ssl, "SSLContext"):
        client.ssl = importlib.import_module("ssl")
    return client


def _import_without_tls() -> Any:
    known = {name: sys.modules[name] for name in (*HIDDEN, *BLIND) if name in sys.modules}
    for name in HIDDEN:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        client: Any = importlib.import_module("paho.mqtt.client")
    finally:
        for name in (*HIDDEN, *BLIND):
            sys.modules.pop(name, None)
        sys.modules.update(known)
    # paho names these in except clauses, with TLS or without.
    client.ssl = ModuleType("ssl")
    for name in ("SSLError", "SSLWantReadError", "SSLWantWriteError", "CertificateError"):
        setattr(client.ssl, name, type(name, (OSError,), {}))
    return client
