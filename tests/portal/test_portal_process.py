"""``kiezbox portal`` as a process: how it starts, what stands behind it, how it ends."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from furnished import furnished
from street import (
    LIMIT_S,
    Portal,
    fresh,
    make_store,
    outage,
    portal,
    post,
    read_all,
    running,
    split,
    wait_for,
    write_facts,
)

from kiezbox.clock import SystemClock
from kiezbox.i18n import LANGUAGES
from kiezbox.portal.answers import PAGES, ROOMS
from kiezbox.store.log import Log

#: What the way to the first page must not load: each of them costs more than the page.
HEAVY = {
    "argparse", "asyncio", "collections", "dataclasses", "datetime", "email", "enum", "flask",
    "functools", "http", "httptools", "inspect", "jinja2", "json", "logging", "re", "socket",
    "sqlite3", "ssl", "threading", "tomllib", "typing", "waitress", "werkzeug", "kiezbox.clock",
    "kiezbox.model", "kiezbox.settings", "kiezbox.store", "kiezbox.units",
    # Rooms of ours that nobody needs before somebody writes, or asks for what takes long.
    "kiezbox.errors", "kiezbox.portal.asking", "kiezbox.portal.behind", "kiezbox.portal.mailroom",
}  # fmt: skip


@pytest.fixture
def box_now(box: Path) -> Path:
    """The box's folder, its facts written this moment."""
    write_facts(box / "run", fresh(outage()))
    return box


# --- the first page, and what stands behind it ----------------------------------------------------


def test_the_first_page_comes_before_anything_heavy_is_loaded(box_now: Path) -> None:
    arguments = ["--run-dir", f"{box_now}/run", "--store", f"{box_now}/kiezbox.db"]
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "kiezbox", "portal", *arguments,
         "--listen", "127.0.0.1:0"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        before = []
        for line in process.stderr:
            if "http://" in line:
                break
            before.append(line.rsplit("|", 1)[-1].strip())
        port = int(line.rsplit(":", 1)[1].strip("/\n"))
        status, _, page = Portal(process, port).ask("/")
    finally:
        process.kill()
        process.communicate(timeout=LIMIT_S)

    # What Python's own start loads (site, an editable install) is not ours to judge.
    ours = before[before.index("site") + 1 :]
    assert (status, "Warmer Raum: Turnhalle" in page.decode()) == (200, True)
    assert "kiezbox.portal.page" in ours
    assert not HEAVY & set(ours)


def test_pages_go_on_while_a_slow_one_is_made(box_now: Path) -> None:
    answers: list[bool] = []
    closing = threading.Event()
    with portal(box_now) as served:

        def hammer() -> None:
            while not closing.is_set():
                try:
                    status, _, page = served.ask("/")
                    answers.append(status == 200 and page.endswith(b"</html>"))
                except OSError:
                    answers.append(False)

        visitors = [threading.Thread(target=hammer) for _ in range(4)]
        for visitor in visitors:
            visitor.start()
        assert served.ask("/info")[0] == 200
        closing.set()
        for visitor in visitors:
            visitor.join(LIMIT_S)

    assert len(answers) >= 4
    assert all(answers)


def test_a_slow_page_that_breaks_is_one_sentence_for_the_street(box_now: Path) -> None:
    missing = box_now / "missing"
    missing.mkdir()
    (missing / "segno.py").write_text("raise RuntimeError('secret')")
    with portal(box_now, environment={"PYTHONPATH": str(missing)}) as served:
        status, _, page = served.ask("/info")

        assert status == 500
        assert b"secret" not in page and b"Traceback" not in page
        assert b"href=/" in page
        assert served.ask("/")[0] == 200


def test_the_portal_tells_nobody_what_it_is(box_now: Path) -> None:
    with portal(box_now) as served:
        asked = ("/", "/info", "/nowhere", b"GARBAGE\r\n\r\n")

        answers = [served.ask(each) for each in asked]

        assert [status for status, _, _ in answers] == [200, 200, 302, 400]
        for word in ("waitress", "werkzeug", "flask", "python"):
            assert word not in str(answers).lower()


def test_a_portal_that_nobody_visits_sleeps(box_now: Path) -> None:
    with portal(box_now) as served:
        assert served.has_slow_page()
        tasks = Path(f"/proc/{served.process.pid}/task")

        def wakes() -> int:
            """How often its threads went back to sleep (proc(5))."""
            words = "".join((task / "status").read_text() for task in tasks.iterdir())
            return sum(map(int, re.findall(r"(?m)^voluntary_ctxt_switches:\s+(\d+)", words)))

        # Its last quarter of a second awake.
        time.sleep(0.6)
        before = wakes()
        time.sleep(1.2)

        assert wakes() == before


# --- sockets -------------------------------------------------------------------------------------


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        yield listener


