"""The three I2C buses are one to a driver: in this process, over the bench's socket, in Linux.

For Linux's, smbus2 builds its real messages and a kernel of our own takes them at the ioctl;
the real kernel is asked in tests/beds/uml.
"""

from __future__ import annotations

import ctypes
import errno
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import adafruit_bme280.basic
import pytest
import smbus2
from adafruit_bus_device.i2c_device import I2CDevice
from bench_parts import REFUSING, Registers, deadline, threads, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbox.errors import SensorMissing, SensorTimeout
from kiezbox.hardware import I2C, i2c_linux, i2c_view
from kiezbox.hardware.box import BoxHardware
from kiezbox.hardware.i2c_linux import LinuxBus
from kiezbox.hardware.i2c_view import TRANSACTION_S, BusLock, BusView
from kiezbox.hardware.i2c_wire import WireBus
from kiezbox.hardware.simulated.bench import Bench
from kiezbox.hardware.simulated.bus import SimulatedBus

PRESENT, ABSENT = (0x10, 0x76), 0x50

# --- every bus gives the same answers ------------------------------------------------------------


class FakeKernel:
    """What ``ioctl`` does on an I2C bus (linux/i2c-dev.h), with simulated chips behind it."""

    FUNCS, RDWR = 0x0705, 0x0707
    READ = 0x0001

    def __init__(self, chips: SimulatedBus, nack: int = errno.ENXIO) -> None:
        self.chips = chips
        self.nack = nack
        self.calls: list[list[tuple[int, int, int]]] = []

    def ioctl(self, fd: int, request: int, argument: Any) -> int:
        if request == self.FUNCS:
            argument.value = 1
            return 0
        assert request == self.RDWR
        messages = argument.msgs[: argument.nmsgs]
        self.calls.append([(m.addr, m.flags, m.len) for m in messages])
        for message in messages:
            try:
                if message.flags & self.READ:
                    data = self.chips.transfer(message.addr, None, message.len)
                    ctypes.memmove(message.buf, data, message.len)
                else:
                    out = ctypes.string_at(message.buf, message.len)
                    self.chips.transfer(message.addr, out, None)
            except OSError as error:
                raise OSError(self.nack, "ioctl") from error
        return len(messages)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    kernel = FakeKernel(SimulatedBus())
    monkeypatch.setattr(smbus2.smbus2, "ioctl", kernel.ioctl)
    return kernel


Transaction = Callable[[I2C], Any]


def outcome(bus: I2C, transaction: tuple[int, bytes | None, int | None]) -> bytes | int:
    """What a driver gets: the bytes read, or the error's number."""
    address, out, count = transaction
    answer = bytearray(count or 0)
    try:
        if out is None:
            bus.readfrom_into(address, answer)
        elif count is None:
            bus.writeto(address, out)
        else:
            bus.writeto_then_readfrom(address, out, answer)
    except OSError as error:
        return error.errno or 0
    return bytes(answer)


parts = st.tuples(
    st.one_of(st.none(), st.binary(max_size=40)), st.one_of(st.none(), st.integers(1, 40))
)
transactions = st.lists(
    st.builds(
        lambda address, part: (address, *part),
        st.sampled_from([*PRESENT, ABSENT]),
        parts.filter(lambda part: part != (None, None)),
    ),
    max_size=12,
)


def solder(bus: SimulatedBus) -> SimulatedBus:
    for seed, address in enumerate(PRESENT):
        bus.attach(address, Registers(seed))
    return bus


@pytest.fixture(scope="module")
def shared_bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder, Bench(folder) as bench:
        yield bench


@given(transactions)
@settings(max_examples=150, deadline=None)
def test_over_the_socket_a_driver_gets_what_it_gets_in_the_same_process(
    shared_bench: Bench, sequence: list[tuple[int, bytes | None, int | None]]
) -> None:
    direct = solder(SimulatedBus())
    solder(shared_bench.bus)
    bus = WireBus(shared_bench.address.removeprefix("sim:"))
    view = BusView(bus, BusLock(), deadline(10))

    got = [outcome(view, transaction) for transaction in sequence]
    bus.close()

    assert got == [outcome(direct, transaction) for transaction in sequence]


