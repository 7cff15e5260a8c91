"""https, with certificates that openssl has made: shown while valid, and never a wrong one."""

from __future__ import annotations

import _socket
import contextlib
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from street import LIMIT_S, NOW, read_all, running, split, wait_for

from kiezbox.clock import ManualClock
from kiezbox.portal import responder, tls, visit
from kiezbox.portal.forms import Forms
from kiezbox.portal.guests import Guests
from kiezbox.portal.responder import Responder
from kiezbox.portal.serve import Contents
from kiezbox.portal.sight import Sight
from kiezbox.portal.visit import SecretDoor

NAME = "portal.example.org"
PAGE = f"GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode()
DAY_S = 86400.0

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here")


def make_certificate(folder: Path, *, name: str = NAME, days: int = 30) -> None:
    """A self-signed one, valid from now (of the machine's clock) on."""
    folder.mkdir(exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-noenc", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
         "-days", str(days), "-keyout", str(folder / "new.key"), "-out", str(folder / "new.pem")],
        check=True, capture_output=True, timeout=LIMIT_S,
    )  # fmt: skip
    (folder / "new.key").rename(folder / "privkey.pem")
    (folder / "new.pem").rename(folder / "fullchain.pem")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    make_certificate(folder)
    return folder


class Https:
    """A responder that serves https alone; ``now`` says what is valid."""

    def __init__(self, folder: Path, box: Path, now: float) -> None:
        self.folder = folder
        self.listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(100)
        self.port = self.listener.getsockname()[1]
        sight = Sight(str(box / "run"), str(box / "kiezbox.db"), ManualClock(NOW))
        door = SecretDoor(self.listener, str(folder), lambda: now)
        self.responder = Responder([door], Contents(sight, Guests(), Forms()))
        self.server = threading.Thread(target=self.responder.run, daemon=True)
        self.server.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)

    def agree(self, *, version: ssl.TLSVersion | None = None) -> ssl.SSLSocket:
        """After a handshake in which the name was checked."""
        context = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context.wrap_socket(self.connect(), server_hostname=NAME)

    def is_reset(self) -> bool:
        """Whether nothing is answered, by a reset at once."""
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        began = time.monotonic()
        try:
            with self.connect() as visitor, anybody.wrap_socket(visitor):
                return False
        except ConnectionResetError:
            assert time.monotonic() - began < 1
            return True

    def close(self) -> None:
        self.responder.stop(within_s=0)
        self.server.join(LIMIT_S)
        assert not self.server.is_alive()
        self.responder.close()
        self.listener.close()


Opened = Callable[..., Https]


