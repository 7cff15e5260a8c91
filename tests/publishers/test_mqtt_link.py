"""The link to the broker: what stands there for all to see, how it is made, and who says no."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from broker import Amqtt, Liar, Listener, free_port, records_of, wait_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTProtocolVersion
from publishers.rig import BOX, Rig, deliver

from kiezbox.errors import PublishError, Refused, Unreachable
from kiezbox.publishers import _connection, mqtt
from kiezbox.publishers._connection import Connection

pytestmark = pytest.mark.broker

CONNACK_V5 = bytes.fromhex("2003000000")

STATE = {"mode": {"name": "emergency", "since": 1780000000.0}, "grid": {"state": "lost"}}


def last(listener: Listener, kind: str) -> Any:
    """The newest message on that topic, as JSON."""
    messages = listener.on(kind)
    return messages[-1].json() if messages else None


# --- what stands on the broker -----------------------------------------------------------------


def test_whoever_asks_later_still_hears_the_latest_state(rig: Rig) -> None:
    broker = rig.broker()
    publisher = rig.mqtt(broker.port)
    publisher.announce("state", {"mode": {"name": "normal"}})
    publisher.announce("state", STATE)
    first = rig.listener(broker.port)
    wait_for(lambda: last(first, "state") == {**STATE, "online": True}, "the state on the broker")

    listener = rig.listener(broker.port)

    wait_for(lambda: last(listener, "state") == {**STATE, "online": True}, "the state")
    (message,) = listener.on("state")
    assert message.topic == f"kiezbox/1/{BOX}/state"
    assert message.is_retained
    assert message.content_type == "application/json"


def test_the_same_state_is_not_said_twice(rig: Rig) -> None:
    broker = rig.broker()
    listener = rig.listener(broker.port)
    publisher = rig.mqtt(broker.port)

    for state in (STATE, STATE, STATE, {"mode": {"name": "normal"}}):
        publisher.announce("state", state)

    wait_for(lambda: len(listener.on("state")) >= 2, "both states")
    assert [message.json()["mode"]["name"] for message in listener.on("state")] == [
        "emergency",
        "normal",
    ]


def test_a_broker_that_forgot_everything_is_told_again(rig: Rig) -> None:
    broker = rig.broker()
    publisher = rig.mqtt(broker.port)
    publisher.announce("state", STATE)
    publisher.announce("faults", {"faults": []})

    broker.restart()
    wait_for(lambda: publisher.link() == "connected", "the publisher is back")
    listener = rig.listener(broker.port)

    wait_for(lambda: last(listener, "state") == {**STATE, "online": True}, "the state")
    wait_for(lambda: last(listener, "faults") == {"faults": []}, "the faults")


def test_a_state_announced_without_a_link_is_said_when_the_link_is_there(rig: Rig) -> None:
    port = free_port()
    publisher = rig.mqtt(port, up=False)
    publisher.announce("state", {"mode": {"name": "normal"}})
    publisher.announce("state", STATE)

    broker = rig.keep(type(rig.broker())(rig.folder, port=port))
    wait_for(lambda: publisher.link() == "connected", "the publisher is connected")
    listener = rig.listener(broker.port)

    wait_for(lambda: last(listener, "state") == {**STATE, "online": True}, "the newest state")


def test_a_box_that_is_switched_off_properly_says_that_it_goes(rig: Rig) -> None:
    broker = rig.broker()
    publisher = rig.mqtt(broker.port)
    publisher.announce("state", STATE)

    publisher.close()
    publisher.close()

    listener = rig.listener(broker.port)
    wait_for(lambda: last(listener, "state") == {"online": False}, "offline")


DYING_BOX = """
import sys, threading
from kiezbox.clock import SystemClock
from kiezbox.publishers import mqtt
from kiezbox.settings import BoxSettings
up = threading.Event()
settings = mqtt.Settings(host="127.0.0.1", port=int(sys.argv[1]), tls=False)
publisher = mqtt.open(settings, BoxSettings(id=sys.argv[2]), SystemClock(), up.set)
publisher.announce("state", {"mode": {"name": "normal"}})
up.wait(10)
print("up", flush=True)
threading.Event().wait(60)
"""


def test_of_a_box_that_dies_the_broker_says_that_it_is_gone(rig: Rig) -> None:
    broker = rig.broker()
    listener = rig.listener(broker.port)
    box = subprocess.Popen(
        [sys.executable, "-c", DYING_BOX, str(broker.port), BOX], stdout=subprocess.PIPE
    )
    try:
        wait_for(lambda: (last(listener, "state") or {}).get("online"), "the box is online")

        box.send_signal(signal.SIGKILL)

        wait_for(lambda: last(listener, "state") == {"online": False}, "the last will")
    finally:
        box.kill()
        box.wait(10)
        assert box.stdout is not None
        box.stdout.close()


# --- versions ----------------------------------------------------------------------------------


def test_a_broker_that_speaks_3_1_1_only_gets_everything(rig: Rig) -> None:
    broker = rig.keep(Amqtt())
    listener = rig.listener(broker.port, version=4)
    store = rig.store()
    publisher = rig.mqtt(broker.port)
    publisher.announce("state", STATE)
    rig.measure(store, rounds=2000)

    deliver(rig.carrier(store, publisher))

    ids = wait_for(
        lambda: (
            len(i := [record["id"] for record in records_of(listener.on("readings"))]) >= 4000 and i
        ),
        "all readings",
    )
    assert set(ids) == set(rig.ids(store))
    wait_for(lambda: last(listener, "state") == {**STATE, "online": True}, "the state")


def test_a_broker_that_said_it_speaks_3_1_1_is_not_asked_for_more_again(rig: Rig) -> None:
    wire = rig.wire(rig.keep(Amqtt()).port)
    publisher = rig.mqtt(wire.port)
    at_first = wire.connections

    wire.cut()
    wait_for(lambda: wire.connections > at_first, "the next connection")
    wait_for(lambda: publisher.link() == "connected", "the publisher is back")

    assert (at_first, wire.connections) == (2, 3)


def test_a_broker_that_hangs_up_on_version_5_is_asked_in_3_1_1_at_once(rig: Rig) -> None:
    broker = rig.broker()
    wire = rig.wire(broker.port)
    # The first connection ends within its CONNECT, as with brokers that do not like the 5 in it.
    wire.cut_after = lambda: 8 if wire.connections == 1 else None
    listener = rig.listener(broker.port)

    publisher = rig.mqtt(wire.port, retry_least_s=5.0, retry_most_s=5.0)
    publisher.announce("state", STATE)

    (message,) = wait_for(lambda: listener.on("state"), "the state")
    assert message.content_type is None  # 3.1.1 has no such property
    assert wire.connections == 2


# --- who says no -------------------------------------------------------------------------------


def refusal(publisher: mqtt.Mqtt, store: Any, rig: Rig) -> PublishError:
    """Why the publisher takes nothing, once it knows."""
    rig.measure(store)
    batch = store.after(0, 10)

    def why() -> PublishError | None:
        try:
            publisher.publish(batch)
        except PublishError as error:
            return None if "still connecting" in str(error) else error
        return None

    error: PublishError = wait_for(why, "the publisher knows why")
    return error


def with_password(rig: Rig, password: str) -> str:
    """The broker's settings: one user, box, with this password."""
    users = rig.folder / "users"
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", users, "box", password],
        check=True,
        timeout=10,
        capture_output=True,
    )
    return f"allow_anonymous false\npassword_file {users}"


