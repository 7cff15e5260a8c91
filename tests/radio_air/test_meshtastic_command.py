"""Meshtastic's own command line, unchanged, works on a simulated radio."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from radio_air.clients import Inbox, until

from kiezbox.hardware.simulated.meshtastic_air import MeshtasticAir, SimulatedRadio

pytest.importorskip("meshtastic", reason="the package meshtastic: pip install 'kiezbox[lora]'")


def command(where: SimulatedRadio | str, *words: str) -> str:
    """What ``meshtastic`` prints about a radio, or one at a path."""
    if isinstance(where, str):
        reached = ["--port", where]
    else:
        assert where.address is not None
        reached = ["--host", f"{where.address[0]}:{where.address[1]}"]
    # `--info` asks the network for a newer version; here nobody shall be asked.
    nowhere = {name: "http://127.0.0.1:9" for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy")}
    done = subprocess.run(
        [sys.executable, "-m", "meshtastic", *reached, *words],
        capture_output=True, text=True, timeout=60, env=os.environ | nowhere, check=False,
    )  # fmt: skip
    # It may print the trace of a heartbeat that came too late for a connection it closed itself.
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_info_names_the_radio_its_region_and_its_channels(kiez: MeshtasticAir) -> None:
    radio = kiez.add("Turmstrasse", tcp=0)

    said = command(radio, "--info")

    assert "Owner: Turmstrasse" in said
    assert f"!{radio.number:08x}" in said
    assert '"region": "EU_868"' in said
    assert "Index 0: PRIMARY psk=default" in said


def test_a_region_and_a_preset_are_set(kiez: MeshtasticAir) -> None:
    radio = kiez.add("north", tcp=0, region="UNSET")

    command(radio, "--set", "lora.region", "EU_868", "--set", "lora.modem_preset", "MEDIUM_FAST")

    assert radio.ask(lambda each: (each.kept.region, each.kept.preset)) == ("EU_868", "MEDIUM_FAST")
    assert "lora.region: 3" in command(radio, "--get", "lora.region")


def test_a_channel_is_added_with_a_key_of_its_own(kiez: MeshtasticAir) -> None:
    radio = kiez.add("north", tcp=0)

    command(radio, "--ch-add", "Kiez")

    settings = radio.ask(lambda each: each.kept.channels[1].settings)
    assert (settings.name, len(settings.psk)) == ("Kiez", 32)


@pytest.mark.long
def test_all_settings_of_one_radio_are_written_to_a_file_and_into_another(
    kiez: MeshtasticAir, tmp_path: Path
) -> None:
    """``--export-config`` also asks for a ringtone and canned messages, and waits for both."""
    north, south = kiez.add("north", tcp=0, preset="MEDIUM_FAST"), kiez.add("south", tcp=0)
    settings = str(tmp_path / "north.yaml")

    command(north, "--export-config", settings)
    command(south, "--configure", settings)

    until(lambda: south.ask(lambda each: each.kept.preset) == "MEDIUM_FAST", "they are taken over")
    assert south.ask(lambda each: each.kept.long_name) == "north"


def test_a_text_is_sent_over_a_serial_cable(
    kiez: MeshtasticAir, inbox: Inbox, connect: Callable[..., Any], tmp_path: Path
) -> None:
    cable = str(tmp_path / "ttyUSB0")
    kiez.add("north", terminal=cable)
    south = connect(kiez.add("south", tcp=0))

    command(cable, "--sendtext", "Grüße aus der Turmstraße")

    (told,) = until(lambda: inbox.of(south, "TEXT_MESSAGE_APP"), "the text arrives")
    assert told["decoded"]["text"] == "Grüße aus der Turmstraße"
