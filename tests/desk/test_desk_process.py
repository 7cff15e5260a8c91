"""The command and the process, as a person and systemd start them."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiezbox.settings import DeskSettings

ROOT = Path(__file__).resolve().parent.parent.parent
UNITS = ROOT / "systemd"


def kiezbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kiezbox", *arguments], capture_output=True, text=True, timeout=30
    )


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    for name in ("node", "run", "state"):
        (tmp_path / name).mkdir()
    path = tmp_path / "kiezbox.toml"
    path.write_text(
        f'[box]\nid = "kb-test"\n[store]\nrun_dir = "{tmp_path}/node"\n'
        f'[desk]\nlisten = "127.0.0.1:0"\nrun_dir = "{tmp_path}/run"\n'
        f'state_dir = "{tmp_path}/state"\n'
    )
    return path


@pytest.fixture
def port(toml: Path) -> Iterator[int]:
    """Of a desk that serves."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kiezbox", "desk", "serve", "--settings", str(toml)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line
        yield int(found[1])
        process.terminate()
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait(timeout=10)
        if process.stderr is not None:
            process.stderr.close()


def ask(
    port: int, method: str, path: str, *, form: dict[str, str] | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    body = urllib.parse.urlencode(form) if form else None
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def test_from_the_code_on_the_box_to_the_status_page(port: int, toml: Path) -> None:
    given = json.loads(kiezbox("desk", "claim", "--json", "--settings", str(toml)).stdout)

    answer, text = ask(port, "GET", "/claim")
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    token = re.search(r'name="token" value="(\w+)"', text)[1]  # type: ignore[index]
    passphrase = "vier Worte und ein Baum"
    entered, _ = ask(
        port, "POST", "/claim", Cookie=cookie,
        form={"code": given["code"], "passphrase": passphrase, "again": passphrase, "token": token},
    )  # fmt: skip
    _, status = ask(port, "GET", "/", Cookie=entered.headers["Set-Cookie"].partition(";")[0])

    assert given["valid_s"] == 900
    assert (entered.status, entered.headers["Location"]) == (303, "/")
    assert "/logout" in status


def test_a_claimed_peer_address_does_not_count(port: int, toml: Path) -> None:
    """Whoever guesses may say he is somebody else: the bucket goes by the socket's peer."""
    answer, text = ask(port, "GET", "/login")
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    token = re.search(r'name="token" value="(\w+)"', text)[1]  # type: ignore[index]

    found = [
        ask(port, "POST", "/login", form={"passphrase": "a wrong one", "token": token},
            **{"Cookie": cookie, "X-Forwarded-For": f"192.0.2.{n}"})[0].status
        for n in range(7)
    ]  # fmt: skip

    assert found == [403] * 5 + [429] * 2


def test_the_command_prints_the_code_and_where_to_type_it(toml: Path) -> None:
    done = kiezbox("desk", "claim", "--settings", str(toml))

    assert done.returncode == 0, done.stderr
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", done.stdout)
    assert "http://127.0.0.1:0/claim" in done.stdout and "15 minutes" in done.stdout
    assert "ssh -L" in done.stdout


def test_without_the_folder_the_command_says_who_makes_it(toml: Path) -> None:
    (toml.parent / "run").rmdir()

    done = kiezbox("desk", "claim", "--settings", str(toml))

    assert done.returncode == 1
    assert "sudo kiezbox desk claim" in done.stderr and "Traceback" not in done.stderr


def test_the_units_and_the_settings_mean_the_same_places() -> None:
    defaults = DeskSettings()
    service = (UNITS / "kiezbox-desk.service").read_text()
    folders = (UNITS / "tmpfiles.d" / "kiezbox-desk.conf").read_text()

    assert f"\nListenStream={defaults.listen}\n" in (UNITS / "kiezbox-desk.socket").read_text()
    assert f"\nReadWritePaths={defaults.run_dir}\n" in service
    assert f"\nStateDirectory={Path(defaults.state_dir).name}\n" in service
    for folder in (defaults.run_dir, defaults.state_dir):
        assert f"\nd {folder} 0700 kiezbox-desk kiezbox-desk -\n" in folders


def test_the_unit_is_as_closed_as_the_portal_s(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("skipped, because systemd-analyze is not installed")
    unit = tmp_path / "kiezbox-desk.service"
    text = (UNITS / "kiezbox-desk.service").read_text()
    unit.write_text(text.replace("/opt/kiezbox/.venv/bin/kiezbox", "/bin/true"))

    done = subprocess.run(
        ["systemd-analyze", "--no-pager", "security", "--offline=true", "--threshold=10",
         str(unit)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
