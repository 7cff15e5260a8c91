"""A whole renewal: certbot, a real authority (Let's Encrypt's Pebble), a real DNS server (Knot).

Takes ten seconds or so, and programs that a box does not have; so it is a long one.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from network.authority import Authority

pytestmark = pytest.mark.long

LIMIT_S = 120.0
NEEDED = {"certbot": "certbot", "pebble": "pebble", "knotd": "knot"}

NAME = "portal.kiez.example"
SECRET = "c2VjcmV0LW9mLXRoZS10ZXN0LXpvbmUtb25seS1mb3ItdGVzdHM="

KNOT = """
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
database:
    storage: "{folder}"
key:
  - id: kiezbox
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: updates
    key: kiezbox
    action: [update, query]
  - id: anybody
    address: 127.0.0.1
    action: query
zone:
  - domain: kiez.example
    storage: "{folder}"
    file: zone
    acl: [updates, anybody]
    journal-content: none
    zonefile-sync: -1
"""

ZONE = """\
kiez.example. 60 SOA ns.kiez.example. root.kiez.example. 1 60 60 60 60
kiez.example. 60 NS ns.kiez.example.
ns.kiez.example. 60 A 127.0.0.1
"""

CREDENTIALS = """\
dns_rfc2136_server = 127.0.0.1
dns_rfc2136_port = {port}
dns_rfc2136_name = kiezbox.
dns_rfc2136_secret = {secret}
dns_rfc2136_algorithm = HMAC-SHA256
"""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def running(
    argv: list[str], log: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with open(log, "wb") as output:
        process = subprocess.Popen(
            argv, stdout=output, stderr=output, env={**os.environ, **environment}
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


class World:
    """Authority, name server, and a box's settings in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dns, self.acme, self.manage = free_port(socket.SOCK_DGRAM), free_port(), free_port()
        self.own = Authority(folder / "own")
        self.own.certificate(folder / "tls", name="localhost")
        self.settings = folder / "kiezbox.toml"
        self.certificate = folder / "certificate"
        (folder / "acme.ini").write_text(CREDENTIALS.format(port=self.dns, secret=SECRET))
        (folder / "acme.ini").chmod(0o600)
        # Nobody has to wait for the world's name servers here; the setting is certbot's own.
        (folder / "letsencrypt").mkdir()
        (folder / "letsencrypt" / "cli.ini").write_text("dns-rfc2136-propagation-seconds = 1\n")
        self.settings.write_text(
            f"""
[box]
id = "kb-test"
[network.certificate]
name = "{NAME}"
folder = "{self.certificate}"
acme_server = "https://localhost:{self.acme}/dir"
acme_dns = "rfc2136"
acme_credentials = "{folder / "acme.ini"}"
# A clock that trusts itself: that of this machine may be nobody's.
[clock]
wall_anchor = {time.time()}
"""
        )

    @contextlib.contextmanager
    def name_server(self) -> Iterator[None]:
        (self.folder / "zone").write_text(ZONE)
        config = self.folder / "knot.conf"
        config.write_text(KNOT.format(folder=self.folder, port=self.dns, secret=SECRET))
        with running(["knotd", "-c", str(config)], self.folder / "knot.log", {}):
            yield

    @contextlib.contextmanager
    def authority(self) -> Iterator[None]:
        config = {
            "pebble": {
                "listenAddress": f"127.0.0.1:{self.acme}",
                "managementListenAddress": f"127.0.0.1:{self.manage}",
                "certificate": str(self.folder / "tls" / "fullchain.pem"),
                "privateKey": str(self.folder / "tls" / "privkey.pem"),
                "httpPort": 5002,
                "tlsPort": 5001,
                # Below the 30 days at which certbot thinks of renewal, above our seven.
                "certificateValidityPeriod": 20 * 86400,
            }
        }
        path = self.folder / "pebble.json"
        path.write_text(json.dumps(config))
        argv = ["pebble", "-config", str(path), "-dnsserver", f"127.0.0.1:{self.dns}"]
        with running(argv, self.folder / "pebble.log", {"PEBBLE_VA_NOSLEEP": "1"}):
            (self.folder / "root.pem").write_bytes(self._root())
            yield

    def _root(self) -> bytes:
        """The authority's root, which is new with every start."""
        trust = ssl.create_default_context(cafile=str(self.own.root))
        until = time.monotonic() + LIMIT_S
        while True:
            try:
                url = f"https://localhost:{self.manage}/roots/0"
                with urllib.request.urlopen(url, timeout=10, context=trust) as answer:
                    return bytes(answer.read())
            except (urllib.error.URLError, OSError):
                assert time.monotonic() < until, (self.folder / "pebble.log").read_text()
                time.sleep(0.1)

    def kiezbox(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kiezbox", "certificate", *arguments, "--settings",
             str(self.settings), "--state-dir", str(self.folder / "state")],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            env={
                **os.environ,
                "XDG_CONFIG_HOME": str(self.folder),
                "REQUESTS_CA_BUNDLE": str(self.own.root),
                "SSL_CERT_FILE": str(self.folder / "root.pem"),
            },
        )  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    for program, package in NEEDED.items():
        if shutil.which(program) is None:
            pytest.skip(f"skipped, because {program} is not there (apt install {package})")
    return World(tmp_path)


def test_a_certificate_is_got_renewed_and_kept_while_the_authority_is_away(world: World) -> None:
    with world.name_server():
        with world.authority():
            first = world.kiezbox("renew")
            assert first.returncode == 0, first.stdout + first.stderr
            one = (world.certificate / "fullchain.pem").read_bytes()
            second = world.kiezbox("renew")
            assert second.returncode == 0, second.stdout + second.stderr
            two = (world.certificate / "fullchain.pem").read_bytes()
        away = world.kiezbox("renew")
        kept = (world.certificate / "fullchain.pem").read_bytes()
        status = world.kiezbox("--json")

    assert f"good for {NAME} until" in first.stdout
    assert one != two
    assert (away.returncode, kept) == (9, two)
    assert "certbot failed" in away.stderr
    assert "Traceback" not in away.stderr
    assert json.loads(status.stdout)["is_valid"] is True
    assert (world.certificate / "privkey.pem").stat().st_mode & 0o777 == 0o600


def test_a_name_server_that_refuses_leaves_a_sentence_and_no_certificate(world: World) -> None:
    credentials = world.folder / "acme.ini"
    credentials.write_text(CREDENTIALS.format(port=world.dns, secret="d3Jvbmc="))

    with world.name_server(), world.authority():
        refused = world.kiezbox("renew")

    assert refused.returncode == 9
    assert "certbot failed" in refused.stderr
    assert not world.certificate.exists()
