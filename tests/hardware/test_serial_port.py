"""A serial sensor at the end of a cable: unchanged pyserial on a pseudo-terminal."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from bench_parts import Parrot, deadline, wait_until

from kiezbox.errors import SensorError, SensorMissing, SensorTimeout
from kiezbox.hardware.box import BoxHardware
from kiezbox.hardware.serial_port import open_port
from kiezbox.hardware.simulated.bench import Bench


def test_what_is_asked_is_answered_byte_for_byte(bench: Bench, box: BoxHardware) -> None:
    # Every value, because a terminal that is not raw eats or doubles some (3, 10, 13, 17, 255).
    every_byte = bytes(range(256))
    port = box.serial(bench.attach_serial("ttyUSB0", Parrot()), 9600, deadline(10))

    port.write(every_byte)
    heard = b""
    while len(heard.replace(b"><", b"")) < 258:
        part = port.read(258)
        assert part, f"only {len(heard)} bytes came"
        heard += part
    port.close()

    # The bytes may reach the device in several pieces, each answered in brackets of its own.
    assert heard.replace(b"><", b"") == b"<" + every_byte + b">"


def test_what_a_sensor_sends_by_itself_arrives(bench: Bench, box: BoxHardware) -> None:
    parrot = Parrot()
    port = box.serial(bench.attach_serial("ttyUSB0", parrot), 9600, deadline(10))

    parrot.to_say = b"\xaa\xc0\xab"

    assert port.read(3) == b"\xaa\xc0\xab"
    port.close()


def test_a_read_of_a_silent_port_returns_within_a_second(bench: Bench, box: BoxHardware) -> None:
    port = box.serial(bench.attach_serial("ttyUSB0", Parrot()), 9600, deadline(10))
    began = time.monotonic()

    assert port.read(10) == b""

    assert time.monotonic() - began < 1.5
    port.close()


def test_a_driver_that_reads_for_ever_is_ended_by_its_deadline(
    bench: Bench, box: BoxHardware
) -> None:
    port = box.serial(bench.attach_serial("ttyUSB0", Parrot()), 9600, deadline(0.1))
    began = time.monotonic()

    with pytest.raises(SensorTimeout):
        while True:
            port.read(1)

    assert time.monotonic() - began < 3
    port.close()


def test_a_pulled_cable_is_an_error_and_plugged_in_again_works_under_the_same_name(
    bench: Bench, box: BoxHardware
) -> None:
    path = bench.attach_serial("ttyUSB0", Parrot())
    port = box.serial(path, 9600, deadline(10))

    bench.fault("ttyUSB0", "unplug")
    with pytest.raises(SensorMissing, match="ttyUSB0 is gone") as gone:
        port.read(1)
    with pytest.raises(SensorMissing):
        port.write(b"?")
    with pytest.raises(SensorMissing):
        port.reset_input_buffer()
    with pytest.raises(SensorMissing, match="there is no such port"):
        box.serial(path, 9600, deadline(10))
    port.close()
    bench.fault("ttyUSB0", None)
    again = box.serial(path, 9600, deadline(10))
    again.write(b"hi")

    assert again.read(4) == b"<hi>"
    assert "cable" in gone.value.hint
    again.close()


def test_a_cable_pulled_while_a_read_waits_ends_the_read(bench: Bench, box: BoxHardware) -> None:
    import threading

    port = box.serial(bench.attach_serial("ttyUSB0", Parrot()), 9600, deadline(10))
    puller = threading.Timer(0.1, bench.fault, ("ttyUSB0", "unplug"))
    puller.start()

    with pytest.raises(SensorMissing):
        while True:
            port.read(1)

    puller.join(5)
    port.close()


def test_two_programs_cannot_have_one_port(bench: Bench, box: BoxHardware) -> None:
    path = bench.attach_serial("ttyUSB0", Parrot())
    port = box.serial(path, 9600, deadline(10))

    with pytest.raises(SensorError, match="another program has it") as caught:
        box.serial(path, 9600, deadline(10))

    assert "fuser" in caught.value.hint
    port.close()


def test_a_port_that_does_not_exist_says_what_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(SensorMissing, match="there is no such port") as caught:
        open_port(str(tmp_path / "ttyUSB7"), 9600, deadline(5))

    assert "/dev/serial/by-id" in caught.value.hint


def test_a_file_that_is_no_port_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SensorError, match="it is not a serial port"):
        open_port(str(tmp_path / "file"), 9600, deadline(5))


def test_a_port_that_may_not_be_opened_names_the_group(as_nobody: None, root_file: Path) -> None:
    with pytest.raises(SensorError, match="permission denied") as caught:
        open_port(str(root_file), 9600, deadline(5))

    assert "usermod -aG dialout kiezbox" in caught.value.hint


def test_a_port_is_not_opened_after_the_deadline(bench: Bench, box: BoxHardware) -> None:
    path = bench.attach_serial("ttyUSB0", Parrot())

    with pytest.raises(SensorTimeout):
        box.serial(path, 9600, deadline(-1))


@pytest.mark.parametrize(
    ("kind", "arrives"),
    [
        ("cut", b"abcde"),
        # The same generator as the fault's, seeded alike: as many bytes, but any.
        ("garbage", random.Random(1).randbytes(10)),
        ("silence", b""),
    ],
)
def test_what_arrives_over_a_bad_line(
    bench: Bench, box: BoxHardware, kind: str, arrives: bytes
) -> None:
    parrot = Parrot()
    port = box.serial(bench.attach_serial("ttyUSB0", parrot), 9600, deadline(10))
    bench.fault("ttyUSB0", kind)

    parrot.to_say = b"abcdefghij"
    bad = port.read(max(1, len(arrives)))
    bench.fault("ttyUSB0", None)
    parrot.to_say = b"whole again"

    assert bad == arrives
    assert port.read(11) == b"whole again"
    port.close()


def test_a_device_does_not_hear_its_own_words_while_nobody_has_the_port_open(
    bench: Bench, box: BoxHardware
) -> None:
    class Listener(Parrot):
        heard = b""

        def received(self, data: bytes) -> bytes:
            self.heard += data
            return b""

    listener = Listener()
    path = bench.attach_serial("ttyUSB0", listener)
    listener.to_say = b"\xaa\xc0\n\xab"
    assert wait_until(lambda: listener.to_say == b"")

    port = box.serial(path, 9600, deadline(10))
    port.write(b"asked")

    assert wait_until(lambda: len(listener.heard) >= 5)
    assert listener.heard == b"asked"
    port.close()


def test_bytes_that_nobody_reads_are_lost_and_the_bench_goes_on(
    bench: Bench, box: BoxHardware
) -> None:
    parrot = Parrot()
    path = bench.attach_serial("ttyUSB0", parrot)
    for _ in range(3):
        parrot.to_say = bytes(100_000)
        assert wait_until(lambda: parrot.to_say == b"")

    port = box.serial(path, 9600, deadline(10))  # pyserial empties the buffer as it opens
    port.write(b"hi")

    assert port.read(4) == b"<hi>"
    port.close()


def test_a_broken_device_model_does_not_end_its_line(
    bench: Bench, box: BoxHardware, caplog: pytest.LogCaptureFixture
) -> None:
    class Fragile(Parrot):
        def received(self, data: bytes) -> bytes:
            if data == b"!":
                raise ZeroDivisionError
            return super().received(data)

    port = box.serial(bench.attach_serial("ttyUSB0", Fragile()), 9600, deadline(10))

    port.write(b"!")
    assert wait_until(lambda: "failed" in caplog.text)
    port.write(b"hi")

    assert port.read(4) == b"<hi>"
    port.close()


def test_a_closed_bench_takes_its_ports_along() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        bench.attach_serial("ttyUSB0", Parrot())
        bench.attach_serial("ttyUSB1", Parrot())
        bench.fault("ttyUSB1", "unplug")

        bench.close()

        assert os.listdir(folder) == []
