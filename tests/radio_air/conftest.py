"""An air at twenty times real time, unchanged clients of the package ``meshtastic``, and what they
are told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from radio_air.clients import SPEED, Inbox

from kiezbox.clock import ScaledClock
from kiezbox.hardware.simulated.meshtastic_air import MeshtasticAir, SimulatedRadio


@pytest.fixture
def kiez() -> Iterator[MeshtasticAir]:
    with MeshtasticAir(ScaledClock(SPEED, time.time())) as air:
        yield air


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    pytest.importorskip("meshtastic", reason="the package meshtastic: pip install 'kiezbox[lora]'")
    from pubsub import pub

    inbox = Inbox()
    topics: dict[str, Callable[..., None]] = {
        "meshtastic.receive": inbox.on_packet,
        "meshtastic.connection.established": inbox.on_established,
        "meshtastic.connection.lost": inbox.on_lost,
        "meshtastic.clientNotification": inbox.on_notice,
    }
    for topic, listener in topics.items():
        pub.subscribe(listener, topic)
    yield inbox
    for topic, listener in topics.items():
        pub.unsubscribe(listener, topic)


@pytest.fixture
def connect() -> Iterator[Callable[..., Any]]:
    """Connects an unchanged client to a radio by TCP, or by its terminal if that is named."""
    opened: list[Any] = []

    def connect(radio: SimulatedRadio, *, terminal: str | None = None, **how: Any) -> Any:
        if terminal:
            from meshtastic.serial_interface import SerialInterface

            opened.append(SerialInterface(terminal, **how))
        else:
            from meshtastic.tcp_interface import TCPInterface

            assert radio.address is not None
            opened.append(TCPInterface(radio.address[0], portNumber=radio.address[1], **how))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()