@given(transactions)
@settings(max_examples=150, deadline=None)
def test_through_linux_a_driver_gets_what_it_gets_in_the_same_process(
    sequence: list[tuple[int, bytes | None, int | None]],
) -> None:
    direct = solder(SimulatedBus())
    kernel = FakeKernel(solder(SimulatedBus()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smbus2.smbus2, "ioctl", kernel.ioctl)
        bus = LinuxBus("/dev/null")
        view = BusView(bus, BusLock(), deadline(10))

        got = [outcome(view, transaction) for transaction in sequence]
        bus.close()

    assert got == [outcome(direct, transaction) for transaction in sequence]


def test_linux_gets_a_write_and_the_read_after_it_as_one_transfer(kernel: FakeKernel) -> None:
    solder(kernel.chips)
    view = BusView(LinuxBus("/dev/null"), BusLock(), deadline(5))

    view.writeto_then_readfrom(0x76, b"\xd0", bytearray(3))

    assert kernel.calls == [[(0x76, 0, 1), (0x76, FakeKernel.READ, 3)]]


@pytest.mark.parametrize("number", [errno.ENXIO, errno.EREMOTEIO])
def test_either_of_linuxs_words_for_no_acknowledge_is_error_121(
    kernel: FakeKernel, number: int
) -> None:
    kernel.nack = number
    view = BusView(LinuxBus("/dev/null"), BusLock(), deadline(5))

    with pytest.raises(OSError) as caught:
        view.writeto(ABSENT, b"")

    assert caught.value.errno == 121


def test_another_error_of_linux_stays_what_it_is(kernel: FakeKernel) -> None:
    kernel.nack = errno.EIO
    view = BusView(LinuxBus("/dev/null"), BusLock(), deadline(5))

    with pytest.raises(OSError) as caught:
        view.writeto(ABSENT, b"")

    assert caught.value.errno == errno.EIO


def test_a_bus_that_is_not_there_says_how_to_switch_it_on(tmp_path: Path) -> None:
    with pytest.raises(SensorMissing, match="there is no such bus") as caught:
        LinuxBus(str(tmp_path / "i2c-1"))

    assert "raspi-config" in caught.value.hint


def test_a_file_that_is_no_bus_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SensorMissing, match="not an I2C bus"):
        LinuxBus(str(tmp_path / "file"))


def test_a_bus_that_may_not_be_opened_names_the_group(as_nobody: None, root_file: Path) -> None:
    with pytest.raises(SensorMissing, match="permission denied") as caught:
        LinuxBus(str(root_file))

    assert "usermod -aG i2c kiezbox" in caught.value.hint


def test_a_closed_bus_is_an_error_in_words_for_a_reader_that_comes_late(
    kernel: FakeKernel, bench: Bench
) -> None:
    for bus in (LinuxBus("/dev/null"), WireBus(bench.address.removeprefix("sim:"))):
        bus.close()

        with pytest.raises(SensorMissing):
            bus.transfer(0x76, b"", None, 1.0)


def test_only_the_named_part_of_a_buffer_travels(bench: Bench, box: BoxHardware) -> None:
    bench.attach(0x76, Registers())
    view = box.i2c(deadline(5))
    answer = bytearray(b"......")

    view.writeto_then_readfrom(
        0x76, b"\x00\x20\x00", answer, out_start=1, out_end=2, in_start=2, in_end=4
    )

    assert answer == b".." + bytes([7 * 0x20, 7 * 0x21]) + b".."


def test_a_scan_finds_what_is_soldered_in(bench: Bench, box: BoxHardware) -> None:
    solder(bench.bus)

    assert box.i2c(deadline(5)).scan() == [0x10, 0x76]


def test_a_driver_looking_for_an_absent_device_is_told_so_by_its_own_library(
    box: BoxHardware,
) -> None:
    with pytest.raises(ValueError, match="No I2C device at address: 0x50"):
        I2CDevice(box.i2c(deadline(5)), ABSENT)


def test_a_chip_that_refuses_one_register_answers_the_next(bench: Bench, box: BoxHardware) -> None:
    bench.attach(0x76, Registers())
    view = box.i2c(deadline(5))

    assert outcome(view, (0x76, bytes([REFUSING]), 1)) == 121
    assert outcome(view, (0x76, b"\x01", 1)) == b"\x07"


