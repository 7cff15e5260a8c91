"""A UPS as a grid source: Debian's own upsd with its pretended UPS, and servers that are none."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiezbox.clock import SystemClock
from kiezbox.errors import KiezboxError, SettingsError
from kiezbox.node import grid_nut
from kiezbox.node.grid_nut import Nut, NutSource, vote_of
from kiezbox.settings import GridSourceSettings, parse

#: The wrapper in /usr/sbin wants /etc/nut to be set up; these are the programs themselves.
PROGRAMS = [Path("/lib/nut/upsd"), Path("/lib/nut/dummy-ups")]


def wait_until(is_so: Callable[[], bool], limit_s: float = 15.0) -> None:
    until = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < until, f"not within {limit_s:g} s"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Upsd:
    """Debian's upsd and its driver dummy-ups, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.where = f"ups@127.0.0.1:{self.port}"
        self.device = folder / "ups.dev"
        self.says("OL CHRG")
        (folder / "ups.conf").write_text(
            f"[ups]\n  driver = dummy-ups\n  port = {self.device}\n  mode = dummy-loop\n"
            "  pollinterval = 1\n"
        )
        (folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {self.port}\nMAXAGE 3\n")
        (folder / "upsd.users").write_text("")
        self.environment = {
            **os.environ,
            **dict.fromkeys(("NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH"), str(folder)),
        }
        self.driver = self._start("dummy-ups", "-a", "ups")
        wait_until(lambda: (folder / "dummy-ups-ups").exists())
        self.server = self._start("upsd")
        wait_until(self._answers)

    def says(self, status: str) -> None:
        """What the UPS says from now on; one move, so that no half of it is read."""
        new = self.folder / "new.dev"
        new.write_text(f"ups.status: {status}\nbattery.charge: 90\n")
        new.rename(self.device)

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        user = ["-u", "root"] if os.geteuid() == 0 else []
        with open(self.folder / f"{program}.log", "wb") as log:
            return subprocess.Popen(
                [f"/lib/nut/{program}", *arguments, *user, "-FF"],
                env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip

    def _answers(self) -> bool:
        try:
            return vote_of(Nut(self.where).status()) == "present"
        except KiezboxError:
            return False

    def close(self) -> None:
        for process in (self.server, self.driver):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(10)


@pytest.fixture(scope="module")
def upsd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upsd]:
    """One for all tests, because it takes three seconds to say its first word."""
    if not all(program.exists() for program in PROGRAMS):
        pytest.skip("upsd is not installed: sudo apt install nut-server (tests/prepare)")
    folder = tmp_path_factory.mktemp("nut")
    folder.chmod(0o700)
    made = Upsd(folder)
    yield made
    made.close()


class Watched:
    """A source under test, and what it told."""

    def __init__(self, where: str) -> None:
        self.faults: list[tuple[str, str, str]] = []
        self.good: list[str] = []
        self.edges = 0
        self.source = NutSource(
            "cellar",
            parse(GridSourceSettings, {"driver": "nut", "ups": where}),
            clock=SystemClock(),
            on_edge=self._edge,
            on_fault=lambda *what: self.faults.append(what),
            on_good=self.good.append,
        )

    def _edge(self) -> None:
        self.edges += 1

    def becomes(self, vote: str) -> None:
        wait_until(lambda: self.source.vote() == vote)

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real servers in short time; the proportions stay."""
    monkeypatch.setattr(grid_nut, "ASK_S", 0.1)
    monkeypatch.setattr(grid_nut, "AGAIN_S", 0.2)
    monkeypatch.setattr(grid_nut, "PATIENCE_S", 0.5)


def test_a_real_upsd_says_when_the_grid_goes_and_when_it_is_back(upsd: Upsd) -> None:
    with Watched(upsd.where) as watched:
        watched.becomes("present")
        upsd.says("OB DISCHRG")
        watched.becomes("lost")
        upsd.says("OB DISCHRG LB")
        upsd.says("OL CHRG")
        watched.becomes("present")

    assert watched.faults == [] and watched.edges >= 3


def test_a_real_upsd_that_hears_nothing_of_its_ups_is_silent_and_not_present(upsd: Upsd) -> None:
    with Watched(upsd.where) as watched:
        watched.becomes("present")
        upsd.driver.send_signal(signal.SIGSTOP)
        watched.becomes("silent")
        wait_until(lambda: bool(watched.faults))
        assert "DATA-STALE" in watched.faults[0][1] and watched.faults[0][2]

        upsd.driver.send_signal(signal.SIGCONT)
        watched.becomes("present")
        assert watched.good[-1] == "power.grid.cellar"


def test_a_real_upsd_knows_no_ups_of_another_name(upsd: Upsd) -> None:
    with pytest.raises(KiezboxError, match="UNKNOWN-UPS") as raised:
        Nut(f"attic@127.0.0.1:{upsd.port}").status()

    assert "upsc -l" in raised.value.hint


def test_an_upsd_that_is_killed_is_silent_and_one_that_is_back_is_heard(upsd: Upsd) -> None:
    with Watched(upsd.where) as watched:
        watched.becomes("present")
        upsd.server.kill()
        upsd.server.wait(10)
        watched.becomes("silent")

        upsd.server = upsd._start("upsd")
        watched.becomes("present")


# Status words of NUT's user manual ("Status data"), as drivers combine them.
@pytest.mark.parametrize(
    ("status", "vote"),
    [
        ("OL", "present"),
        ("OL CHRG", "present"),
        ("OL BOOST", "present"),
        ("OL RB", "present"),
        ("ALARM OL", "present"),
        ("OB", "lost"),
        ("OB DISCHRG", "lost"),
        ("OB LB", "lost"),
        ("FSD OB LB", "lost"),
        ("FSD OL", "present"),
        ("OB CAL", "silent"),
        ("OL CAL", "silent"),
        ("OFF", "silent"),
        ("WAIT", "silent"),
        ("OL OB", "silent"),
        ("BYPASS", "silent"),
        ("", "silent"),
        ("OLD OBSOLETE", "silent"),
    ],
)
def test_each_status_is_a_vote(status: str, vote: str) -> None:
    assert vote_of(status) == vote


class Server:
    """Answers each line with the same bytes, and after ``hangs_up`` hangs up."""

    def __init__(self, answer: bytes | None, *, hangs_up: bool = False) -> None:
        self.answer = answer
        self.hangs_up = hangs_up
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.where = f"ups@127.0.0.1:{self.listener.getsockname()[1]}"
        self.asked: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            while True:
                connection, _ = self.listener.accept()
                with connection:
                    connection.settimeout(5)
                    self._talk(connection)
        except OSError:
            return

    def _talk(self, connection: socket.socket) -> None:
        try:
            while data := connection.recv(200):
                self.asked.append(data)
                if self.answer is not None:
                    connection.sendall(self.answer)
                if self.hangs_up:
                    return
        except OSError:
            return

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._thread.join(10)


HOSTILE = {
    "another UPS": b'VAR ups2 ups.status "OL"\n',
    "another variable": b'VAR ups battery.status "OL"\n',
    "no quotes": b"VAR ups ups.status OL\n",
    "an open quote": b'VAR ups ups.status "OL\n',
    "more behind": b'VAR ups ups.status "OL" "OB"\n',
    "two answers": b'VAR ups ups.status "OL"\nVAR ups ups.status "OL"\n',
    "no line": b"A" * 100_000,
    "zeros": b"\0" * 64 + b"\n",
    "not ASCII": 'VAR ups ups.status "ОL"\n'.encode(),
    "a web server": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "an error": b"ERR ACCESS-DENIED\n",
    "an unknown error": b"ERR " + b"X" * 300 + b"\n",
    "an empty line": b"\n",
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_upsd_is_silent_and_a_fault_and_never_a_vote(answer: bytes) -> None:
    with Server(answer) as server:
        nut = Nut(server.where)
        outcomes = []
        for _ in range(3):
            try:
                outcomes.append(vote_of(nut.status()))
            except KiezboxError as error:
                assert str(error) and error.hint and len(str(error)) < 200
                outcomes.append("error")
        nut.close()

    assert set(outcomes) <= {"error", "silent"}


@pytest.mark.parametrize("hangs_up", [False, True])
def test_a_server_that_says_nothing_costs_its_own_thread_and_nobody_else(hangs_up: bool) -> None:
    with Server(None, hangs_up=hangs_up) as server, Watched(server.where) as watched:
        began = time.monotonic()
        votes = {watched.source.vote() for _ in range(1000)}
        took_s = time.monotonic() - began
        wait_until(lambda: bool(watched.faults))

    assert votes == {"silent"} and took_s < 0.4
    assert len(watched.faults) == 1, "said once"


def test_what_was_heard_long_ago_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid_nut, "FRESH_S", 0.5)
    with Server(b'VAR ups ups.status "OL"\n') as server, Watched(server.where) as watched:
        watched.becomes("present")
        server.answer = None
        watched.becomes("silent")


def test_only_reading_is_ever_asked_for() -> None:
    with Server(b'VAR ups ups.status "OL"\n') as server:
        nut = Nut(server.where)
        for _ in range(3):
            nut.status()
        nut.close()
        wait_until(lambda: b"".join(server.asked).count(b"\n") == 3)

    assert set(b"".join(server.asked).splitlines()) == {b"GET VAR ups ups.status"}


@pytest.mark.parametrize(
    "where", ["", "ups", "ups@", "@host", "ups@host:x", "ups@host\nSET VAR", "u ps@host"]
)
def test_a_name_that_could_be_a_second_command_is_refused(where: str) -> None:
    with pytest.raises(SettingsError, match="must look like"):
        parse(GridSourceSettings, {"driver": "nut", "ups": where})


def test_a_port_and_an_ipv6_address_may_be_said() -> None:
    assert Nut("ups@[::1]:34930")._address == ("::1", 34930)
    assert Nut("ups@nas")._address == ("nas", 3493)
