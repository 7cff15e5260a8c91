"""What comes without TLS, or from somebody who only says who he is, is no official warning."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiezbox.errors import SourceError
from kiezbox.sources._web import Web

NETWORK = Path(__file__).resolve().parent.parent / "network"


def _authority() -> Any:
    spec = importlib.util.spec_from_file_location("authority_of_sources", NETWORK / "authority.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Secure:
    """A TLS server on loopback that answers "[]" to everybody, and counts who got so far."""

    def __init__(self, folder: Path) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.requests = 0
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(connection, server_side=True) as secure:
                    if secure.recv(65536):
                        self.requests += 1
                        secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
            except OSError:
                pass

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return _authority().Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure(
    authority: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Secure, Path]]:
    """With a certificate as the parameters say; and the root that a machine would trust."""
    server = Secure(authority.certificate(tmp_path / "leaf", **request.param))
    yield server, authority.root
    server.close()


def get(server: Secure, monkeypatch: pytest.MonkeyPatch, root: Path | None) -> bytes:
    # OpenSSL's own variable: whom this machine trusts.
    monkeypatch.setenv("SSL_CERT_FILE", str(root or "/nonexistent"))
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")
    return Web(timeout_s=5, most_bytes=1000).get(f"https://localhost:{server.port}/x").body


@pytest.mark.parametrize("secure", [{"name": "localhost"}], indirect=True)
def test_an_authority_with_a_good_certificate_is_heard(
    secure: tuple[Secure, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, root = secure

    assert get(server, monkeypatch, root) == b"[]"


@pytest.mark.parametrize(
    ("secure", "is_trusted"),
    [
        ({"name": "localhost"}, False),
        ({"name": "warnung.example"}, True),
        ({"name": "localhost", "is_self_signed": True}, True),
        ({"name": "localhost", "ends": "20200102000000Z"}, True),
        ({"name": "localhost", "begins": "20980101000000Z"}, True),
    ],
    indirect=["secure"],
)
def test_whoever_cannot_prove_who_he_is_is_not_even_asked(
    secure: tuple[Secure, Path], is_trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, root = secure

    with pytest.raises(SourceError) as caught:
        get(server, monkeypatch, root if is_trusted else None)

    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)
    assert server.requests == 0


@pytest.mark.parametrize(
    "url",
    ["http://warnung.example/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "https:///x", "x", "",
     "http://127.0.0.1.example/x", "http://[::1", "https://x:99999/"],
)  # fmt: skip
def test_an_address_without_tls_is_never_asked(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        Web(timeout_s=1, most_bytes=1000).get(url)

    assert caught.value.kind == "refused"