# --- deadlines and the lock ----------------------------------------------------------------------


class StuckBme280(Registers):
    """Its status register says "measuring" for ever; the Adafruit driver believes it."""

    def __init__(self) -> None:
        super().__init__()
        self.cells[0xD0] = 0x60

    def read(self, count: int) -> bytes:
        self.cells[0xF3] = 0xFF
        return super().read(count)


def test_a_driver_that_waits_for_ever_on_a_stuck_status_is_ended_by_its_deadline(
    bench: Bench, box: BoxHardware
) -> None:
    bench.attach(0x77, StuckBme280())
    limit = deadline(10)
    sensor = adafruit_bme280.basic.Adafruit_BME280_I2C(box.i2c(limit))
    limit.start(0.3)
    began = time.monotonic()

    with pytest.raises(SensorTimeout, match="no complete reading within 0.3 s"):
        sensor.temperature  # noqa: B018

    assert time.monotonic() - began < 2


def test_after_the_deadline_nothing_reaches_the_bus(kernel: FakeKernel) -> None:
    solder(kernel.chips)
    view = BusView(LinuxBus("/dev/null"), BusLock(), deadline(-1))

    with pytest.raises(SensorTimeout):
        view.writeto(0x76, b"\xf4\x25")

    assert kernel.calls == []


def test_a_driver_that_died_holding_the_bus_loses_it_at_its_deadline(
    bench: Bench, box: BoxHardware
) -> None:
    bench.attach(0x76, Registers())
    assert box.i2c(deadline(0.3)).try_lock()

    with I2CDevice(box.i2c(deadline(5)), 0x76) as device:
        answer = bytearray(1)
        device.readinto(answer)

    assert answer == b"\x00"


def test_a_late_unlock_does_not_take_the_bus_from_the_next_driver(box: BoxHardware) -> None:
    late, holder, other = box.i2c(deadline(0.05)), box.i2c(deadline(5)), box.i2c(deadline(0.2))
    assert late.try_lock()
    assert holder.try_lock()

    late.unlock()

    assert not other.try_lock()


def test_a_driver_waiting_for_the_bus_gives_up_at_its_own_deadline(box: BoxHardware) -> None:
    holder, waiting = box.i2c(deadline(10)), box.i2c(deadline(0.2))
    assert holder.try_lock()
    began = time.monotonic()

    with pytest.raises(SensorTimeout):
        while not waiting.try_lock():
            pass

    assert time.monotonic() - began < 2


def test_a_chip_that_hangs_costs_half_a_second_and_the_other_answers(
    bench: Bench, box: BoxHardware
) -> None:
    solder(bench.bus)
    hung, other = box.i2c(deadline(10)), box.i2c(deadline(10))
    bench.fault(0x76, "hang")
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        hung.writeto(0x76, b"")
    answer = outcome(other, (0x10, b"\x01", 1))

    assert answer == b"\x07"
    assert time.monotonic() - began < 3


class Turns:
    """Who gets the bus, in which order; each asks in a thread of its own."""

    def __init__(self, lock: BusLock) -> None:
        self._lock = lock
        self.order: list[str] = []
        self._threads: list[threading.Thread] = []

    def ask(self, name: str, view: BusView) -> None:
        """Ask, and be in the queue when this returns."""

        def take() -> None:
            while not self._lock.acquire(view):
                pass
            self.order.append(name)
            self._lock.release(view)

        waiting = len(self._lock._waiting)
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        self._threads.append(thread)
        until = time.monotonic() + 5
        while len(self._lock._waiting) <= waiting and time.monotonic() < until:
            time.sleep(0.001)

    def end(self) -> list[str]:
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        return self.order


def view_on(lock: BusLock, seconds: float = 10) -> BusView:
    return BusView(SimulatedBus(), lock, deadline(seconds))


def test_the_bus_goes_round_in_the_order_in_which_it_was_asked_for() -> None:
    lock = BusLock()
    holder, turns = view_on(lock), Turns(lock)
    assert lock.acquire(holder)
    for name in ("first", "second", "third"):
        turns.ask(name, view_on(lock))

    lock.release(holder)

    assert turns.end() == ["first", "second", "third"]


