"""Runs inside the virtual machine: a real systemd starts the real units, with the kernel's own
pins and bus. Ends in ``$OUT/facts.json``; ``test_real_systemd.py`` says what is right.

The machine travels in time: while everybody waits, the clock jumps, so a watchdog of a minute
takes no minute.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "beds" / "uml"), str(TESTS.parent)]

from guest import note, wait_for  # noqa: E402
from installed import OPT, SYSTEMD, UNITS, InstalledBox, mode, now, run  # noqa: E402

#: What a process in a unit's sandbox finds when it looks around: the units' own text, with this
#: in place of the program.
PROBE = """
import ctypes, errno, json, mmap, os, socket, sys

def attempt(what):
    try:
        what()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "possible"

def write(path):
    with open(path, "ab") as file:
        file.write(b"x")

def call(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "system call")

print(json.dumps({
    "user": os.getuid(),
    "read /etc/kiezbox": attempt(lambda: os.listdir("/etc/kiezbox")),
    "write /etc": attempt(lambda: write("/etc/probe")),
    "write /opt/kiezbox": attempt(lambda: write("/opt/kiezbox/probe")),
    "write the store": attempt(lambda: write("/var/lib/kiezbox/probe")),
    "write words": attempt(lambda: write(f"/var/lib/kiezbox/words/probe-{os.getuid()}")),
    "change the words": attempt(lambda: open("/var/lib/kiezbox/words/words.db", "r+b")),
    "write the run folder": attempt(lambda: write("/run/kiezbox/probe")),
    "write /tmp": attempt(lambda: write("/tmp/probe")),
    "read the database": attempt(lambda: open("/var/lib/kiezbox/kiezbox.db", "rb").read()),
    "change the database": attempt(lambda: open("/var/lib/kiezbox/kiezbox.db", "r+b")),
    "see homes": attempt(lambda: os.listdir("/root")),
    "open the bus": attempt(lambda: os.open(sys.argv[1], os.O_RDWR)),
    "open the pins": attempt(lambda: os.open(sys.argv[2], os.O_RDWR)),
    "open null": attempt(lambda: os.open("/dev/null", os.O_RDWR)),
    "talk IP": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
    "talk raw": attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    "talk netlink": attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    "write and run memory": attempt(
        lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)),
    # Numbers of x86-64, as the kernel of the bed.
    "load a module": attempt(lambda: call(175, b"", 0, b"")),
    "new namespace": attempt(lambda: call(272, 0x10000000)),
    "become root": attempt(lambda: os.setuid(0)),
    "interfaces": sorted(
        line.split(":")[0].strip() for line in open("/proc/self/net/dev") if ":" in line),
    "processes": sum(name.isdigit() for name in os.listdir("/proc")),
}))
"""


def put_probes(box: InstalledBox) -> None:
    """A oneshot unit in the sandbox of each of ours that writes down what it can do."""
    probe = OPT / "probe.py"
    probe.write_text(PROBE)
    for name in ("node", "portal"):
        unit = (SYSTEMD / f"kiezbox-{name}.service").read_text()
        own = ("Type=", "NotifyAccess=", "ExecStart=", "Restart=", "WatchdogSec=", "Requires=")
        lines = [line for line in unit.splitlines() if not line.startswith(own)]
        (UNITS / f"probe-{name}.service").write_text("\n".join(lines))
        (UNITS / f"probe-{name}.service.d").mkdir()
        (UNITS / f"probe-{name}.service.d" / "probe.conf").write_text(
            f"[Service]\nType=oneshot\nExecStart={box.python} {probe} {box.bus} {box.chip.path}\n"
            f"StandardOutput=file:/run/probe-{name}\nRuntimeDirectoryPreserve=yes\n"
        )


def page(address: str = "http://127.0.0.1/") -> str:
    return run("curl", "--silent", "--include", "--max-time", "60", address)


def neighbours_post(text: str) -> str:
    """What the board says after somebody has written on it, through the sandboxed portal."""
    board = "http://127.0.0.1/de/board"
    form = re.search(r"name=token value=\"?([0-9a-f]{40})", page(f"{board}/write"))
    assert form is not None, page(f"{board}/write")
    told = run("curl", "--silent", "--max-time", "60", "--data", f"token={form.group(1)}",
               "--data", "topic=0", "--data-urlencode", f"text={text}", board)  # fmt: skip
    return page(board) + told


def neighbours_message(text: str) -> list[str]:
    """What somebody is told who leaves a message, and what somebody finds who knows its words. Each
    takes Argon2, in a process of its own that the sandboxed portal starts.
    """
    messages, words = "http://127.0.0.1/de/messages", ("to=Anna", "word=Stiege Kirsche Sieben")
    said = []
    for where, more in ((messages, [f"text={text}"]), (f"{messages}/pick", [])):
        form = re.search(r"name=token value=\"?([0-9a-f]{40})", page(messages))
        assert form is not None, page(messages)
        fields = [f"token={form.group(1)}", *words, *more]
        data = [part for field in fields for part in ("--data-urlencode", field)]
        said.append(run("curl", "--silent", "--include", "--max-time", "60", *data, where))
    return said


def modes() -> dict[str, str]:
    folders = [Path("/var/lib/kiezbox"), Path("/var/lib/kiezbox/words"), Path("/run/kiezbox"),
               Path("/etc/kiezbox")]  # fmt: skip
    paths = [*folders, *(path for folder in folders for path in folder.iterdir())]
    return {
        str(path): f"{oct(path.stat().st_mode)[-3:]} {path.owner()}:{path.group()}"
        for path in paths
    }


def units() -> dict[str, Any]:
    facts: dict[str, Any] = {}
    box = InstalledBox()
    put_probes(box)
    doors = ("kiezbox-portal.socket", "kiezbox-portal-https.socket")
    box.start(*doors, "kiezbox-portal-certificate.path", "kiezbox-node.service")
    facts["node_is_ready"] = wait_for(
        lambda: box.is_active("kiezbox-node.service"), 120, pause_s=0.5
    )
    facts["node_measures"] = wait_for(
        lambda: "roof/temperature_c" in now().get("latest", {}), 60, pause_s=0.5
    )
    facts["portal_before_the_first_visitor"] = box.is_active("kiezbox-portal.service")
    facts["first_page"] = page()
    facts["portal_after_the_first_visitor"] = box.is_active("kiezbox-portal.service")
    facts["page_over_ipv6"] = page("http://[::1]/")
    facts["has_a_log"] = wait_for(Path("/var/lib/kiezbox/words/words.db").exists, 60, pause_s=0.5)
    facts["a_neighbours_post"] = neighbours_post("Wer hat Kerzen?")
    facts["a_neighbours_message"] = neighbours_message("Der Schlüssel liegt beim Bäcker")
    facts["portal_says"] = box.journal()[-3000:]
    box.kiezbox("bulletin", "post", "Brot gibt es in der Schule")
    facts["shows_the_bulletin"] = wait_for(lambda: "in der Schule" in page(), 30, pause_s=1.0)
    facts["modes"] = modes()
    facts["journal"] = box.journal()[-6000:]
    for name in ("node", "portal"):
        box.systemctl("start", f"probe-{name}.service")
        facts[f"{name}_probe"] = json.loads(Path(f"/run/probe-{name}").read_text())
    facts["killed"] = comes_back(box, "SIGKILL")
    facts["hung"] = comes_back(box, "SIGSTOP")
    box.chip.drive(17, False)
    facts["is_emergency"] = wait_for(lambda: mode() == "emergency", 60, pause_s=0.5)
    facts["emergency_page"] = page()
    box.systemctl("stop", "kiezbox-node.service")
    facts["stopped"] = box.show("kiezbox-node.service", "Result", "ActiveState")
    facts["page_without_node"] = page()
    box.systemctl("kill", "--signal=SIGKILL", "kiezbox-portal.service")
    facts["page_after_a_killed_portal"] = page()
    facts["https_without_a_certificate"] = https()
    folder = Path("/etc/kiezbox/certificate")
    folder.mkdir(mode=0o700)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-noenc", "-subj", "/CN=portal.example.org", "-keyout", str(folder / "privkey.pem"),
        "-out", str(folder / "fullchain.pem"))  # fmt: skip
    wait_for(lambda: https().startswith("HTTP/"), 30, pause_s=1.0)
    facts["https_with_a_certificate"] = https()
    return facts


def https() -> str:
    """The page's beginning, or what curl says of its absence."""
    done = subprocess.run(
        ["curl", "--silent", "--include", "--insecure", "--max-time", "60", "https://127.0.0.1/"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout[:100] or f"curl: {done.returncode}"


def comes_back(box: InstalledBox, signal: str) -> dict[str, Any]:
    """Hit the node, and see whether systemd brings it back."""
    before = box.show("kiezbox-node.service", "MainPID", "NRestarts")
    at = time.monotonic()
    box.systemctl("kill", f"--signal={signal}", "kiezbox-node.service")

    def is_back() -> bool:
        after = box.show("kiezbox-node.service", "MainPID", "NRestarts", "ActiveState")
        return after["ActiveState"] == "active" and after["NRestarts"] > before["NRestarts"]

    return {"is_back": wait_for(is_back, 180, pause_s=1.0), "after_s": time.monotonic() - at}


note({"units": units})