@pytest.fixture
def opened(box: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    monkeypatch.setattr(tls, "LOOK_S", 0.0)
    all_opened: list[Https] = []

    def open_door(folder: Path, now: float | None = None) -> Https:
        # A minute from now, so that what a test makes later is valid, too.
        all_opened.append(Https(folder, box, time.time() + 60 if now is None else now))
        return all_opened[-1]

    yield open_door
    for each in all_opened:
        each.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_page_comes_by_https(
    opened: Opened, certificate: Path, version: ssl.TLSVersion
) -> None:
    with opened(certificate).agree(version=version) as visitor:
        visitor.sendall(PAGE.replace(NAME.encode(), b"127.0.0.1"))
        status, headers, page = split(read_all(visitor))

    assert (status, len(page)) == (200, int(headers["content-length"]))
    assert page.endswith(b"</html>")


def test_one_connection_serves_many_requests(opened: Opened, certificate: Path) -> None:
    request = b"GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with opened(certificate).agree() as visitor:
        for _ in range(3):
            visitor.sendall(request * 2)
            received = b""
            while received.count(b"</html>") < 2:
                received += visitor.recv(65536)

            assert received.count(b"HTTP/1.1 302 Found") == 2


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_versions_of_tls_are_refused(opened: Opened, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with opened(certificate).connect() as visitor, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(visitor)


def test_without_a_certificate_nothing_is_answered(opened: Opened, tmp_path: Path) -> None:
    assert opened(tmp_path / "none").is_reset()


@pytest.mark.parametrize("fault", ["another key", "no PEM", "no key", "key with a password"])
def test_a_certificate_that_cannot_be_used_is_not(
    opened: Opened, certificate: Path, tmp_path: Path, fault: str
) -> None:
    folder = tmp_path / "certificate"
    shutil.copytree(certificate, folder)
    key = folder / "privkey.pem"
    match fault:
        case "another key":
            make_certificate(tmp_path / "other")
            shutil.copy(tmp_path / "other" / "privkey.pem", key)
        case "no PEM":
            (folder / "fullchain.pem").write_bytes(b"\x00nonsense")
        case "no key":
            key.unlink()
        case "key with a password":
            subprocess.run(
                ["openssl", "ec", "-aes256", "-passout", "pass:secret", "-in", str(key),
                 "-out", str(key)],
                check=True, capture_output=True, timeout=LIMIT_S,
            )  # fmt: skip

    assert opened(folder).is_reset()


def test_a_python_without_openssl_answers_nothing_and_says_so_once(
    opened: Opened,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    https = opened(certificate)
    monkeypatch.setitem(sys.modules, "kiezbox.portal.tls", None)

    assert https.is_reset() and https.is_reset()

    assert capfd.readouterr().err.count("no https") == 1


@pytest.mark.parametrize("days, is_served", [(-2, False), (0, True), (29, True), (31, False)])
def test_a_certificate_is_shown_exactly_while_it_is_valid(
    opened: Opened, certificate: Path, days: int, is_served: bool
) -> None:
    https = opened(certificate, time.time() + days * DAY_S)

    assert https.is_reset() != is_served


def test_a_renewed_certificate_is_shown_at_once(opened: Opened, tmp_path: Path) -> None:
    folder = tmp_path / "certificate"
    https = opened(folder)
    assert https.is_reset()

    make_certificate(folder)
    with https.agree() as visitor:
        first = visitor.getpeercert(binary_form=True)
    make_certificate(folder)
    with https.agree() as visitor:
        second = visitor.getpeercert(binary_form=True)

    assert first != second


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time limits of a tenth."""
    monkeypatch.setattr(visit, "HANDSHAKE_S", 0.5)
    monkeypatch.setattr(tls, "IDLE_S", 0.5)
    for name in ("REQUEST_S", "SWEEP_S"):
        monkeypatch.setattr(responder, name, getattr(responder, name) / 10)


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"])
def test_a_handshake_that_does_not_come_about_ends(
    hurried: None, opened: Opened, certificate: Path, said: bytes
) -> None:
    https = opened(certificate)
    with https.connect() as dawdler:
        dawdler.sendall(said)
        with https.agree() as other:
            other.sendall(PAGE)
            assert read_all(other).startswith(b"HTTP/1.1 ")

        with contextlib.suppress(ConnectionError):
            read_all(dawdler)
    wait_for(lambda: len(https.responder.crowd) == 0, "everybody to be gone", 5)


def test_who_agrees_and_says_nothing_is_let_go(
    hurried: None, opened: Opened, certificate: Path
) -> None:
    https = opened(certificate)
    with https.agree() as silent:
        assert silent.recv(100) == b""


def test_who_breaks_off_in_the_middle_leaves_nothing_behind(
    opened: Opened, certificate: Path
) -> None:
    https = opened(certificate)
    for end in range(0, 300, 20):
        with https.connect() as visitor:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            context = ssl.create_default_context()
            hello = context.wrap_bio(incoming, outgoing, server_hostname=NAME)
            with pytest.raises(ssl.SSLWantReadError):
                hello.do_handshake()
            visitor.sendall(outgoing.read()[:end])
            visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with https.agree() as visitor:
        assert visitor.version() == "TLSv1.3"
    wait_for(lambda: len(https.responder.crowd) == 0, "everybody to be gone", 5)


def test_the_process_serves_https_beside_http(box: Path, certificate: Path) -> None:
    arguments = [
        *("--run-dir", f"{box}/run", "--store", f"{box}/kiezbox.db", "--listen", "127.0.0.1:0"),
        *("--https", "127.0.0.1:0", "--certificate", str(certificate)),
    ]
    with running(arguments) as served:
        assert served.process.stderr is not None
        port = served.process.stderr.readline().rsplit(":", 1)[1].strip("/\n")

        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--include", "--compressed", "--max-time", "10",
             "--cacert", str(certificate / "fullchain.pem"),
             "--resolve", f"{NAME}:{port}:127.0.0.1", f"https://{NAME}:{port}/"],
            capture_output=True, timeout=LIMIT_S,
        )  # fmt: skip

        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(b"HTTP/1.1 302 ")
        assert served.ask("/")[0] == 200
