"""Whoever is at the other end: strangers and members who mean harm, by real sockets."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from peers.boxes import Box, settled, wait_for
from peers.running import Running

from kiezbox.exchange import Digest, Entry, Give, Gone, Item, Ranges, Want
from kiezbox.exchange.audit import Heal, Ids, Origins, Root
from kiezbox.peers import link, wire
from kiezbox.peers import peers as peers_module
from kiezbox.peers.handshake import ANSWER_BYTES, CALL_BYTES, Calling
from kiezbox.records import Ref
from kiezbox.trust import Key, new_key


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits, in shorter seconds."""
    for module, name, seconds in (
        (link, "GREET_WITHIN_S", 1.5), (link, "SILENT_S", 3.0), (link, "ALIVE_EVERY_S", 1.0),
        (peers_module, "MEMBERS_S", 0.3),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, seconds)


@pytest.fixture
def boxes(tmp_path: Path) -> list[Box]:
    return settled(tmp_path, "kb-a", "kb-b", "kb-c")


@pytest.fixture
def at_b(boxes: list[Box]) -> Iterator[Running]:
    with Running(boxes[1]) as running:
        yield running


def connect(running: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", running.peers.port), 10)


def is_closed(connection: socket.socket, limit_s: float = 10.0) -> bool:
    """And without a word."""
    connection.settimeout(limit_s)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


class Member:
    """A box that has its key and says what it likes."""

    def __init__(self, running: Running, box: Box, key: Key | None = None) -> None:
        to = running.box
        self.connection = connect(running)
        self.side = Calling(
            box.name, key or box.key, lambda name: [to.key.public], to.name, to.key.public
        )
        self.connection.sendall(self.side.call)
        self.confirm = self.side.answered(self.read(ANSWER_BYTES))
        self.connection.sendall(self.confirm)

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            if not more:
                raise ConnectionResetError
            data += more
        return data

    def say(self, plain: bytes) -> bytes:
        assert self.side.sealer
        frame = self.side.sealer.seal(plain)
        self.connection.sendall(frame)
        return frame

    def hear(self) -> bytes:
        length = int.from_bytes(self.read(4), "big")
        assert self.side.opener
        return self.side.opener.open(self.read(length))


def still_works(boxes: list[Box], at_b: Running) -> None:
    """A true member meets it, and words go over."""
    a, b, _ = boxes
    a.post("trotzdem")
    with Running(a, [at_b.place]):
        wait_for(lambda: "trotzdem" in b.texts(), "a true member is served", 15)


# --- strangers -----------------------------------------------------------------------------------


def test_a_stranger_is_answered_with_silence(boxes: list[Box], at_b: Running) -> None:
    with connect(at_b) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\nHost: kiezbox\r\n\r\n".ljust(CALL_BYTES, b" "))
        assert is_closed(stranger)
    with connect(at_b) as stranger:
        stranger.sendall(b"\x01" + bytes(CALL_BYTES - 1))
        assert is_closed(stranger)
    still_works(boxes, at_b)


def test_a_slow_one_is_cut_off_after_some_seconds(boxes: list[Box], at_b: Running) -> None:
    with connect(at_b) as silent, connect(at_b) as slow:
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < 6:
                slow.sendall(b"\x01")
                time.sleep(0.2)
        assert time.monotonic() - began < 5
        assert is_closed(silent)


def test_hundreds_of_silent_ones_do_not_keep_a_member_out(boxes: list[Box], at_b: Running) -> None:
    crowd = []
    stop = threading.Event()

    def press() -> None:
        while not stop.is_set() and len(crowd) < 600:
            with suppress(OSError):
                crowd.append(connect(at_b))

    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        wait_for(lambda: len(crowd) > 100, "they press")
        still_works(boxes, at_b)
    finally:
        stop.set()
        pressing.join()
        for each in crowd:
            each.close()


def test_garbage_of_all_kinds_ends_nothing_but_its_own_connection(
    boxes: list[Box], at_b: Running
) -> None:
    dice = random.Random(3)
    for _ in range(60):
        with connect(at_b) as stranger, suppress(OSError):
            for _ in range(dice.randrange(1, 4)):
                stranger.sendall(dice.randbytes(dice.randrange(1, 2000)))
    still_works(boxes, at_b)


def test_who_overheard_a_connection_and_says_it_again_gets_nowhere(
    boxes: list[Box], at_b: Running
) -> None:
    a, b, _ = boxes
    true = Member(at_b, a)
    true.hear()
    frame = true.say(wire.ALIVE)
    with connect(at_b) as again:
        again.sendall(true.side.call)
        answer = again.recv(ANSWER_BYTES, socket.MSG_WAITALL)
        assert len(answer) == ANSWER_BYTES
        for name in (b"kb-", b.key.public):
            assert name not in answer
        again.sendall(true.confirm + frame)
        assert is_closed(again)
    # Nor does it cost the true one its connection.
    true.say(wire.pack(Want("kb-b", ())))
    assert true.hear()
    true.connection.close()


def test_a_wrong_key_under_a_member_s_name_is_not_let_in(boxes: list[Box], at_b: Running) -> None:
    liar = Member(at_b, boxes[0], new_key("kb-a"))

    assert is_closed(liar.connection)
    assert not at_b.is_connected("kb-a")
    liar.connection.close()


def test_a_box_that_is_struck_out_loses_its_connection(
    boxes: list[Box], caplog: pytest.LogCaptureFixture
) -> None:
    a, b, _ = boxes
    caplog.set_level("INFO", "kiezbox")
    keys = {box.name: [box.key.public] for box in boxes}
    with (
        Running(b, members=lambda name: keys.get(name, [])) as at_b,
        Running(a, [at_b.place]) as at_a,
    ):
        wait_for(lambda: at_a.is_connected("kb-b"), "they meet")
        del keys["kb-a"]
        wait_for(lambda: not at_b.is_connected("kb-a"), "it is cut off")
        wait_for(lambda: not at_a.is_connected("kb-b"), "and knows it")
        a.post("von draußen")
        b.post("von drinnen")
        caplog.clear()
        wait_for(lambda: "kb-b was called" in caplog.text, "it tries again, in vain")
        assert b.texts() == {"von drinnen"} and a.texts() == {"von draußen"}


def test_a_caller_that_knows_a_wrong_key_of_the_other_does_not_tell_who_it_is(
    boxes: list[Box], tmp_path: Path
) -> None:
    a, _, _ = boxes
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(4096))
            connection.sendall(os.urandom(ANSWER_BYTES))
            connection.settimeout(5)
            with suppress(OSError):
                heard.append(connection.recv(4096))

    listening = threading.Thread(target=listen)
    listening.start()
    from kiezbox.settings.kiez import Place

    with Running(a, [Place("kb-b", "127.0.0.1", listener.getsockname()[1])]):
        listening.join(20)
    listener.close()
    assert [len(each) for each in heard] == [CALL_BYTES, 0]
    assert b"kb-a" not in heard[0] and a.key.public not in heard[0]


