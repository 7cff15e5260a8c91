"""Runs inside the virtual machine: somebody installs a box where systemd runs, and claims it.

No network in there, so Debian's packages and pip are left out (test_clean_debian.py has them); all
other steps are the real ones, and so are systemd, the units, the sandboxes and the desk.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
CHECKOUT = TESTS.parent
sys.path[:0] = [str(TESTS / "beds" / "uml"), str(CHECKOUT)]

from guest import GpioChip, note, wait_for  # noqa: E402
from installed import InstalledBox, processes  # noqa: E402

#: A copy: somebody may be at work in the checkout, and the program's fingerprint would change.
SOURCE = Path("/src")
STEPS = [word for step in (20, 30, 40, 50, 60, 70, 80, 85, 90) for word in ("--only", str(step))]
PASSPHRASE = "vier Worte und ein Baum"


class FreshMachine(InstalledBox):
    """A machine that has never heard of Kiezbox; only pip's work is done."""

    def __init__(self) -> None:
        self.python = self._interpreter()
        self.pid_1 = 0
        self._put_program()
        SOURCE.mkdir()
        for name in ("provisioning", "systemd", "docs", "kiezbox", "pyproject.toml", "README.md"):
            whole = CHECKOUT / name
            if whole.is_dir():
                shutil.copytree(whole, SOURCE / name)
            else:
                shutil.copy(whole, SOURCE / name)
        state = Path("/var/lib/kiezbox-provisioning")
        state.mkdir()
        said = subprocess.run(
            [str(SOURCE / "provisioning/40-program"), "fingerprint"],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        (state / "program").write_text(said.stdout)

    def say(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Among the processes of the bed's systemd, whatever comes of it."""
        return subprocess.run(
            ["nsenter", f"--target={self.pid_1}", "--pid", "--mount", "--root", "--wd", *command],
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    def install(self, *options: str) -> dict[str, Any]:
        """The exit code and the lines it said, by their first word."""
        done = self.say(str(SOURCE / "provisioning/install"), *options)
        lines = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line[:2] == "  "]
        return {
            "code": done.returncode,
            "stderr": done.stderr,
            "stdout": done.stdout,
            "now": [rest[0] for word, *rest in lines if word == "now"],
        }


def ask(
    method: str, path: str, form: dict[str, str] | None = None, cookie: str = ""
) -> tuple[int, str, str]:
    """Status, cookie, text, as a browser on the box itself would get them."""
    connection = http.client.HTTPConnection("127.0.0.1", 8090, timeout=120)
    headers = {"Cookie": cookie}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, urllib.parse.urlencode(form or {}) or None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    given = answer.headers.get("Set-Cookie", cookie).partition(";")[0]
    return answer.status, given, text


def claim(box: FreshMachine) -> dict[str, Any]:
    """The operator's first five minutes."""
    before = box.is_active("kiezbox-desk.service")
    code = json.loads(box.enter("/usr/local/bin/kiezbox", "desk", "claim", "--json", "--defaults"))[
        "code"
    ]
    _, cookie, page = ask("GET", "/claim")
    token = re.search(r'name="token" value="(\w+)"', page)[1]  # type: ignore[index]
    form = {"code": code, "passphrase": PASSPHRASE, "again": PASSPHRASE, "token": token}
    claimed, session, _ = ask("POST", "/claim", form, cookie)
    status, _, shown = ask("GET", "/", cookie=session)
    again, _, _ = ask("POST", "/claim", form, cookie)
    (desk,) = processes("kiezbox-desk.service")
    state = Path("/var/lib/kiezbox-desk/operator.json")
    return {
        "ran_before": before,
        "claimed": claimed,
        "status": status,
        "shows": shown,
        "the same code again": again,
        "owner": f"{oct(state.stat().st_mode)[-3:]} {state.owner()}",
        "left of the code": [path.name for path in Path("/run/kiezbox-desk").iterdir()],
        "user": Path(f"/proc/{desk}").owner(),
        "journal": box.journal()[-3000:],
    }


def installation() -> dict[str, Any]:
    box = FreshMachine()
    GpioChip().drive(17, True)
    box.start("systemd-journald.socket")
    facts: dict[str, Any] = {"first": box.install("--id", "kb-test", "--country", "DE", *STEPS)}
    facts["node_runs"] = wait_for(lambda: box.is_active("kiezbox-node.service"), 120, pause_s=0.5)
    facts["sockets"] = {
        name: box.is_active(f"kiezbox-{name}.socket") for name in ("portal", "desk")
    }
    checked = box.say("/usr/local/bin/kiezbox", "check", "--json")
    if not checked.stdout:
        raise RuntimeError(f"{checked.stderr}\n{facts['first']}\n{box.journal()[-4000:]}")
    facts["check"] = json.loads(checked.stdout)
    facts["desk"] = claim(box)
    facts["second"] = box.install(*STEPS)
    facts["uninstalled"] = box.install("--uninstall")
    facts["left_running"] = [
        str(path) for path in Path("/sys/fs/cgroup").glob("**/kiezbox-*.service")
    ]
    facts["left"] = sorted(str(path) for path in Path("/etc").rglob("*kiezbox*") if path.exists())
    return facts


if __name__ == "__main__":
    os.environ.setdefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
    note({"installation": installation})