def test_a_wrong_password_is_refused_and_says_where_to_look(rig: Rig) -> None:
    secret = rig.folder / "secret"
    secret.write_text("wrong-horse\n")
    broker = rig.broker(with_password(rig, "right-horse"))
    publisher = rig.mqtt(broker.port, up=False, username="box", password_file=str(secret))

    error = refusal(publisher, rig.store(), rig)

    assert isinstance(error, Refused)
    assert "Not authorized" in str(error)
    assert publisher.link() == "refused"


def test_a_password_that_was_put_right_works_without_a_restart(rig: Rig) -> None:
    secret = rig.folder / "secret"
    secret.write_text("wrong-horse\n")
    broker = rig.broker(with_password(rig, "right-horse"))
    publisher = rig.mqtt(broker.port, up=False, username="box", password_file=str(secret))
    wait_for(lambda: publisher.link() == "refused", "the refusal")

    secret.write_text("right-horse\n")

    wait_for(lambda: publisher.link() == "connected", "the publisher is connected")


def test_a_password_is_never_written_to_the_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = rig.folder / "secret"
    secret.write_text("wrong-horse\n")
    broker = rig.broker(with_password(rig, "right-horse"))
    publisher = rig.mqtt(broker.port, up=False, username="box", password_file=str(secret))

    error = refusal(publisher, rig.store(), rig)

    assert caplog.records
    assert "wrong-horse" not in caplog.text + str(error) + error.hint + repr(vars(publisher))