def test_a_sensor_that_was_slow_lets_the_others_go_first_until_it_is_quick_again() -> None:
    lock = BusLock()
    holder, slow = view_on(lock), view_on(lock)
    for seconds, expected in ((0.3, ["quick", "slow"]), (0.001, ["slow", "quick"])):
        lock.took(slow, seconds)
        assert lock.acquire(holder)
        turns = Turns(lock)
        turns.ask("slow", slow)
        turns.ask("quick", view_on(lock))
        lock.release(holder)
        assert turns.end() == expected


def test_a_slow_sensor_does_not_slip_into_the_pauses_of_a_quick_ones_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(i2c_view, "QUIET_S", 0.5)  # so that a slow machine fails nothing
    lock = BusLock()
    quick, slow, turns = view_on(lock), view_on(lock), Turns(lock)
    lock.took(slow, 0.3)
    assert lock.acquire(quick)
    turns.ask("slow", slow)

    for n in range(5):
        lock.took(quick, 0.001)
        lock.release(quick)
        time.sleep(0.005)  # what a driver waits for a conversion
        assert lock.acquire(quick)
        turns.order.append(f"quick {n}")
    lock.release(quick)

    assert turns.end() == [*(f"quick {n}" for n in range(5)), "slow"]


def test_a_slow_sensor_gives_way_between_two_of_its_transactions() -> None:
    lock = BusLock()
    slow, turns = view_on(lock), Turns(lock)
    lock.took(slow, 0.3)
    assert lock.acquire(slow)
    turns.ask("quick", view_on(lock))

    lock.give_way(slow)

    assert turns.end() == ["quick"]
    assert lock.holds(slow)


def test_where_all_are_slow_they_take_turns() -> None:
    lock = BusLock()
    holder, turns = view_on(lock), Turns(lock)
    assert lock.acquire(holder)
    for name in ("first", "second"):
        view = view_on(lock)
        lock.took(view, 0.3)
        turns.ask(name, view)

    lock.release(holder)

    assert turns.end() == ["first", "second"]


def test_a_library_that_knocks_twice_at_a_hanging_chip_waits_once(
    bench: Bench, box: BoxHardware
) -> None:
    bench.attach(0x76, Registers())
    bench.fault(0x76, "hang")
    began = time.monotonic()

    with pytest.raises(ValueError, match="No I2C device"):
        I2CDevice(box.i2c(deadline(10)), 0x76)

    assert time.monotonic() - began < 2 * TRANSACTION_S


def test_linux_is_asked_to_give_a_transaction_up_as_soon_as_we_do(
    kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(
        i2c_linux.fcntl, "ioctl", lambda fd, request, value: asked.append((request, value))
    )

    LinuxBus("/dev/null").close()

    # linux/i2c-dev.h: I2C_TIMEOUT, "in units of 10 ms".
    assert asked == [(0x0702, round(TRANSACTION_S / 0.01))]


def test_a_chip_that_hung_answers_again_once_it_lets_go(bench: Bench, box: BoxHardware) -> None:
    bench.attach(0x76, Registers())
    view = box.i2c(deadline(10))
    bench.fault(0x76, "hang")
    with pytest.raises(TimeoutError):
        view.writeto(0x76, b"")

    bench.fault(0x76, None)

    assert outcome(view, (0x76, b"\x02", 2)) == bytes([14, 21])


def test_a_chip_that_lets_go_in_time_finishes_its_transaction(
    bench: Bench, box: BoxHardware
) -> None:
    bench.attach(0x76, Registers())
    bench.fault(0x76, "hang")
    mender = threading.Timer(0.1, bench.fault, (0x76, None))
    mender.start()

    answer = outcome(box.i2c(deadline(5)), (0x76, b"\x02", 2))

    assert answer == bytes([14, 21])
    mender.join(5)


def test_a_hang_longer_than_the_deadline_is_a_timeout_in_our_words(
    bench: Bench, box: BoxHardware
) -> None:
    bench.attach(0x76, Registers())
    bench.fault(0x76, "hang")

    with pytest.raises(SensorTimeout):
        box.i2c(deadline(0.2)).writeto(0x76, b"")


# --- the other side goes away --------------------------------------------------------------------


def test_a_client_killed_inside_a_transaction_leaves_the_bench_working(
    bench: Bench, box: BoxHardware
) -> None:
    bench.attach(0x76, Registers())
    bench.fault(0x76, "hang")
    program = (
        "import sys; from kiezbox.hardware.i2c_wire import WireBus\n"
        "print('begins', flush=True); WireBus(sys.argv[1]).transfer(0x76, b'', None, 60)"
    )
    path = bench.address.removeprefix("sim:")
    client = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE)
    assert client.stdout is not None
    assert client.stdout.readline() == b"begins\n"
    assert wait_until(lambda: threads("bench-client") == 1)

    client.kill()
    client.communicate(timeout=10)

    assert wait_until(lambda: threads("bench-client") == 0), "its thread hangs on"
    bench.fault(0x76, None)
    assert outcome(box.i2c(deadline(5)), (0x76, b"\x01", 1)) == b"\x07"


