"""GPS through gpsd: a real gpsd on the simulated receiver, and one that misbehaves."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts.haste import HASTE_S
from contracts.rig import Rig, wait_until

from kiezbox.errors import SensorError, SensorMissing, SettingsError
from kiezbox.hardware.simulated.gps import SimulatedGps
from kiezbox.sensors import gps
from kiezbox.settings import parse

GPSD = shutil.which("gpsd") or shutil.which("/usr/sbin/gpsd")
needs_gpsd = pytest.mark.skipif(GPSD is None, reason="no gpsd here: apt install gpsd")

BERLIN = (52.5148, 13.4643)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def receiver(rig: Rig) -> SimulatedGps:
    made = SimulatedGps(burst_s=0.1)
    rig.bench.attach_serial("ttyUSB0", made)
    return made


@pytest.fixture
def gpsd(rig: Rig, receiver: SimulatedGps) -> Iterator[int]:
    """A real gpsd that has the simulated receiver; its TCP port."""
    assert GPSD is not None
    port = free_port()
    command = [GPSD, "-N", "-n", "-S", str(port), f"{rig.bench.folder}/ttyUSB0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: can_connect(port))
        yield port
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def can_connect(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@needs_gpsd
def test_what_gpsd_makes_of_the_simulated_receiver_is_where_and_when_it_is(
    receiver: SimulatedGps, gpsd: int
) -> None:
    receiver.place(*BERLIN)
    with socket.create_connection(("127.0.0.1", gpsd), 5) as line:
        line.settimeout(10)
        line.sendall(b'?WATCH={"enable":true,"json":true};\n')
        with line.makefile() as lines:
            said = next(
                one
                for one in map(json.loads, lines)
                if one["class"] == "TPV" and one.get("mode") == 3
            )

    assert (said["lat"], said["lon"]) == pytest.approx(BERLIN, abs=1e-6)
    assert said["time"][:13] == gps_hour()


def gps_hour() -> str:
    import time

    return time.strftime("%Y-%m-%dT%H", time.gmtime())


@needs_gpsd
def test_a_receiver_that_gpsd_has_is_read_through_gpsd(
    rig: Rig, receiver: SimulatedGps, gpsd: int
) -> None:
    receiver.place(*BERLIN)
    reader = rig.reader("gps", {"port": f"gpsd:127.0.0.1:{gpsd}"})

    assert [one.value for one in reader.read()] == [9.0]
    receiver.set(5)
    wait_until(lambda: [one.value for one in reader.read()] == [5.0])
    fix = reader.sensor.last_fix
    assert fix.time is not None and fix.is_measured
    assert (fix.latitude, fix.longitude) == pytest.approx(BERLIN, abs=1e-6)


def test_without_a_gpsd_it_is_missing_and_says_what_to_do(rig: Rig) -> None:
    reader = rig.reader("gps", {"port": f"gpsd:127.0.0.1:{free_port()}"})

    with pytest.raises(SensorMissing, match="does not answer") as raised:
        reader.read()

    assert "systemctl status gpsd" in raised.value.hint


class Listener:
    """A gpsd of our own that says what it is told to."""

    def __init__(self, says: bytes, *, hangs_up: bool) -> None:
        self._says, self._hangs_up = says, hangs_up
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.heard = b""
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.heard = client.recv(100)
            client.sendall(self._says)
            if self._hangs_up:
                client.close()
            else:
                self._held.append(client)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)
        for client in self._held:
            client.close()


@pytest.mark.parametrize(
    ("says", "hangs_up", "words"),
    [
        (b"", True, "hung up|is gone"),
        (b'{"class":"VERSION","release":"3.22"}\r\n', False, "says nothing|no whole frame"),
        (b'{"class":"VERSION"}\r\n$GPGGA,1,2*00\r\n', True, "hung up|is gone"),
    ],
)
def test_a_gpsd_that_has_no_receiver_or_hangs_up_is_a_fault(
    rig: Rig, says: bytes, hangs_up: bool, words: str
) -> None:
    server = Listener(says, hangs_up=hangs_up)
    try:
        reader = rig.reader("gps", {"port": f"gpsd:127.0.0.1:{server.port}"})
        with pytest.raises(SensorError, match=words) as raised:
            reader.read(deadline_s=HASTE_S)
        assert raised.value.hint
        # gpsd_json(5), "?WATCH".
        assert server.heard == b'?WATCH={"enable":true,"nmea":true};\r\n'
    finally:
        reader.close()
        server.close()


@pytest.mark.parametrize(
    ("port", "is_right"),
    [("gpsd:", True), ("gpsd::2948", True), ("gpsd:10.0.0.1:2947", True), ("gpsd:host", False)],
)
def test_an_address_of_gpsd_is_checked(port: str, is_right: bool, tmp_path: Path) -> None:
    table = {"driver": "gps", "port": port}
    if is_right:
        assert parse(gps.Settings, table).port == port
    else:
        with pytest.raises(SettingsError, match="gpsd:HOST:PORT"):
            parse(gps.Settings, table)