def test_a_password_file_that_cannot_be_read_is_named(rig: Rig) -> None:
    publisher = rig.mqtt(
        free_port(), up=False, username="box", password_file=str(rig.folder / "nowhere")
    )

    error = refusal(publisher, rig.store(), rig)

    assert isinstance(error, Refused)
    assert str(error) == (
        f"cannot read password_file {rig.folder}/nowhere: No such file or directory"
    )


def test_a_box_whose_id_another_one_uses_says_so(rig: Rig) -> None:
    # CONNACK, then DISCONNECT with reason 0x8E, session taken over (MQTT 5 section 3.14.2.1).
    liar = rig.keep(Liar(CONNACK_V5 + bytes.fromhex("e0028e00")))
    publisher = rig.mqtt(liar.port, up=False)

    error = refusal(publisher, rig.store(), rig)

    assert isinstance(error, Refused)
    assert "Session taken over" in str(error)
    assert "box.id" in error.hint


def test_nobody_at_the_port_is_said_as_that(rig: Rig) -> None:
    port = free_port()
    publisher = rig.mqtt(port, up=False)

    error = refusal(publisher, rig.store(), rig)

    assert isinstance(error, Unreachable)
    assert str(error) == f"nothing listens at 127.0.0.1:{port}"
    assert publisher.link() == "waiting"


def test_a_name_that_does_not_exist_is_said_as_that(rig: Rig) -> None:
    publisher = rig.mqtt(1883, up=False, host="broker.invalid")

    error = refusal(publisher, rig.store(), rig)

    assert isinstance(error, Unreachable)
    assert str(error).startswith("cannot find broker.invalid")


def test_a_server_that_takes_the_call_and_says_nothing_is_left_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_connection, "ANSWER_S", 0.2)
    liar = rig.keep(Liar(b""))
    publisher = rig.mqtt(liar.port, up=False)

    error = refusal(publisher, rig.store(), rig)

    assert "says nothing" in str(error)
    wait_for(lambda: liar.connections >= 2, "another try")


# --- TLS ---------------------------------------------------------------------------------------