# --- members who mean harm ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plain",
    [b"", b"\xff" * 100, bytes(70_000), wire.encoded([4, [["kb-a", 1, 5, b"x"]]]),
     wire.encoded([1, b"short", []]), wire.encoded([2]), wire.encoded([3, 5]), wire.encoded(["x"]),
     wire.encoded([1, bytes(6), [["kb-a", 9, 3, []]]]), wire.encoded([8, "kb-a", -1, 0, []]),
     wire.encoded([2, "kb-b", [["kb-a", [5, 1]]]]),
     wire.encoded([1, bytes(6), [["kb-a", 1, 5, [1] * 999]]])],
)  # fmt: skip
def test_what_is_no_message_ends_the_connection_and_nothing_else(
    boxes: list[Box], at_b: Running, plain: bytes
) -> None:
    evil = Member(at_b, boxes[2])
    evil.hear()
    evil.say(plain)
    with suppress(OSError):
        while evil.connection.recv(65536):
            pass
    evil.connection.close()
    wait_for(lambda: not at_b.is_connected("kb-c"), "it is cut off")


def test_a_frame_too_long_by_its_length_is_not_waited_for(boxes: list[Box], at_b: Running) -> None:
    evil = Member(at_b, boxes[2])
    evil.hear()
    evil.connection.sendall((1 << 30).to_bytes(4, "big") + bytes(100))

    wait_for(lambda: not at_b.is_connected("kb-c"), "it is cut off")
    evil.connection.close()


