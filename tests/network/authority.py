"""Certificates for tests, made by the openssl command: an authority, an intermediate, leaves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

LIMIT_S = 30.0

NAME = "portal.example.org"

_CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = {name}
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:{name}
extendedKeyUsage = serverAuth
[ca]
default_ca = us
[us]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


def openssl(*arguments: str | Path) -> None:
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, f"{command}: {done.stderr}"


class Authority:
    """``root.pem`` is what a machine trusts; leaves are signed by an intermediate below it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "index.txt").touch()
        self.root = folder / "root.pem"
        self._self_signed("root", "Test Root", "authority")
        self._signed("middle", "Test Intermediate", "authority", by="root")

    def certificate(
        self,
        target: Path,
        *,
        name: str = NAME,
        begins: str = "20200101000000Z",
        ends: str = "20991231000000Z",
        is_self_signed: bool = False,
        has_intermediate: bool = True,
    ) -> Path:
        """fullchain.pem and privkey.pem as certbot leaves them; the folder."""
        target.mkdir(exist_ok=True)
        if is_self_signed:
            self._self_signed("leaf", name, "leaf")
        else:
            self._signed("leaf", name, "leaf", by="middle", begins=begins, ends=ends)
        chain = (self.folder / "leaf.pem").read_bytes()
        if has_intermediate and not is_self_signed:
            chain += (self.folder / "middle.pem").read_bytes()
        (target / "fullchain.pem").write_bytes(chain)
        shutil.copy(self.folder / "leaf.key", target / "privkey.pem")
        return target

    def _configure(self, name: str) -> Path:
        path = self.folder / "openssl.cnf"
        path.write_text(_CONFIG.format(name=name, folder=self.folder))
        return path

    def _self_signed(self, what: str, name: str, kind: str) -> None:
        key, pem = self.folder / f"{what}.key", self.folder / f"{what}.pem"
        openssl(
            "req", "-x509", "-new", "-nodes", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-keyout", key, "-out", pem, "-days", "3650",
            "-config", self._configure(name), "-extensions", kind,
        )  # fmt: skip

    def _signed(
        self,
        what: str,
        name: str,
        kind: str,
        *,
        by: str,
        begins: str = "20200101000000Z",
        ends: str = "20991231000000Z",
    ) -> None:
        key, pem = self.folder / f"{what}.key", self.folder / f"{what}.pem"
        request, config = self.folder / f"{what}.csr", self._configure(name)
        openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", request, "-config", config,
        )  # fmt: skip
        openssl(
            "ca", "-batch", "-notext", "-config", config, "-extensions", kind, "-in", request,
            "-out", pem, "-cert", self.folder / f"{by}.pem", "-keyfile", self.folder / f"{by}.key",
            "-startdate", begins, "-enddate", ends,
        )  # fmt: skip