class Papers:
    """An authority made for one test, and what it signed."""

    def __init__(self, folder: Path, name: str) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed: apt-get install openssl")
        self._folder = folder / name
        self._folder.mkdir()
        self.authority = self._folder / "ca.pem"
        self._openssl(
            "req", "-x509", *self._new_key("ca"), "-days", "2", "-out", self.authority,
            "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    def sign(self, name: str, host: str) -> tuple[Path, Path]:
        """Certificate and key for an address."""
        request, certificate = self._folder / f"{name}.csr", self._folder / f"{name}.pem"
        extra = self._folder / f"{name}.ext"
        # Python 3.13 goes by RFC 5280 to the letter: an authority says what its key is for, and
        # a certificate whose key signed it.
        extra.write_text(f"subjectAltName=IP:{host}\nauthorityKeyIdentifier=keyid\n")
        self._openssl("req", *self._new_key(name), "-out", request, "-subj", f"/CN={name}")
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.authority, "-CAkey",
            self._folder / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", extra,
            "-out", certificate,
        )  # fmt: skip
        return certificate, self._folder / f"{name}.key"

    def _new_key(self, name: str) -> list[Any]:
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        return [*curve, "-keyout", self._folder / f"{name}.key"]

    def _openssl(self, *arguments: Any) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=20)

    def broker_settings(self, *, host: str = "127.0.0.1", more: str = "") -> str:
        certificate, key = self.sign("broker", host)
        return (
            f"allow_anonymous true\ncafile {self.authority}\ncertfile {certificate}\n"
            f"keyfile {key}\n{more}"
        )


def test_readings_go_through_tls_to_a_broker_the_authority_vouches_for(rig: Rig) -> None:
    papers, store = Papers(rig.folder, "ours"), rig.store()
    broker = rig.broker(papers.broker_settings())
    publisher = rig.mqtt(broker.port, tls=True, ca_file=str(papers.authority))
    rig.measure(store, rounds=2000)

    deliver(rig.carrier(store, publisher))

    assert store.cursor("mqtt").live == store.newest_serial


def test_a_certificate_of_somebody_else_is_refused_with_the_setting_to_look_at(rig: Rig) -> None:
    broker = rig.broker(Papers(rig.folder, "theirs").broker_settings())
    ours = Papers(rig.folder, "ours")
    publisher = rig.mqtt(broker.port, up=False, tls=True, ca_file=str(ours.authority))

    error = refusal(publisher, rig.store(), rig)

    assert isinstance(error, Refused)
    assert "certificate that is not trusted" in str(error)
    assert "ca_file" in error.hint
    assert publisher.link() == "refused"


def test_a_certificate_for_another_address_is_refused(rig: Rig) -> None:
    papers = Papers(rig.folder, "ours")
    broker = rig.broker(papers.broker_settings(host="192.0.2.1"))
    publisher = rig.mqtt(broker.port, up=False, tls=True, ca_file=str(papers.authority))

    error = refusal(publisher, rig.store(), rig)

    assert isinstance(error, Refused)
    assert "127.0.0.1" in str(error)


def test_a_broker_that_wants_the_boxs_own_certificate_gets_it(rig: Rig) -> None:
    papers = Papers(rig.folder, "ours")
    broker = rig.broker(papers.broker_settings(more="require_certificate true"))
    certificate, key = papers.sign("box", "127.0.0.1")

    publisher = rig.mqtt(
        broker.port,
        tls=True,
        ca_file=str(papers.authority),
        cert_file=str(certificate),
        key_file=str(key),
    )

    assert publisher.link() == "connected"


def test_a_missing_certificate_of_our_own_is_hinted_at(rig: Rig) -> None:
    papers = Papers(rig.folder, "ours")
    broker = rig.broker(papers.broker_settings(more="require_certificate true"))
    publisher = rig.mqtt(broker.port, up=False, tls=True, ca_file=str(papers.authority))

    error = refusal(publisher, rig.store(), rig)

    assert "cert_file" in error.hint


def test_tls_spoken_to_a_plain_port_is_said_as_that(rig: Rig) -> None:
    publisher = rig.mqtt(rig.broker().port, up=False, tls=True)

    error = refusal(publisher, rig.store(), rig)

    assert "TLS" in str(error) + error.hint


