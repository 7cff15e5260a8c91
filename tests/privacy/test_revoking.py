"""Ending a consent, with real processes: node, command line, broker, who asks as Prometheus does,
and the public pages; with power cuts, kill -9 and a link that is away for long.
"""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from box import Box, wait_for
from broker import Listener, Mosquitto, free_port, records_of

from kiezbox.cli._common import load_settings, open_clock
from kiezbox.portal.sight import Sight

CONFIG = "homeassistant/device/kiezbox-kb-test/config"
SENSORS = "kiezbox/1/kb-test/sensors"
RECIPIENTS = ("mqtt", "home_assistant", "prometheus", "portal")
LIMIT_S = 30.0


class House:
    """A flat that has agreed to everything, and everybody who hears of it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.broker = Mosquitto(
            folder,
            "allow_anonymous true\npersistence true\nautosave_interval 0\n"
            f"persistence_location {folder}/\n",
        )
        stack.callback(self.broker.close)
        self.port = free_port()
        link = f'host = "127.0.0.1"\nport = {self.broker.port}\ntls = false\nretry_least_s = 0.1'
        self.box = Box(
            folder,
            more=f"""
[sensors.flat]
driver = "bme280"
interval_s = 1
temperature_offset_k = -1.0
[publishers.mqtt]
{link}
[publishers.home_assistant]
{link}
[publishers.prometheus]
port = {self.port}
""",
        )
        stack.callback(self.box.close)
        self.stack = stack
        self.numbers = [self.give(each) for each in RECIPIENTS]
        self.clock = open_clock(load_settings(str(self.box.settings)))
        self.sight = Sight(str(self.box.run_dir), str(self.box.store), self.clock)

    def give(self, recipient: str) -> str:
        said = self.consent(
            "give", "flat", "--to", recipient, "--person", "tenant", "--purpose", "a study",
            "--for", "1d",
        )  # fmt: skip
        return said.split()[1]

    def consent(self, *arguments: str) -> str:
        done = self.box.kiezbox("consent", *arguments)
        assert done.returncode == 0, done.stderr
        said: str = done.stdout
        return said

    def listen(self) -> Listener:
        """Somebody who connects now, and is told first what the broker has kept."""
        listener = Listener(self.broker.port, "#")
        self.stack.callback(listener.close)
        return listener

    def retained(self) -> dict[str, Any]:
        """Topic → what the broker keeps of it."""
        listener = self.listen()
        wait_for(lambda: any(each.topic == CONFIG for each in listener.heard), "what is kept")
        wait_for(lambda: any(each.topic == SENSORS for each in listener.heard), "what is kept")
        kept = {each.topic: each for each in list(listener.heard) if each.is_retained}
        listener.close()
        return {topic: each.json() for topic, each in kept.items() if each.payload[:1] == b"{"}

    def is_kept_at_the_broker(self) -> bool:
        kept = self.retained()
        components = kept[CONFIG]["components"]
        is_described = any(
            name.startswith("flat") and len(each) > 1 for name, each in components.items()
        )
        return is_described or "flat" in kept[SENSORS]["sensors"]

    def is_on_the_page(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        try:
            connection.request("GET", "/metrics")
            return 'sensor="flat' in connection.getresponse().read().decode()
        except ConnectionRefusedError:
            return False
        finally:
            connection.close()

    def is_public(self) -> bool:
        return any(name.startswith("flat") for name in self.sight.facts()["latest"])

    def until_all_have_it(self) -> None:
        wait_for(self.is_on_the_page, "the flat on Prometheus' page")
        wait_for(self.is_public, "the flat on the public pages")
        wait_for(self.is_kept_at_the_broker, "the flat at the broker")

    def until_nobody_has_it(self) -> None:
        wait_for(lambda: not self.is_on_the_page(), "Prometheus' page is without the flat")
        wait_for(lambda: not self.is_public(), "the public pages are without the flat")
        wait_for(lambda: not self.is_kept_at_the_broker(), "the broker keeps nothing of the flat")

    def flats(self, listener: Listener) -> list[dict[str, Any]]:
        records = records_of(listener.on("readings"))
        return [each for each in records if "/flat" in each["n"]]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        yield House(tmp_path, stack)


def revoke_all(house: House) -> None:
    for number in house.numbers:
        house.consent("revoke", number)


def somebody_moves(house: House) -> None:
    assert "4 consents for flat have ended" in house.consent("moved", "flat")


@pytest.mark.broker
@pytest.mark.parametrize("end", [revoke_all, somebody_moves])
def test_what_a_flat_had_agreed_to_ends_everywhere_at_once(
    house: House, end: Callable[[House], None]
) -> None:
    house.box.start()
    house.until_all_have_it()
    listener = house.listen()
    wait_for(lambda: house.flats(listener), "a reading of the flat")

    end(house)
    ended_at = house.clock.now()

    house.until_nobody_has_it()
    roofs = len(listener.on("readings"))
    wait_for(lambda: len(listener.on("readings")) >= roofs + 3, "the roof goes on")
    assert [each for each in house.flats(listener) if each["t"] > ended_at] == []


@pytest.mark.broker
def test_while_the_link_was_away_it_ended_and_what_the_broker_kept_goes_when_it_is_back(
    house: House,
) -> None:
    house.box.start()
    house.until_all_have_it()
    house.broker.stop()
    wait_for(
        lambda: house.box.facts()["publishers"]["mqtt"]["link"] == "waiting", "the link is lost"
    )
    wait_for(lambda: house.box.facts()["publishers"]["mqtt"]["backlog"] > 20, "a backlog")

    revoke_all(house)
    house.broker.start()
    listener = house.listen()

    wait_for(lambda: not house.is_kept_at_the_broker(), "the broker keeps nothing of the flat")
    # As much as comes in between two messages; it was more before.
    wait_for(lambda: house.box.facts()["publishers"]["mqtt"]["backlog"] < 16, "all is delivered")
    assert list(records_of(listener.on("readings"))) and house.flats(listener) == []


@pytest.mark.broker
def test_a_power_cut_between_revoking_and_telling_changes_nothing(house: House) -> None:
    house.box.start()
    house.until_all_have_it()
    house.box.kill()
    revoke_all(house)

    house.box.start()

    house.until_nobody_has_it()


@pytest.mark.broker
@pytest.mark.parametrize("moment", ["before", "after"])
def test_whoever_is_killed_while_revoking_has_revoked_or_not_and_never_half(
    house: House, moment: str
) -> None:
    """Killed before the line is on the card, nobody was told that it is over, and all goes on;
    killed after it, it is over also for the pages, whose table was not written any more.
    """
    house.box.start()
    house.until_all_have_it()
    # It leaves its now.json behind, and the pages go on.
    assert house.box.node is not None
    house.box.node.send_signal(signal.SIGKILL)
    house.box.node.wait(LIMIT_S)
    house.box.node = None
    assert house.is_public()

    number = house.numbers[RECIPIENTS.index("portal")]
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, moment, str(house.box.settings), number],
        timeout=LIMIT_S,
    )

    assert done.returncode == -signal.SIGKILL
    assert house.is_public() == (moment == "before")
    (said,) = [each for each in json.loads(house.consent("list", "--all", "--json"))
               if str(each["number"]) == number]  # fmt: skip
    assert said["holds"] == (moment == "before")


_KILLED = """
import os, signal, sys
import kiezbox.store.consents as store
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1] == "before":
    store._put = die
