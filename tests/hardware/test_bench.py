"""The bench against clients that die, stall or talk nonsense; and how it begins and ends."""

from __future__ import annotations

import gc
import os
import socket
import tempfile
import threading
import time
from pathlib import Path

import pytest
from bench_parts import Registers, deadline, threads, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbox.errors import KiezboxError
from kiezbox.hardware import wire
from kiezbox.hardware.box import BoxHardware
from kiezbox.hardware.simulated.bench import MOST_CLIENTS, Bench, _Client
from kiezbox.hardware.simulated.pins import Pins
from kiezbox.settings import HardwareSettings


def stranger(bench: Bench) -> socket.socket:
    return wire.connect(bench.address.removeprefix("sim:"), 5.0)


def is_served(bench: Bench) -> bool:
    """Whether an honest box gets its answer within a second."""
    box = BoxHardware(HardwareSettings(i2c=bench.address))
    answer = bytearray(1)
    box.i2c(deadline(1)).writeto_then_readfrom(0x76, b"\x01", answer)
    box.close()
    return answer == b"\x07"


@pytest.fixture
def bench() -> Bench:
    with tempfile.TemporaryDirectory() as folder, Bench(folder) as bench:
        bench.attach(0x76, Registers())
        yield bench


def was_cut_off(client: socket.socket) -> bool:
    client.settimeout(2)
    try:
        while client.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        wire.HEADER.pack(wire.TRANSFER, wire.MOST + 1),
        wire.frame(wire.TRANSFER, b"\x76"),
        wire.frame(wire.TRANSFER, wire.TRANSFER_HEAD.pack(0x76, wire.READS, wire.MOST_DATA + 1)),
        wire.frame(wire.LINE, b"\x11"),
        wire.frame(wire.LINE, bytes([17, len(wire.USES)])),
        wire.frame(wire.DATA, b""),
        wire.frame(0x77, b""),
    ],
    ids=["http", "oversize", "half a transfer", "endless read", "half", "use", "reply", "unknown"],
)
def test_a_client_that_talks_nonsense_is_cut_off_and_the_others_are_served(
    bench: Bench, nonsense: bytes
) -> None:
    with stranger(bench) as client:
        client.sendall(nonsense)

        assert was_cut_off(client)
        assert is_served(bench)


@pytest.fixture(scope="module")
def sturdy() -> Bench:
    with tempfile.TemporaryDirectory() as folder, Bench(folder) as bench:
        bench.attach(0x76, Registers())
        yield bench


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_no_bytes_at_all_keep_the_others_from_being_served(sturdy: Bench, noise: bytes) -> None:
    with stranger(sturdy) as client:
        try:
            client.sendall(noise)
        except BrokenPipeError:
            pass  # cut off before the end, as it should be
        sturdy.attach(0x76, Registers())  # the noise may have been an honest write

        assert is_served(sturdy)


def test_a_client_that_stops_inside_a_frame_holds_up_nobody(bench: Bench) -> None:
    with stranger(bench) as client:
        client.sendall(wire.frame(wire.TRANSFER, bytes(40))[:-1])

        assert is_served(bench)


def test_a_client_that_does_not_listen_cannot_hold_up_whoever_sets_a_pin(bench: Bench) -> None:
    with stranger(bench) as client:
        client.sendall(wire.frame(wire.LINE, wire.PAIR.pack(17, 0)))
        assert client.recv(5) == wire.frame(wire.LEVEL, b"\x11\x00")
        began = time.monotonic()

        for turn in range(20_000):
            bench.set_pin(17, turn % 2 == 0)

        assert time.monotonic() - began < 5
        assert was_cut_off(client)
        assert wait_until(lambda: threads("bench-client") == 0)


def test_too_many_clients_are_turned_away_and_make_room_when_they_go(bench: Bench) -> None:
    crowd = [stranger(bench) for _ in range(MOST_CLIENTS)]
    assert wait_until(lambda: threads("bench-client") == MOST_CLIENTS)

    with stranger(bench) as late:
        assert was_cut_off(late)
    for client in crowd:
        client.close()

    assert wait_until(lambda: threads("bench-client") == 0)
    assert is_served(bench)
    # Each bench's accepting thread still holds its last one, until the next comes.
    assert wait_until(lambda: remembered_clients() < 5)


def remembered_clients() -> int:
    """How many clients some bench still holds in memory."""
    gc.collect()
    return sum(type(thing) is _Client for thing in gc.get_objects())


def test_two_benches_in_one_process_know_nothing_of_each_other(bench: Bench) -> None:
    with tempfile.TemporaryDirectory() as folder, Bench(folder) as other:
        other.attach(0x10, Registers())
        other.set_pin(17, True)
        box = BoxHardware(HardwareSettings(i2c=other.address, gpio=other.address))

        assert box.i2c(deadline(5)).scan() == [0x10]
        assert not bench.pin(17)
        box.close()


def test_a_closed_bench_leaves_no_thread_and_no_file() -> None:
    before = threading.active_count()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        bench.attach(0x76, Registers())
        bench.fault(0x76, "hang")
        with stranger(bench) as client:
            head = wire.TRANSFER_HEAD.pack(0x76, wire.WRITES, 0)
            client.sendall(wire.frame(wire.TRANSFER, head))
            assert wait_until(lambda: threads("bench-client") == 1)

            bench.close()
            bench.close()

        assert threading.active_count() == before
        assert os.listdir(folder) == []


def test_the_socket_of_a_bench_that_died_is_replaced() -> None:
    with tempfile.TemporaryDirectory() as folder:
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(f"{folder}/bench.sock")
        dead.close()

        with Bench(folder) as bench:
            bench.attach(0x76, Registers())

            assert is_served(bench)


def test_a_second_bench_in_the_same_folder_is_refused_in_words(bench: Bench) -> None:
    with pytest.raises(KiezboxError, match="another bench is running"):
        Bench(bench.folder)

    assert is_served(bench)


def test_a_folder_whose_path_is_too_long_for_a_socket_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(KiezboxError, match="too long for a socket"):
        Bench(tmp_path / ("x" * 120))


def test_only_this_user_may_speak_with_the_bench(bench: Bench) -> None:
    mode = os.stat(bench.address.removeprefix("sim:")).st_mode

    assert mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("target", "kind", "detail"),
    [
        (0x50, "hang", {}),
        (0x76, "explode", {}),
        (0x76, "slow", {"minutes": 3}),
        ("ttyUSB9", "unplug", {}),
        ("GPIO17", "explode", {}),
        ("GPIO17", "open", {"n": 3}),
    ],
)
def test_a_fault_that_does_not_exist_is_refused(
    bench: Bench, target: int | str, kind: str, detail: dict[str, float]
) -> None:
    with pytest.raises(ValueError):
        bench.fault(target, kind, **detail)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("set"), st.sampled_from([True, False, None])),
            st.tuples(st.just("use"), st.sampled_from(wire.USES)),
            st.tuples(st.just("fault"), st.sampled_from(["open", "stuck", None])),
        ),
        max_size=20,
    )
)
def test_watchers_hear_of_every_change_of_level_and_of_nothing_else(
    steps: list[tuple[str, object]],
) -> None:
    pins = Pins()
    heard: list[bool] = []
    pins.watch(lambda number, high: heard.append(high))
    levels = [pins.level(17)]

    for call, argument in steps:
        getattr(pins, call)(17, argument)
        levels.append(pins.level(17))

    changes = [after for before, after in zip(levels, levels[1:], strict=False) if before != after]
    assert heard == changes