def handed(listener: socket.socket, box: Path, pid: str = "$$") -> list[str]:
    """The command of a shell that gives its descriptor on as systemd does (sd_listen_fds(3))."""
    command = (
        f"LISTEN_FDS=1 LISTEN_PID={pid} exec {sys.executable} -m kiezbox portal --run-dir {box}/run"
        f" --store {box}/kiezbox.db --listen 127.0.0.1:0 3<&{listener.fileno()}"
    )
    return ["bash", "-c", command]


def test_a_visitor_who_came_before_the_process_is_served_by_it(
    box_now: Path, listening: socket.socket
) -> None:
    port = listening.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as early:
        early.sendall(b"GET / HTTP/1.0\r\n\r\n")
        process = subprocess.Popen(handed(listening, box_now), pass_fds=[listening.fileno()])
        try:
            status, _, page = split(read_all(early))
        finally:
            process.kill()
            process.wait(LIMIT_S)

    assert (status, page[-7:]) == (200, b"</html>")


def test_a_socket_meant_for_another_process_is_left_alone(
    box_now: Path, listening: socket.socket
) -> None:
    process = subprocess.Popen(
        handed(listening, box_now, pid="1"),
        pass_fds=[listening.fileno()],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
    finally:
        process.kill()
        process.communicate(timeout=LIMIT_S)

    assert "http://127.0.0.1:" in line
    assert f":{listening.getsockname()[1]}/" not in line


def test_whoever_makes_its_socket_block_again_does_not_stop_it(
    box_now: Path, listening: socket.socket
) -> None:
    """systemd does, when it hands the same socket to another unit (exec_child, NonBlocking=no).

    At any moment: here all the time, while a guest has come in and has not yet said a word. Nobody
    else comes whose arrival would end the wait.
    """
    served = Portal(
        subprocess.Popen(
            handed(listening, box_now), pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL
        ),
        listening.getsockname()[1],
    )
    is_over = threading.Event()

    def meddle() -> None:
        while not is_over.is_set():
            listening.setblocking(True)

    meddler = threading.Thread(target=meddle)
    try:
        assert served.ask("/")[0] == 200

        meddler.start()
        for _ in range(20):
            with served.connect(LIMIT_S) as guest:
                assert not select.select([guest], [], [], 0.01)[0]
                guest.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert split(read_all(guest))[0] == 200
    finally:
        is_over.set()
        if meddler.ident is not None:
            meddler.join(LIMIT_S)
        served.process.kill()
        served.process.wait(LIMIT_S)


def test_what_is_handed_over_and_does_not_listen_is_refused_in_words(box_now: Path) -> None:
    with socket.socket() as idle:
        idle.set_inheritable(True)
        done = subprocess.run(
            handed(idle, box_now),
            pass_fds=[idle.fileno()],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )

    assert done.returncode == 1
    assert "does not listen for connections" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(
    shutil.which("systemd-socket-activate") is None, reason="no systemd-socket-activate here"
)
def test_systemds_own_tool_can_start_it(box_now: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", sys.executable, "-m", "kiezbox",
         "portal", "--run-dir", f"{box_now}/run", "--store", f"{box_now}/kiezbox.db"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    served = Portal(process, port)

    def answered() -> bool:
        try:
            return served.ask("/")[0] == 200
        except ConnectionRefusedError:
            return False

    try:
        wait_for(answered, "the first page")
        assert served.has_slow_page()
    finally:
        process.kill()
        process.wait(LIMIT_S)


def test_a_taken_port_is_a_sentence_that_says_what_to_do(
    box_now: Path, listening: socket.socket
) -> None:
    port = listening.getsockname()[1]
    done = subprocess.run(
        [sys.executable, "-m", "kiezbox", "portal", "--run-dir", "x", "--store", "y",
         "--listen", f"127.0.0.1:{port}"],
        capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip

    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    assert "portal.listen" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (["--listen", "8081"], 1, "no address and port"),
        (["--listen", "127.0.0.1:99999"], 1, "no address and port"),
        (["--listen", "no.such.host.invalid:80"], 1, "cannot listen"),
        (["--threads", "0"], 2, "--threads"),
        (["--colour", "red"], 2, "--colour"),
    ],
)
def test_a_wrong_call_is_explained(arguments: list[str], code: int, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kiezbox", "portal", "--run-dir", "x", "--store", "y", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )

    assert done.returncode == code
    assert words in done.stderr and "Traceback" not in done.stderr


def test_without_httptools_it_says_what_to_install(box_now: Path) -> None:
    missing = box_now / "missing" / "httptools"
    missing.mkdir(parents=True)
    (missing / "__init__.py").write_text("raise ModuleNotFoundError('no httptools here')")
    done = subprocess.run(
        [sys.executable, "-m", "kiezbox", "portal", "--run-dir", "x", "--store", "y"],
        capture_output=True, text=True, timeout=LIMIT_S,
        env={**os.environ, "PYTHONPATH": str(missing.parent)},
    )  # fmt: skip

    assert done.returncode == 1
    assert "pip install 'kiezbox[portal]'" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("address", ["[::1]:0", "localhost:0", ":0"])
def test_it_listens_on_every_form_of_address(box_now: Path, address: str) -> None:
    arguments = ["--run-dir", f"{box_now}/run", "--store", f"{box_now}/kiezbox.db"]
    if address.startswith("[") and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with running([*arguments, "--listen", address]) as served:
        host = address.rpartition(":")[0].strip("[]") or "127.0.0.1"
        with socket.create_connection((host, served.port), timeout=LIMIT_S) as visitor:
            visitor.sendall(b"GET / HTTP/1.0\r\n\r\n")

            assert split(read_all(visitor))[0] == 200


def test_the_settings_file_says_the_same_as_the_options(box_now: Path) -> None:
    settings = box_now / "kiezbox.toml"
    settings.write_text(
        f'[box]\nid = "kb-musterplatz-1"\n[store]\npath = "{box_now}/kiezbox.db"\n'
        f'run_dir = "{box_now}/run"\n[portal]\nlisten = "127.0.0.1:0"\n'
    )

    with running(["--settings", str(settings)]) as served:
        assert b"Warmer Raum: Turnhalle" in served.ask("/")[2]


def test_killed_under_load_it_loses_nobody_who_waits_at_the_door(
    box_now: Path, listening: socket.socket
) -> None:
    """systemd holds the socket: whoever comes while the process is dead is served by the next."""
    port = listening.getsockname()[1]
    closing, counted, lost = threading.Event(), [0], [0]

    def hammer() -> None:
        with contextlib.ExitStack() as links:
            link = None
            while not closing.is_set():
                try:
                    if link is None:
                        link = links.enter_context(
                            socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
                        )
                    link.sendall(b"GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    counted[0] += link.recv(65536).startswith(b"HTTP/1.1 302")
                except OSError:
                    lost[0], link = lost[0] + 1, None

    guests = [threading.Thread(target=hammer) for _ in range(4)]
    process = subprocess.Popen(
        handed(listening, box_now), pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL
    )
    try:
        for guest in guests:
            guest.start()
        wait_for(lambda: counted[0] > 50, "the load")
        process.kill()
        process.wait(LIMIT_S)
        waiting = [socket.create_connection(("127.0.0.1", port), LIMIT_S) for _ in range(50)]
        for each in waiting:
            each.sendall(b"GET / HTTP/1.0\r\n\r\n")

        process = subprocess.Popen(
            handed(listening, box_now), pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL
        )

        statuses = [split(read_all(each))[0] for each in waiting]
        for each in waiting:
            each.close()
    finally:
        closing.set()
        process.kill()
        process.wait(LIMIT_S)
        for guest in guests:
            guest.join(LIMIT_S)

    assert statuses == [200] * 50


def test_without_descriptors_left_somebody_makes_room(
    box_now: Path, listening: socket.socket
) -> None:
    command = f"ulimit -n 20; {handed(listening, box_now)[2]}"
    port = listening.getsockname()[1]
    process = subprocess.Popen(
        ["bash", "-c", command], pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL
    )
    served = Portal(process, port)
    try:
        crowding = []
        for n in range(2, 42):
            crowding.append(
                socket.create_connection(
                    ("127.0.0.1", port), timeout=LIMIT_S, source_address=(f"127.0.0.{n}", 0)
                )
            )
            crowding[-1].sendall(b"GET / HTTP/1.1\r\n")

        assert [served.ask("/nowhere")[0] for _ in range(5)] == [302] * 5

        for each in crowding:
            each.close()
        wait_for(lambda: "Stromausfall" in served.ask("/")[2].decode(), "the page as it was", 3)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait(LIMIT_S)


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here")
def test_curl_unpacks_the_page_with_the_guests_token_in_it(box_now: Path) -> None:
    with portal(box_now) as served:
        pages = [
            subprocess.run(
                ["curl", "--silent", "--show-error", *packed, f"http://127.0.0.1:{served.port}/"],
                capture_output=True, timeout=LIMIT_S, check=True, text=True,
            ).stdout
            for packed in ([], ["--compressed"])
        ]  # fmt: skip

    plain, unpacked = (
        re.sub(r"(name=token value=)\"[0-9a-f]{40}\"", r"\1", page) for page in pages
    )
    assert plain == unpacked
    assert "name=token value=>" in plain


def test_asked_for_every_room_in_every_language_it_stays_below_40_mib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    paths = [f"/{language}/{room}" for room in (*ROOMS, *PAGES) for language in LANGUAGES]
    with furnished(tmp_path) as served:
        for path in ["/situation.geojson", "/air/week/roof/temperature_c", "/where/map", *paths]:
            assert served.ask(path)[0] in (200, 302, 404), path

        rollup = Path(f"/proc/{served.process.pid}/smaps_rollup").read_text()

    (rss_kib,) = re.findall(r"Rss:\s+(\d+) kB", rollup)
    assert int(rss_kib) / 1024 < 40


# --- its end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_ends_at_once_and_without_complaint(
    box_now: Path, sign: signal.Signals
) -> None:
    with portal(box_now) as served:
        assert served.has_slow_page()

        served.process.send_signal(sign)

        assert served.process.wait(LIMIT_S) == 0
        assert served.process.stderr is not None
        assert served.process.stderr.read() == ""


def test_systemd_is_told_when_the_door_is_open(box_now: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(box_now / "notify"))
        systemd.settimeout(LIMIT_S)
        with portal(box_now, environment={"NOTIFY_SOCKET": str(box_now / "notify")}):
            assert systemd.recv(100) == b"READY=1"


# --- what it may not have ------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["missing", "damaged", "locked"])
def test_it_answers_whatever_became_of_the_log_of_words(box_now: Path, state: str) -> None:
    store = box_now / "words" / "words.db"
    holder = None
    if state == "missing":
        store.unlink()
    elif state == "damaged":
        store.write_bytes(os.urandom(8192))
    else:
        import sqlite3

        holder = sqlite3.connect(store, isolation_level=None)
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
    with portal(box_now) as served:
        for _ in range(2):
            began = time.monotonic()
            status, _, page = served.ask("/")

            assert status == 200
            assert "Stromausfall" in page.decode()
            assert "Mitteilungen kann diese Box gerade nicht lesen." in page.decode()
            assert time.monotonic() - began < 2
            assert served.has_slow_page()
    if holder:
        holder.close()


PYTHONS = [sys.executable, "/usr/bin/python3"]


@pytest.fixture
def nobodys_python() -> tuple[str, dict[str, str]]:
    """An interpreter that the user nobody can run, with what it needs on its path."""
    if os.geteuid() != 0:
        pytest.skip("only root can become nobody")
    root = Path(__file__).resolve().parents[2]
    site = [path for path in sys.path if path.endswith("site-packages")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *site])}
    for python in PYTHONS:
        try:
            subprocess.run(
                [python, "-c", "import httptools, kiezbox.store"],
                env=environment, user="nobody", group="nogroup", cwd="/", check=True,
                capture_output=True, timeout=LIMIT_S,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            continue
        return python, environment
    pytest.skip(f"the user nobody can run neither of {PYTHONS} with this checkout")


@pytest.mark.parametrize("node", ["running", "stopped", "killed"])
def test_the_user_nobody_can_serve_and_can_write_nothing(
    nobodys_python: tuple[str, dict[str, str]], node: str
) -> None:
    python, environment = nobodys_python
    folder = Path(tempfile.mkdtemp(prefix="kiezbox-nobody-"))
    folder.chmod(0o755)
    log = None
    try:
        write_facts(folder / "run", fresh(outage()))
        make_store(folder, None)
        post(folder, "Suppe")
        path = folder / "words" / "words.db"
        if node != "stopped":
            log = Log.open(str(path), SystemClock())
        post(folder, "Wasser am Platz")
        for file in folder.rglob("*"):
            file.chmod(0o755 if stat.S_ISDIR(file.stat().st_mode) else 0o644)
        if node == "killed":
            # As after kill -9: the WAL lies there and nobody holds it.
            for left in list(path.parent.glob("words.db-*")):
                shutil.copy(left, path.parent / f"{left.name}.left")
            assert log is not None
            log.close()
            log = None
            for left in path.parent.glob("*.left"):
                left.rename(path.parent / left.name.removesuffix(".left"))
        process = subprocess.Popen(
            [python, "-m", "kiezbox", "portal", "--run-dir", f"{folder}/run",
             "--store", f"{folder}/kiezbox.db", "--listen", "127.0.0.1:0"],
            env=environment, user="nobody", group="nogroup", extra_groups=[], cwd="/",
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            match = re.search(r":(\d+)/", process.stderr.readline())
            assert match is not None
            served = Portal(process, int(match[1]))
            assert "Wasser am Platz" in served.ask("/")[2].decode()
            assert served.has_slow_page()
            assert "Wasser am Platz" in served.ask("/en")[2].decode()
            assert b'"bulletins": "readable"' in served.ask("/healthz")[2]
        finally:
            process.kill()
            process.communicate(timeout=LIMIT_S)
    finally:
        if log is not None:
            log.close()
        shutil.rmtree(folder)