else:
    store.keep_shown = die
from kiezbox.cli.consent import main
main(["--settings", sys.argv[2], "revoke", sys.argv[3]])
"""


@pytest.mark.broker
def test_with_another_address_nothing_of_the_flat_goes_there_until_somebody_was_asked(
    house: House,
) -> None:
    house.box.start()
    house.until_all_have_it()
    house.box.stop()
    other = Mosquitto(house.box.folder / "bench")
    house.stack.callback(other.close)
    text = house.box.settings.read_text()
    house.box.settings.write_text(
        text.replace(f"port = {house.broker.port}", f"port = {other.port}")
    )
    house.broker, listener = other, Listener(other.port, "#")
    house.stack.callback(listener.close)

    house.box.start()

    wait_for(lambda: len(listener.on("readings")) > 5, "the roof is there")
    assert house.flats(listener) == [] and not house.is_kept_at_the_broker()
    assert f"renew {house.numbers[0]}" in house.box.log.read_text()
    assert "nothing of flat goes to mqtt any more" in house.box.kiezbox("check").stdout
    wait_for(house.is_on_the_page, "Prometheus' page, whose address is the same, goes on")

    house.consent("renew", house.numbers[0], "--person", "tenant")
    wait_for(lambda: house.flats(listener), "readings of the flat again")