@pytest.mark.parametrize("setting", ["ca_file", "cert_file"])
def test_a_certificate_file_that_is_not_there_is_named(rig: Rig, setting: str) -> None:
    nowhere = str(rig.folder / "nowhere.pem")
    publisher = rig.mqtt(free_port(), up=False, tls=True, **{setting: nowhere})

    error = refusal(publisher, rig.store(), rig)

    assert isinstance(error, Refused)
    assert nowhere in str(error)


# --- coming back -------------------------------------------------------------------------------


def test_with_the_default_pauses_a_link_that_is_back_is_used_within_five_seconds(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    broker, store = rig.broker(), rig.store()
    wire = rig.wire(broker.port)
    publisher = rig.mqtt(wire.port, retry_least_s=1.0, retry_most_s=4.0)
    carrier = rig.carrier(store, publisher)
    wire.refuse()
    wait_for(lambda: "nothing listens" in caplog.text, "an attempt that found nobody")
    rig.measure(store)

    wire.listen()
    back_at = time.monotonic()
    deliver(carrier)

    assert time.monotonic() - back_at <= 5.0


def sockets() -> int:
    """How many sockets this process has open."""
    links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return sum(os.path.islink(link) and "socket" in os.readlink(link) for link in links)


def test_a_link_that_comes_and_goes_leaves_no_sockets_behind(rig: Rig) -> None:
    wire = rig.wire(rig.broker().port)
    publisher = rig.mqtt(wire.port)
    before = sockets()
    gc.disable()
    try:
        for number in range(30):
            tries = wire.connections
            if number % 2:
                wire.cut()
            else:
                wire.refuse()
                wire.listen()
            wait_for(lambda tries=tries: wire.connections > tries, "the next connection")
            wait_for(lambda: publisher.link() == "connected", "the publisher is back")
        after = sockets()
    finally:
        gc.enable()

    assert after <= before + 3


def test_the_worker_is_woken_when_the_link_is_there(rig: Rig) -> None:
    rig.mqtt(rig.broker().port)

    assert rig.woken.wait(5)


# --- hostile bytes -----------------------------------------------------------------------------

ANSWERS = st.one_of(
    st.binary(max_size=64),
    st.binary(max_size=64).map(lambda tail: CONNACK_V5 + tail),
    # A packet of any type with any body, of the length it says.
    st.tuples(st.integers(0, 255), st.binary(max_size=100)).map(
        lambda parts: bytes([parts[0], len(parts[1])]) + parts[1]
    ),
    st.tuples(st.integers(0, 255), st.binary(max_size=40)).map(
        lambda parts: CONNACK_V5 + bytes([parts[0], len(parts[1])]) + parts[1]
    ),
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(answer=ANSWERS, version=st.sampled_from([5, 4]))
def test_whatever_bytes_a_broker_answers_the_attempt_ends_with_a_sentence(
    answer: bytes, version: int
) -> None:
    liar = Liar(answer, hangs_up=True)
    try:
        connection = Connection(
            mqtt.Settings(host="127.0.0.1", port=liar.port, tls=False),
            BOX,
            MQTTProtocolVersion(version),
            ("kiezbox/1/kb/state", b"{}"),
            lambda connection: None,
        )

        connection.run()
    finally:
        liar.close()

    assert isinstance(connection.over, PublishError)
    assert str(liar.port) in str(connection.over)
    assert not connection.is_up


def test_a_surprise_in_the_mqtt_library_ends_one_attempt_and_not_the_worker(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = rig.broker()

    def surprised(*_: Any, **__: Any) -> int:
        raise struct.error("unpack requires a buffer of 2 bytes")

    with monkeypatch.context() as patch:
        patch.setattr("paho.mqtt.client.Client.loop", surprised)
        publisher = rig.mqtt(broker.port, up=False)
        error = refusal(publisher, rig.store(), rig)

    assert "does not speak MQTT as it should" in str(error)
    wait_for(lambda: publisher.link() == "connected", "the next attempt")
