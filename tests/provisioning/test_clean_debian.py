"""The whole installation, Debian's packages and pip included, in a clean bookworm and trixie as
debootstrap makes them. Needs the network; takes minutes. test_install.py is its smaller twin."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from roots import Root, debian

pytestmark = pytest.mark.long

#: Where this machine keeps whom it trusts; behind a proxy pip needs to be told.
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_a_clean_debian_becomes_a_box_and_a_clean_debian_again(suite: str) -> None:
    with Root(debian(suite), is_online=True) as root:
        for name in ("/etc/resolv.conf", "/etc/pip.conf"):
            if Path(name).exists():
                root.write(name, Path(name).read_text())
        environment = {name: value for name, value in os.environ.items() if "proxy" in name.lower()}
        if TRUSTED.exists():
            root.write("/tmp/trusted.crt", TRUSTED.read_text())
            environment["PIP_CERT"] = "/tmp/trusted.crt"

        def install(*options: str) -> str:
            command = ("/src/provisioning/install", *options)
            done = root.run(*command, limit_s=1800, environment=environment)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        dry = install("--dry-run")
        assert "would    install" in dry
        assert list(root.changes()) == [] or not root.path("/etc/kiezbox").exists()

        install("--id", "kb-test", "--country", "DE")
        before = root.changes()
        again = install("--id", "kb-test")
        assert "  now  " not in again
        # Python may have compiled what it started for the first time.
        after = {name: facts for name, facts in root.changes().items() if name in before}
        assert after == before

        version = root.do("/usr/local/bin/kiezbox", "version")
        assert version.startswith("kiezbox ")
        stranger = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        refused = root.run(*stranger, "/usr/local/bin/kiezbox", "check").stderr
        assert "sudo" in refused and "Traceback" not in refused

        verify = "cd /etc/systemd/system && systemd-analyze --no-pager verify ./kiezbox-*"
        said = root.run("sh", "-c", verify).stderr
        # The handover is for machines with NetworkManager only, which we bring to no other.
        found = [line for line in said.splitlines() if "kiezbox" in line and "nmcli" not in line]
        assert found == []
        for service in ("hostapd", "dnsmasq", "babeld"):
            state = root.run("systemctl", "is-enabled", f"{service}.service").stdout.strip()
            assert state in ("disabled", "masked", "", "not-found"), service

        # A newer checkout of the same version: what was changed arrives.
        root.do("cp", "-R", "/src", "/tmp/newer")
        root.write("/tmp/newer/kiezbox/arrived.py", '"""Is here."""\n')
        done = root.run(
            "/tmp/newer/provisioning/install", "--only", "40", limit_s=600, environment=environment
        )
        assert done.returncode == 0, done.stderr
        root.do("/opt/kiezbox/.venv/bin/python", "-c", "import kiezbox.arrived")

        # Once more, as in a place without a network: from a folder of wheels.
        pip = ("/opt/kiezbox/.venv/bin/python", "-m", "pip", "--quiet", "download")
        program = "/src[i2c,serial,pins,mqtt,portal,desk]"
        found = root.run(
            "sh", "-c", "cp -R /src /tmp/copy && cd /tmp/copy && " + " ".join(pip)
            + f" --dest /tmp/wheels '{program.replace('/src', '.')}' setuptools wheel",
            limit_s=600, environment=environment,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        install("--uninstall", "--only", "40")
        away = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple"}
        command = ("/src/provisioning/install", "--only", "40", "--wheels", "/tmp/wheels")
        done = root.run(*command, limit_s=600, environment=away)
        assert done.returncode == 0, done.stderr
        assert root.do("/usr/local/bin/kiezbox", "version") == version

        install("--uninstall", "--purge")
        left = [n for n, kind in root.changes().items() if "kiezbox" in n and kind[3] != "removed"]
        assert left == []