def test_a_kind_of_message_from_the_future_is_passed_over(boxes: list[Box], at_b: Running) -> None:
    newer = Member(at_b, boxes[2])
    newer.hear()
    newer.say(wire.encoded([77, "what", {"nobody": b"knows"}]))
    newer.say(wire.encoded([0, 1, 2]))
    vain = Ranges([(7, 7)])
    newer.say(wire.pack(Want("kb-b", (("kb-b", vain),))))
    while wire.unpack(newer.hear()) != Gone((("kb-b", vain),)):
        pass
    assert at_b.is_connected("kb-c")
    newer.connection.close()


def test_lies_about_everything_make_it_neither_fall_nor_forget(
    boxes: list[Box], at_b: Running
) -> None:
    a, b, c = boxes
    b.post("bleibt")
    dice = random.Random(5)
    evil = Member(at_b, c)
    drained = threading.Thread(target=_drain, args=(evil.connection,), daemon=True)
    drained.start()
    for n in range(300):
        origin = f"kb-{dice.randrange(2000)}"
        lie = dice.choice([
            Digest(dice.randbytes(6), (Entry(origin, 1, 1 << 39, Ranges()),)),
            Digest(dice.randbytes(6), (Entry("kb-b", 1, 50, Ranges()),)),
            Want("kb-b", ((origin, Ranges([(1, 1 << 39)])), ("kb-b", Ranges([(1, 64)])))),
            Give((Item(Ref(origin, n + 1), 0, dice.randbytes(200)),)),
            Give((Item(Ref("kb-a", n + 1), 0, dice.randbytes(20_000)),)),
            Root(dice.randbytes(16)), Origins(((origin, dice.randbytes(16)),)),
            Ids("kb-b", 0, bool(n % 2), ()), Heal("kb-b", 0, (dice.randbytes(200),)),
        ])  # fmt: skip
        evil.say(wire.pack(lie))
    assert b.texts() == {"bleibt"}
    still_works(boxes, at_b)
    assert b.texts() == {"bleibt", "trotzdem"}
    evil.connection.close()


def test_a_member_that_floods_does_not_keep_the_others_out(boxes: list[Box], at_b: Running) -> None:
    evil = Member(at_b, boxes[2])
    threading.Thread(target=_drain, args=(evil.connection,), daemon=True).start()
    stop = threading.Event()
    said = [0]

    def flood() -> None:
        dice = random.Random(1)
        body = dice.randbytes(15_000)
        give = Give(tuple(Item(Ref("kb-c", n), 5, body) for n in range(1, 5)))
        with suppress(OSError):
            while not stop.is_set():
                said[0] += len(evil.say(wire.pack(give)))

    flooding = threading.Thread(target=flood)
    flooding.start()
    try:
        still_works(boxes, at_b)
    finally:
        stop.set()
        evil.connection.shutdown(socket.SHUT_RDWR)
        flooding.join(10)
        evil.connection.close()
    assert said[0] > 1 << 20


def test_a_member_that_never_reads_is_cut_off_and_costs_no_memory(
    boxes: list[Box], at_b: Running
) -> None:
    a, b, c = boxes
    b.post(*(f"{n} " + "x" * 900 for n in range(1500)))
    evil = Member(at_b, c)
    evil.hear()
    with suppress(OSError):
        for n in range(3000):
            evil.say(wire.pack(Want("kb-b", (("kb-b", Ranges([(n % 1500 + 1,) * 2])),))))
    waiting = [len(link._out) for link in at_b.peers._links]
    assert max(waiting, default=0) <= 1 << 20
    still_works(boxes, at_b)
    evil.connection.close()


def test_one_that_is_gone_without_a_word_is_noticed_and_may_come_again(
    boxes: list[Box], at_b: Running
) -> None:
    first = Member(at_b, boxes[2])
    first.hear()
    wait_for(lambda: at_b.is_connected("kb-c"), "it is there")
    # Its cable was pulled: nothing is closed. Then it comes back with another connection.
    second = Member(at_b, boxes[2])
    second.hear()
    assert is_closed_in_the_end(first)
    second.say(wire.ALIVE)
    assert at_b.is_connected("kb-c")
    # And this one is silent for ever.
    wait_for(lambda: not at_b.is_connected("kb-c"), "it is given up", 20)
    first.connection.close()
    second.connection.close()


def is_closed_in_the_end(member: Member) -> bool:
    member.connection.settimeout(10)
    with suppress(ConnectionResetError):
        while member.connection.recv(65536):
            pass
    return True


def _drain(connection: socket.socket) -> None:
    with suppress(OSError):
        while connection.recv(1 << 16):
            pass