def test_a_bench_that_is_gone_is_a_missing_sensor_and_comes_back_by_itself() -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = Bench(folder)
        first.attach(0x76, Registers())
        bus = WireBus(first.address.removeprefix("sim:"))
        bus.transfer(0x76, b"", None, 1.0)

        first.close()
        with pytest.raises(SensorMissing, match="does not answer"):
            bus.transfer(0x76, b"", None, 1.0)

        with Bench(folder) as second:
            second.attach(0x76, Registers())
            assert bus.transfer(0x76, b"\x01", 1, 1.0) == b"\x07"
        bus.close()


# --- faults --------------------------------------------------------------------------------------


def test_a_vanished_chip_does_not_acknowledge_until_it_is_back(
    bench: Bench, box: BoxHardware
) -> None:
    bench.attach(0x76, Registers())
    view = box.i2c(deadline(5))

    bench.fault(0x76, "vanish")
    gone = outcome(view, (0x76, b"\x01", 1))
    bench.fault(0x76, None)

    assert (gone, outcome(view, (0x76, b"\x01", 1))) == (121, b"\x07")


def test_every_third_transaction_fails_on_a_bad_contact(bench: Bench, box: BoxHardware) -> None:
    bench.attach(0x76, Registers())
    view = box.i2c(deadline(5))
    bench.fault(0x76, "every_nth_error", n=3)

    answers = [outcome(view, (0x76, b"\x01", 1)) for _ in range(6)]

    assert answers == [b"\x07", b"\x07", 121, b"\x07", b"\x07", 121]


def test_a_slow_chip_takes_its_time_and_answers(bench: Bench, box: BoxHardware) -> None:
    bench.attach(0x76, Registers())
    view = box.i2c(deadline(5))
    bench.fault(0x76, "slow", seconds=0.1)
    began = time.monotonic()

    answer = outcome(view, (0x76, b"\x01", 1))

    assert answer == b"\x07"
    assert 0.1 <= time.monotonic() - began < 1


def test_a_disturbed_line_changes_one_bit_of_each_answer(bench: Bench, box: BoxHardware) -> None:
    bench.attach(0x76, Registers())
    view = box.i2c(deadline(5))
    bench.fault(0x76, "bit_flip")

    answer = outcome(view, (0x76, b"\x01", 4))

    right = bytes([7, 14, 21, 28])
    assert isinstance(answer, bytes)
    wrong_bits = sum((a ^ b).bit_count() for a, b in zip(answer, right, strict=True))
    assert wrong_bits == 1


def test_a_chip_that_gives_too_little_reads_as_a_released_line(bench: Bench) -> None:
    class Short(Registers):
        def read(self, count: int) -> bytes:
            return b"\x01"

    bench.attach(0x76, Short())

    assert bench.bus.transfer(0x76, b"\x00", 3) == b"\x01\xff\xff"


def test_a_broken_chip_model_is_an_io_error_and_not_the_end_of_the_bench(
    bench: Bench, box: BoxHardware, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Registers):
        def write(self, data: bytes) -> None:
            raise ZeroDivisionError

    bench.attach(0x10, Broken())
    bench.attach(0x76, Registers())
    view = box.i2c(deadline(5))

    assert outcome(view, (0x10, b"\x01", 1)) == errno.EIO
    assert outcome(view, (0x76, b"\x01", 1)) == b"\x07"
    assert "the model at 0x10 failed" in caplog.text
